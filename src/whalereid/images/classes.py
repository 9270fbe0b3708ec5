"""What training tells apart: the animals, or finer classes such as each animal's flanks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd

from whalereid import arguments
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError

__all__ = ["ClassName", "class_labels", "class_names", "label_columns"]

ClassName: TypeAlias = str | tuple[str, ...]


def class_names(catalogue: Catalogue, labels_from: str | Sequence[str] = "identity") -> tuple[ClassName, ...]:
    """List the classes that photos are labelled with in training, sorted.

    Parameters
    ----------
    catalogue : Catalogue
        The photos to train on.
    labels_from : str or sequence of str
        The columns whose values together are a photo's class: ``"identity"``, or ``["identity", "viewpoint"]`` where
        an animal's flanks differ, so that each is a class of its own.

    Returns
    -------
    tuple
        The values of one column as text, or of several as tuples of text. Photos that lack one of them have no class.

    Raises
    ------
    WhalereidError
        There is no such column.

    Examples
    --------
    >>> table = pd.DataFrame({"image_id": list("abc"), "path": list("abc"), "identity": ["nanuq"] * 3})
    >>> photos = Catalogue(table.assign(viewpoint=["right", "left", None]))
    >>> class_names(photos, ["identity", "viewpoint"])
    (('nanuq', 'left'), ('nanuq', 'right'))
    """
    arguments.instance(catalogue, "catalogue", Catalogue, "a Catalogue (Catalogue.read(path) makes one)")
    columns = label_columns(labels_from)
    if columns == ("identity",):
        return catalogue.identities
    values = _values(catalogue, columns)
    return tuple(sorted(values.dropna().unique()))


def class_labels(catalogue: Catalogue, labels_from: Sequence[str], classes: Sequence[ClassName]) -> np.ndarray:
    """(N,) int64: the index of each photo's class in `classes`; -1 where it has none of them."""
    if tuple(labels_from) == ("identity",):
        return catalogue.labels([str(name) for name in classes])
    if any(name not in catalogue.columns for name in labels_from):
        return np.full(len(catalogue), -1, np.int64)
    order = {name: label for label, name in enumerate(classes)}
    return np.array([order.get(value, -1) for value in _values(catalogue, labels_from)], np.int64)


def label_columns(labels_from: str | Sequence[str], name: str = "labels_from") -> tuple[str, ...]:
    """Return the columns of a class as a tuple, in the order given.

    Raises
    ------
    WhalereidError
        There is none, one stands twice, or it is something else than names.
    """
    columns = arguments.texts(labels_from, name, "names of columns, such as ['identity', 'viewpoint']")
    if not columns or len(set(columns)) < len(columns):
        raise WhalereidError(f"{name} is {list(columns)}; give columns, each once, such as ['identity', 'viewpoint'].")
    return columns


def _values(catalogue: Catalogue, columns: Sequence[str]) -> pd.Series:
    """(N,) each photo's class, NaN where a column lacks a value."""
    table = pd.DataFrame({name: catalogue.column(name) for name in columns})
    known = table.notna().all(axis=1)
    texts = [table.loc[known, name].astype("str") for name in columns]
    together = list(zip(*texts, strict=True)) if len(columns) > 1 else list(texts[0])
    classes = pd.Series(np.nan, index=table.index, dtype=object)
    classes[known] = pd.Series(together, index=table.index[known], dtype=object)
    return classes
