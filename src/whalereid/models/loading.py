"""Weights from elsewhere into a network's parts; and the networks that `save` or `fit` wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from whalereid.errors import WhalereidError
from whalereid.models.backbone import load_file
from whalereid.models.sources import PackageFile, Source
from whalereid.models.weights import load_tensors, read_weights
from whalereid.reading import os_errors

__all__ = ["digest_of", "load_backbone"]


def load_backbone(body: Any, name: str, source: Source) -> None:
    """Load weights from elsewhere into a backbone, every tensor of the right name and shape, or refuse them.

    Raises
    ------
    WhalereidError
        The file can't be had or used, or is of another network.
    """
    path = source.file()
    if isinstance(source, PackageFile):
        load_tensors(body, _in_order(body.state_dict(), read_weights(path), path, name), where=str(path), what=name)
    else:
        load_file(body, name, path)


def digest_of(path: Path) -> str:
    """``"sha256:..."`` of a file."""
    with os_errors(path), path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _in_order(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor], path: Path, what: str) -> dict[str, Tensor]:
    """Name tensors that have other names as a network's of the same order; those of a classifier, at the end, go."""
    pairs = list(zip(wanted.items(), given.values(), strict=False))
    if len(given) - len(wanted) not in (0, 2) or any(tensor.shape != there.shape for (_, there), tensor in pairs):
        raise WhalereidError(f"{path}: its tensors are not those of {what} in order; is it the package's own file?")
    return {name: tensor for (name, _), tensor in pairs}
