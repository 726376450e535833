"""An argument parser whose errors are one line that names what is allowed."""

import argparse
from typing import NoReturn

from prefillroute.errors import UserError


class Parser(argparse.ArgumentParser):
    """`argparse`, but a mistake raises ``UserError`` and names the options that exist."""

    def error(self, message: str) -> NoReturn:
        """Turn argparse's usage block and exit status 2 into our one line and status 1."""
        if message.startswith(("unrecognized arguments", "the following arguments are required")):
            options = [option for action in self._actions for option in action.option_strings[-1:]]
            message = f"{message}; allowed are {', '.join(options)}"
        raise UserError(f"{self.prog}: {message}")
