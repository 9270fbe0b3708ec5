"""The kinds of hostile cases, by name."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from hostile import (
    api,
    files,
    inputs,
    labels,
    layouts,
    names,
    networks,
    options,
    outputs,
    packages,
    parquet,
    photos,
    tables,
    trees,
    weights,
    workbooks,
    written,
)
from hostile.case import Case

KINDS: dict[str, Callable[[random.Random], Iterator[Case]]] = {
    "options": options.cases,
    "outputs": outputs.cases,
    "tables": tables.cases,
    "labels": labels.cases,
    "json": inputs.cases,
    "weights": weights.cases,
    "parquet": parquet.cases,
    "photos": photos.cases,
    "names": names.cases,
    "disk": files.cases,
    "layouts": layouts.cases,
    "packages": packages.cases,
    "workbooks": workbooks.cases,
    "trees": trees.cases,
    "written": written.cases,
    "networks": networks.cases,
    "api": api.cases,
}
