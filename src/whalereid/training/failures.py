"""How a training fails: what is told then, and whether what it leaves on disk is worth keeping."""

from __future__ import annotations

import errno
from pathlib import Path

import cv2
import torch

from whalereid import stopping
from whalereid.errors import WhalereidError
from whalereid.models import Embedder
from whalereid.training.folder import RunFolder, epochs_kept
from whalereid.training.recipe import Recipe

__all__ = ["DivergedError", "explained", "to_go_on_with"]


class DivergedError(WhalereidError):
    """A training that would diverge again if it were resumed."""


def explained(error: Exception, net: Embedder, recipe: Recipe, out: Path, folder: RunFolder | None) -> Exception:
    """Return what to raise for this error, having removed the folder if nothing in it is worth resuming.

    Parameters
    ----------
    error : Exception
        What went wrong.
    net, recipe : Embedder, Recipe
        What was trained, and how.
    out : Path
        RUN.
    folder : RunFolder or None
        The same where this process writes it.

    Returns
    -------
    Exception
        The error itself, or one that says what is kept and how to go on.
    """
    full = _is_full_disk(error)
    if folder is not None and not (full or stopping.asked()):
        folder.discard()  # unless an epoch is kept
    if _is_lack_of_memory(error):
        return _lack_of_memory(net, recipe, _kept_in_words(out, recipe))
    if isinstance(error, WhalereidError) and not isinstance(error, DivergedError) and folder is not None:
        kept = _kept_in_words(out, recipe, also_none=full)
        if kept:
            return WhalereidError(f"{error} {kept} Once that is mended, go on with --resume.")
    return error


def to_go_on_with(out: Path, recipe: Recipe) -> str:
    """Say what a training that is stopped leaves on disk, and how to go on."""
    kept = _kept_in_words(out, recipe, also_none=True).rstrip(".")
    return f"{kept}; go on with --resume (in Python resume=True)." if kept else ""


def _kept_in_words(out: Path, recipe: Recipe, *, also_none: bool = False) -> str:
    """Say what a training that fails leaves on disk; nothing where no epoch is kept, unless none is told as well."""
    kept = epochs_kept(out)
    told = kept or (also_none and kept is not None)
    return f"{out} keeps the {kept} of {recipe.epochs} epochs that are done." if told else ""


def _is_full_disk(error: BaseException) -> bool:
    """Whether the disk had no room, which may be made: so what is there is worth resuming."""
    cause = error if isinstance(error, OSError) else error.__cause__
    return isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _is_lack_of_memory(error: BaseException) -> bool:
    """Whether the memory, an accelerator's or the machine's, was too small."""
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    # As torch, OpenCV and a DataLoader whose worker the system has killed say it.
    signs = (
        "out of memory",
        "not enough memory",
        "insufficient memory",
        "can't allocate memory",
        "defaultcpuallocator",
        "bad_alloc",
        "killed by signal: killed",
        "bus error",
    )
    return isinstance(error, RuntimeError | cv2.error) and any(sign in str(error).lower() for sign in signs)


def _lack_of_memory(net: Embedder, recipe: Recipe, kept: str) -> WhalereidError:
    height, width = net.preprocessing.image_size
    goes_on = (
        f"{kept} They can be resumed where there is more memory; other batches want another --out." if kept else ""
    )
    return WhalereidError(
        f"the memory is too small for batches of {recipe.batch_size} photos of {height}×{width} px; "
        f"lower --batch-size, --image-size or --workers.{f' {goes_on}' if kept else ''}"
    )
