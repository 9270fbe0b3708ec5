"""Which rows are meant: by position, mask or slice, or by what their columns hold."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.errors import WhalereidError, listing
from whalereid.text import normalise_viewpoint

__all__ = ["equal_rows", "positions"]

_SEVERAL = (list, tuple, np.ndarray, pd.Series, pd.Index, pd.api.extensions.ExtensionArray, set, frozenset)


def equal_rows(columns: Mapping[str, pd.Series], equal: Mapping[str, Any]) -> np.ndarray:
    """(N,) bool: the rows whose columns equal the given values; several values mean any of them.

    Raises
    ------
    WhalereidError
        A value isn't of its column's kind: text for text, a number for numbers.
    """
    keep: Any = True
    for name, value in equal.items():
        several = isinstance(value, _SEVERAL) and getattr(value, "ndim", 1) > 0
        wanted = list(value) if several else [value]
        kind, words = _kind(columns[name])
        for each in wanted:
            instance(each, name, kind, f"{words}, which the column holds (known({name!r}) tells where)")
        if name == "viewpoint":
            wanted = [normalise_viewpoint(view) for view in wanted]
        keep = keep & columns[name].isin(wanted).to_numpy(bool)
    return np.asarray(keep)


def positions(rows: Any, n: int) -> slice | np.ndarray:
    """Rows by position, mask or slice as pandas takes them; what is none of these is refused."""
    if isinstance(rows, slice):
        if all(part is None or isinstance(part, Integral) for part in (rows.start, rows.stop, rows.step)):
            if rows.step != 0:
                return rows
            raise WhalereidError("rows: a slice's step can't be 0.")
        raise WhalereidError(
            f"rows: {rows!r:.80} isn't a slice of whole numbers; catalogue[:10] is the first ten photos."
        )
    if isinstance(rows, str):
        raise WhalereidError(
            f"rows: {rows!r:.80} is text; catalogue.column({rows!r:.80}) is a column, subset takes ids."
        )
    if isinstance(rows, Integral):
        raise WhalereidError(f"rows are slices, masks or lists; catalogue[[{rows}]] is the catalogue of one photo.")
    wanted = "rows are slices, masks or lists of whole numbers"
    try:
        found = np.asarray(rows)
    except (ValueError, TypeError) as error:  # lists of lists of unequal lengths
        raise WhalereidError(f"{wanted}, not a {type(rows).__name__} of several lengths.") from error
    if found.ndim != 1:
        raise WhalereidError(f"{wanted}, not a {type(rows).__name__} of {found.ndim} dimensions.")
    if found.size == 0 and found.dtype != bool:
        return found.astype(np.int64)
    if found.dtype == object and pd.api.types.infer_dtype(found, skipna=False) in ("boolean", "integer"):
        found = np.array(found.tolist())
    if found.dtype == bool:
        if len(found) != n:
            raise WhalereidError(f"rows: the mask has {len(found)} values for {n} photos; give one a photo.")
        return found
    if found.dtype.kind not in "iu":
        raise WhalereidError(f"{wanted}, not values such as {found.tolist()[0]!r:.60}; a mask is True or False.")
    beyond = found[(found >= n) | (found < -n)]
    if len(beyond):
        raise WhalereidError(f"rows: there is no row {listing(beyond)}; the catalogue has {n} photos, counted from 0.")
    return found


def _kind(column: pd.Series) -> tuple[type | tuple[type, ...], str]:
    """What a value of a column is, and in words."""
    if isinstance(column.dtype, pd.StringDtype):
        return str, "text"
    if pd.api.types.is_numeric_dtype(column.dtype):
        return (Real, np.bool_), "a number"
    return object, "a value"
