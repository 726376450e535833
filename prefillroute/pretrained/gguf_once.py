"""Lets transformers load a GGUF file in half the time, by doing once what it does again and again.

It parses the file for the tokenizer, for the configuration and for the weights, 2 s each with a vocabulary of 50,000,
and makes the same map of tensor names anew for every module of the model. Both are functions of the file alone.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gguf

_PARSE, _NAME_MAP = gguf.GGUFReader, gguf.get_tensor_name_map
_parsed: dict[tuple[str, int, int], Any] = {}
"""At most one file, by path, size and time of its last change: from its first parse until its weights are loaded."""


@contextmanager
def gguf_once() -> Iterator[None]:
    """Inside, a GGUF file is parsed once for all calls up to the one that loads its weights.

    The parsed file takes three times the memory of its vocabulary (160 MB for SmolLM2) for so long.
    """
    library: Any = gguf  # where transformers looks the two up at each call
    library.GGUFReader, library.get_tensor_name_map = _read, _name_map
    try:
        yield
    finally:
        library.GGUFReader, library.get_tensor_name_map = _PARSE, _NAME_MAP


def _read(path: Any, mode: Any = "r") -> Any:
    found = Path(path).stat()
    key = (str(path), found.st_size, found.st_mtime_ns)
    if key not in _parsed:
        _parsed.clear()
        _parsed[key] = _PARSE(path, mode)
    return _parsed[key]


@functools.cache
def _names(architecture: Any, num_blocks: int) -> Any:
    return _NAME_MAP(architecture, num_blocks)


def _name_map(architecture: Any, num_blocks: int) -> Any:
    _parsed.clear()  # only the weights need names, and their loader holds the parsed file itself
    return _names(architecture, num_blocks)
