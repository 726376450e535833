"""`from_pretrained` without chatter, and with one-line errors."""

import io
import logging
import sys
from contextlib import nullcontext, redirect_stderr
from typing import Any

from safetensors import SafetensorError

from prefillroute.errors import UserError


def pretrained(factory: Any, model: str, location: str, **kwargs: Any) -> Any:
    """``factory.from_pretrained(location, ...)`` with the keyword arguments that are not None.

    Args:
        factory: an Auto class of transformers.
        model: what is loaded, for messages: `encoder smollm2_135m`.
        location: local folder or hub repository.

    Raises:
        UserError: it cannot be loaded.
    """
    given = {key: value for key, value in kwargs.items() if value is not None}
    # Loading bars are for people who watch; a log file does not get them. Nobody needs the warnings that the LM head
    # was left out and what was not sharded: what is missing is an error of ours.
    quiet = nullcontext() if sys.stderr.isatty() else redirect_stderr(io.StringIO())
    warner = logging.getLogger("transformers")
    level = warner.level
    warner.setLevel(logging.ERROR)
    try:
        with quiet:
            return factory.from_pretrained(location, **given)
    except (OSError, ValueError, ImportError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{model}: {location} cannot be loaded ({reason})") from error
    finally:
        warner.setLevel(level)
