"""`from_pretrained` without its chatter and with one-line errors."""

import io
import logging
import sys
from contextlib import nullcontext, redirect_stderr
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers.utils import CONFIG_NAME
from transformers.utils.hub import cached_file, extract_commit_hash

from prefillroute.errors import UserError
from prefillroute.pretrained.gguf_once import gguf_once

LOADING_ERRORS = (
    *(OSError, ValueError, ImportError, RuntimeError, SafetensorError, StrictDataclassError),
    *(
        TypeError,
        KeyError,
        ArithmeticError,
    ),  # of a configuration with a word, a gap or a zero where a number should be
)


def pretrained(factory: Any, model: str, location: str, **kwargs: Any) -> Any:
    """Call ``factory.from_pretrained(location, ...)`` with those keyword arguments that are not None.

    Args:
        factory: an Auto class of transformers.
        model: name for messages, for instance `encoder smollm2_135m`.
        location: local folder or hub repository.
        kwargs: arguments for `from_pretrained`.

    Raises:
        UserError: the model cannot be loaded.
    """
    given = {key: value for key, value in kwargs.items() if value is not None}
    # Show loading bars on a terminal, but not in a log file. Hide the warnings about a missing LM head and about
    # sharding: if weights are missing that we need, we raise an error of our own.
    quiet = nullcontext() if sys.stderr.isatty() else redirect_stderr(io.StringIO())
    warner = logging.getLogger("transformers")
    level = warner.level
    warner.setLevel(logging.ERROR)
    try:
        with quiet, gguf_once():
            return factory.from_pretrained(location, **given)
    except LOADING_ERRORS as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(
            f"{model}: expected a model that can be loaded, found {location} ({reason})"
        ) from error
    finally:
        warner.setLevel(level)


def find_commit(location: str, revision: str | None, file: str = CONFIG_NAME) -> str | None:
    """The commit that `revision` of a hub repository stands for; `revision` itself for a local folder.

    Args:
        location: local folder or hub repository.
        revision: branch, tag or commit; None for the default branch.
        file: a file of the repository, which is downloaded unless it is on disk: its path names the commit.

    Raises:
        OSError: there is no such repository, revision or file, or no connection.
        ValueError: `location` cannot be the name of a repository.
    """
    return extract_commit_hash(cached_file(location, file, revision=revision), None) or revision
