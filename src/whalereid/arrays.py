"""Arrays as people give them: checked at the public doors, refused by the argument's name."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype

from whalereid.arguments import instance
from whalereid.errors import WhalereidError

__all__ = ["bools", "floats", "integers", "names_of", "path_of", "positions", "real"]


def floats(value: Any, name: str, dimensions: int = 1) -> np.ndarray:
    """Return numbers as float64; one dimension by flattening, several as they are.

    Raises
    ------
    WhalereidError
        They aren't numbers, or of another shape.
    """
    refusal = f"{name} is a {type(value).__name__} that holds no numbers; give an array of numbers."
    if value is None or isinstance(value, str | bytes | Mapping):
        raise WhalereidError(refusal)
    try:
        array = np.asarray(value)
        if array.size and array.dtype.kind not in "biufO":
            raise TypeError
        array = array.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise WhalereidError(refusal) from error
    if dimensions == 1:
        return array.reshape(-1)
    if array.ndim != dimensions:
        raise WhalereidError(f"{name} has shape {array.shape}; give {dimensions} dimensions.")
    return array


def integers(value: Any, name: str, dimensions: int = 1) -> np.ndarray:
    """Return whole numbers as int64, or refuse by name."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "iu" and value.ndim == dimensions:
        return value.astype(np.int64, copy=False)
    array = floats(value, name, dimensions)
    if not np.isfinite(array).all() or not np.array_equal(array, np.trunc(array)):
        raise WhalereidError(f"{name} holds something other than whole numbers.")
    return array.astype(np.int64)


def bools(value: Any, name: str, dimensions: int = 1) -> np.ndarray:
    """Return truth values, or the numbers 0 and 1, as bool, or refuse by name."""
    if isinstance(value, np.ndarray) and value.dtype == bool and value.ndim == dimensions:
        return value  # the usual case, at no cost
    array = floats(value, name, dimensions)
    if not ((array == 0) | (array == 1)).all():
        raise WhalereidError(f"{name} holds something other than true and false (or 1 and 0).")
    return array.astype(bool)


def real(value: Any, name: str) -> float:
    """Return a number, NaN and infinity too, as a float, or refuse by name."""
    if isinstance(value, bool) or not isinstance(value, Real):
        instance(value, name, (), "a number")
    try:
        return float(value)
    except OverflowError as error:
        raise WhalereidError(f"{name} is larger than any float; give a number.") from error


def names_of(value: Any, name: str) -> np.ndarray:
    """(n,) objects: a list of ids, identities or other names, or a refusal by name."""
    if isinstance(value, str | bytes | Mapping | pd.DataFrame) or not isinstance(value, Collection | np.ndarray):
        raise WhalereidError(f"{name} is a {type(value).__name__}; give a list of names.")
    array = (
        np.asarray(value, object)
        if isinstance(value, np.ndarray | pd.Series | pd.Index)
        else np.fromiter(iter(value), object, len(value))
    )
    if array.ndim != 1:
        raise WhalereidError(f"{name} has shape {array.shape}; give a list of names.")
    if infer_dtype(array, skipna=False) not in ("string", "integer"):
        try:
            deque(map(hash, array), maxlen=0)
        except TypeError as error:
            raise WhalereidError(f"{name} holds lists or the like; give a list of names.") from error
    return array


def path_of(value: Any, name: str = "path", wanted: str = "a path") -> str | os.PathLike[str]:
    """Return a path, or refuse by name."""
    if not isinstance(value, str | os.PathLike) or value == "":
        instance(value, name, (), wanted)
    return value


def positions(wanted: Sequence[str] | np.ndarray, among: Sequence[str] | np.ndarray | pd.Index) -> np.ndarray:
    """(n,) int64: where each id stands among unique ids; -1 where it doesn't."""
    return np.asarray(pd.Index(among, dtype=object).get_indexer(pd.Index(wanted, dtype=object)), np.int64)
