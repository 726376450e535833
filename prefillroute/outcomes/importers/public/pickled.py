"""A pandas table from a pickle, by an unpickler that admits nothing but what such a table is made of.

A pickle is a program: it names functions and calls them. Here every name that is not on the list below is refused
before it is imported, so a file can fill memory or be damaged, but not run a command or touch a file.
"""

import codecs
import importlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
            f"{file}: expected a pickle of nothing but a pandas table, found one that names '{error}', which was not "
            "run; do not trust the file, or ask its owners for Parquet"
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
    """A name that no table needs."""


class _TableUnpickler(pickle.Unpickler):
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
            raise _RefusedError(f"{module}.{name}")
        return getattr(importlib.import_module(module), name)


def _restored(data: Any) -> pa.Array:
    """An Arrow array whose offsets do not point outside of its buffers."""
    array = pa.lib._restore_array(data)
    array.validate(full=True)
    return array


def _encoded(text: str, encoding: str) -> bytes:
    """Bytes as pickles of protocol 2 write them."""
    if encoding != "latin1":
        raise _RefusedError(f"_codecs.encode to {encoding}")
    return codecs.latin_1_encode(text)[0]


CHECKED: dict[tuple[str, str], Callable] = {
    ("pyarrow.lib", "_restore_array"): _restored,
    ("_codecs", "encode"): _encoded,
}
"""What is replaced by a function that looks at its arguments."""
