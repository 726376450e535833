"""A pandas table from a pickle, by an unpickler that admits nothing but what such a table is made of.

A pickle is a program: it names functions and calls them. Here every name that is not on the list below is refused
before it is imported, so a file can fill memory or be damaged, but not run a command or touch a file. The unpickler is
Python's own in Python, not in C, so that it can look at what an array is made of: NumPy believes whatever a pickle says
of a dtype, and an array of objects made of raw bytes would be one of pointers.
"""

import codecs
import importlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa

from prefillroute.errors import UserError
from prefillroute.outcomes.importers.records.source import Source

SUFFIXES = (".pkl", ".pickle")

_NUMPY = {
    "numpy": ("dtype", "ndarray"),
    "numpy._core.multiarray": ("_reconstruct", "scalar"),
    "numpy._core.numeric": ("_frombuffer",),
}
_PANDAS = {
    "pandas": ("DataFrame", "Index", "RangeIndex", "StringDtype", "Categorical", "CategoricalDtype"),
    "pandas.arrays": ("ArrowStringArray", "StringArray"),
    "pandas.core.frame": ("DataFrame",),
    "pandas.core.indexes.base": ("Index", "_new_Index"),
    "pandas.core.indexes.range": ("RangeIndex",),
    "pandas.core.internals.managers": ("BlockManager",),
    "pandas.core.arrays.categorical": ("Categorical",),
    "pandas.core.dtypes.dtypes": ("CategoricalDtype",),
    "pandas._libs.internals": ("_unpickle_block",),
    "pandas._libs.arrays": ("__pyx_unpickle_NDArrayBacked",),
}
_PYARROW = {"pyarrow.lib": ("py_buffer", "type_for_alias")}
_BUILTINS = {"builtins": ("bytearray", "bytes", "slice")}
ADMITTED = {
    (module, name)
    for names in (_NUMPY, _PANDAS, _PYARROW, _BUILTINS)
    for module, listed in names.items()
    for name in listed
}
"""Module and name of classes and functions that only build arrays and tables from their arguments."""

RENAMED = {
    ("pandas.core.internals.blocks", "new_block"): ("pandas._libs.internals", "_unpickle_block"),
    ("pandas.core.indexes.numeric", "Int64Index"): ("pandas", "Index"),
    ("pandas.core.indexes.numeric", "Float64Index"): ("pandas", "Index"),
}
"""Names of earlier versions of pandas."""


def read_frame(file: Path) -> pd.DataFrame:
    """The table in a pickle, which may be gzipped.

    Raises:
        UserError: the file names anything else than the parts of a table, is damaged, or holds no table.
    """
    try:
        with Source(file).bytes() as stream:
            found = _TableUnpickler(stream).load()
    except _RefusedError as error:
        raise UserError(
            f"{file}: expected a pickle of nothing but a pandas table, found one that {error}; nothing of this "
            "was run: do not trust the file, or ask its owners for Parquet"
        ) from error
    except Exception as error:  # a damaged pickle raises almost anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(
            f"{file}: expected a whole pickle of a pandas table, found a damaged one ({reason}); copy it again"
        ) from error
    if type(found) is not pd.DataFrame:
        raise UserError(f"{file}: expected a pickle of a pandas table, found {type(found).__name__}")
    return found


class _RefusedError(pickle.UnpicklingError):
    """Something that no table needs; says what the pickle does."""


_PythonUnpickler: Any = vars(pickle)["_Unpickler"]
"""Its methods, one per opcode, are not among what typeshed knows."""


class _TableUnpickler(_PythonUnpickler):
    dispatch: ClassVar = dict(_PythonUnpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        """The class or function of a name, if it is admitted."""
        if module == "__builtin__":  # protocols of Python 2
            module = "builtins"
        if module.startswith("numpy.core."):  # NumPy 1
            module = module.replace("numpy.core.", "numpy._core.", 1)
        module, name = RENAMED.get((module, name), (module, name))
        if (module, name) in CHECKED:
            return CHECKED[module, name]
        if (module, name) not in ADMITTED:
            raise _RefusedError(f"names '{module}.{name}'")
        return getattr(importlib.import_module(module), name)

    def load_reduce(self) -> None:
        """Call a function with its arguments."""
        _refuse_array(self.stack[-2])
        super().load_reduce()

    def load_newobj(self) -> None:
        """Make an object of a class."""
        _refuse_array(self.stack[-2])
        super().load_newobj()

    def load_newobj_ex(self) -> None:
        """Make an object of a class, with named arguments."""
        _refuse_array(self.stack[-3])
        super().load_newobj_ex()

    def _instantiate(self, klass: Any, args: Any) -> None:
        _refuse_array(klass)
        super()._instantiate(klass, args)

    def load_build(self) -> None:
        """Give an object its state."""
        thing, state = self.stack[-2:]
        if callable(thing):
            raise _RefusedError(f"changes {getattr(thing, '__name__', thing)}")
        if isinstance(thing, np.dtype):
            _check_dtype(thing, state)
        elif type(thing) is np.ndarray:
            _check_array(state)
        super().load_build()

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.NEWOBJ[0]] = load_newobj
    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex
    dispatch[pickle.BUILD[0]] = load_build


def _refuse_array(function: Any) -> None:
    """An array is made by `_reconstruct` and `_frombuffer` only, not of a buffer by its class."""
    if function is np.ndarray:
        raise _RefusedError("calls numpy.ndarray")


def _check_dtype(dtype: np.dtype, state: Any) -> None:
    """Refuse a state that makes another dtype of it, with fields or other flags."""
    plain = (None, None, None)
    if type(state) is not tuple or len(state) != 8 or state[2:5] != plain or state[7] != dtype.flags:
        raise _RefusedError(f"makes another dtype of {dtype}")
    if state[5] not in (-1, dtype.itemsize):
        raise _RefusedError(f"makes a dtype of {state[5]} bytes of {dtype}")


def _check_array(state: Any) -> None:
    """Refuse raw bytes where objects belong."""
    if type(state) is not tuple or len(state) != 5 or not isinstance(state[2], np.dtype):
        raise _RefusedError("makes an array without a dtype")
    if state[2].char == "O" and type(state[4]) is not list:
        raise _RefusedError("makes objects of bytes")


def _restored(data: Any) -> pa.Array:
    """An Arrow array whose offsets do not point outside of its buffers."""
    array = pa.lib._restore_array(data)
    array.validate(full=True)
    return array


def _encoded(text: str, encoding: str) -> bytes:
    """Bytes as pickles of protocol 2 write them."""
    if encoding != "latin1":
        raise _RefusedError(f"encodes to {encoding}")
    return codecs.latin_1_encode(text)[0]


CHECKED: dict[tuple[str, str], Callable] = {
    ("pyarrow.lib", "_restore_array"): _restored,
    ("_codecs", "encode"): _encoded,
}
"""What is replaced by a function that looks at its arguments."""
