"""An argument parser whose errors take one line and name what is allowed."""

import argparse
from typing import NoReturn

from prefillroute.errors import UserError


class Parser(argparse.ArgumentParser):
    """`argparse`, except that a mistake raises ``UserError`` and names the options that exist."""

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message as one line with status 1, instead of printing its usage with status 2."""
        if message.startswith(("unrecognized arguments", "the following arguments are required")):
            options = [option for action in self._actions for option in action.option_strings[-1:]]
            message = f"{message}; expected one of {', '.join(options)}"
        raise UserError(f"{self.prog}: {message}")
