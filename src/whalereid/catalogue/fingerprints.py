"""What a photo looks like in a few numbers: enough to find the same photo twice, in bytes or nearly."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np

from whalereid.arguments import instance, whole_number
from whalereid.catalogue.masks import OtherSizeError, draw_mask, located
from whalereid.catalogue.progress import in_order, with_bar
from whalereid.catalogue.table import Catalogue
from whalereid.decoding import MIN_SIDE, crop, decode_bytes, largest_mb, mask_bounds, read_bytes
from whalereid.errors import WhalereidError
from whalereid.files import inside

__all__ = ["NEAR_IDENTICAL", "Fingerprints", "Problem", "fingerprint", "most_similar"]

# Mean of the two cosines below. Copies resized, recompressed, blurred or made brighter score 0.97 to 1, copies
# cropped by 2% a side 0.91 to 0.98. The most alike of different photos score 0.78 (1,205 nyalas), 0.91 (2,466 faces of
# cows, but for one pair of frames of a burst at 0.945) and 0.92 (3,000 rendered belugas).
NEAR_IDENTICAL = 0.94
_SIDE, _COARSE, _FINE = 32, 6, 16  # of the thumbnail, and of the two squares of DCT coefficients
_FINE_BAND = np.ones((_FINE, _FINE), bool)
_FINE_BAND[:_COARSE, :_COARSE] = False
_WIDTH = _COARSE**2 - 1 + int(_FINE_BAND.sum())
_LEAST_CONTRAST = 1.0  # grey levels; below it, what is left is rounding
_LEVELS = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}
_BLOCK = 1024


@dataclass(frozen=True)
class Problem:
    """Why a photo can't be used, or hardly.

    Attributes
    ----------
    kind : str
        ``outside`` (its path leaves the root), ``missing``, ``unreadable``, ``bbox`` (lies outside the photo),
        ``mask`` (can't be read, or has no pixel there), ``mask-size`` (is of a photo of another size), ``tiny`` (a side
        below 8 px), ``bbox-part`` (reaches beyond the photo) or ``flat`` (no contrast: black, white or fog). Of several
        the first that was met.
    message : str
        One line, naming the file or the photo.
    """

    kind: Literal["outside", "missing", "unreadable", "bbox", "mask", "mask-size", "tiny", "bbox-part", "flat"]
    message: str


@dataclass(frozen=True)
class Fingerprints:
    """What the photos of a catalogue look like, by row.

    Attributes
    ----------
    digests : tuple of bytes, length N
        Equal where the file's bytes and the box are, or the mask of a photo without a box; empty where the photo could
        not be read.
    vectors : ndarray of shape (N, 255), float32
        Coarse looks, of unit length; all zero for a photo that could not be read, or has too little contrast.
    problems : dict from row to Problem
        What is wrong with which photo.
    """

    digests: tuple[bytes, ...]
    vectors: np.ndarray
    problems: dict[int, Problem]


def fingerprint(
    catalogue: Catalogue,
    *,
    workers: int | None = None,
    progress: bool = False,
    see: Callable[[int, np.ndarray], None] | None = None,
) -> Fingerprints:
    """Read every photo of a catalogue once.

    Of each photo (cropped to its box, or else to its mask's bounds; in grey, 32 × 32) the low frequencies of a cosine
    transform are kept, as perceptual hashes do [1]_, but as numbers instead of bits: 35 coarse ones and 220 finer ones,
    each set brought to unit length, so that brightness and contrast drop out and the dot product of two photos is the
    mean of two cosines. Animals of one kind in one pose agree in the coarse ones alone.

    Parameters
    ----------
    catalogue : Catalogue of N photos
        Whose photos to read.
    workers : int, optional
        Threads; by default one for each core.
    progress : bool
        Show a bar on stderr.
    see : callable, optional
        Called with the row and the pixels of each photo that can be read, cropped to its box: (H, W) or (H, W, 3 or 4)
        as OpenCV decodes them. So whoever wants more of a photo need not read it again. Threads call it, in any order.

    Raises
    ------
    WhalereidError
        An argument is none of these; what is wrong with a photo is in `Fingerprints.problems`.

    References
    ----------
    .. [1] C. Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010 (pHash).
    """
    check_arguments(catalogue, workers, progress)
    largest_mb()  # refused once where it's no number, not for every photo
    frame = catalogue.frame
    nothing = [None] * len(frame)
    boxes, masks = (frame[name].tolist() if name in frame else nothing for name in ("bbox", "mask"))
    jobs = list(zip(range(len(frame)), frame["image_id"], frame["path"], boxes, masks, strict=True))
    digests: list[bytes] = []
    vectors = np.zeros((len(jobs), _WIDTH), np.float32)
    problems: dict[int, Problem] = {}
    workers = workers or os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:  # OpenCV and hashing let other threads run
        done = in_order(pool, lambda job: _look(catalogue, see, *job), jobs, ahead=4 * workers)
        for row, (digest, vector, problem) in enumerate(with_bar(done, "reading photos", len(jobs), progress)):
            digests.append(digest)
            if vector is not None:
                vectors[row] = vector
            if problem is not None:
                problems[row] = problem
    return Fingerprints(tuple(digests), vectors, problems)


def check_arguments(catalogue: Any, workers: Any, progress: Any) -> None:
    """Refuse what can't be looked at, or not so."""
    instance(catalogue, "catalogue", Catalogue, "a Catalogue (Catalogue.read(path) makes one)")
    if workers is not None:
        whole_number(workers, "workers", 1)
    instance(progress, "progress", (bool, np.bool_), "True or False")


_See = Callable[[int, np.ndarray], None] | None
_Look = tuple[bytes, np.ndarray | None, Problem | None]


def _look(catalogue: Catalogue, see: _See, row: int, image_id: str, path: str, box: object, mask: object) -> _Look:
    where = f"{catalogue.source}, photo {image_id!r}"
    try:
        file = inside(catalogue.root, path, where=where)
    except WhalereidError as error:
        return b"", None, Problem("outside", str(error))
    try:
        if not file.exists():
            return b"", None, Problem("missing", f"{file}: no such file.")
    except OSError as error:  # such as a name of absurd length, or a folder that may not be entered
        return b"", None, Problem("unreadable", f"{file}: can't be read ({error.strerror}).")
    try:
        data = read_bytes(file)
        image = decode_bytes(data, where=str(file))
    except WhalereidError as error:
        return b"", None, Problem("unreadable", str(error))
    key = hashlib.blake2b(data, digest_size=16)
    odd, bounds = _mask_problem(catalogue, image, box, mask, where=str(file)) if isinstance(mask, str) else (None, None)
    if isinstance(box, tuple):
        key.update(repr(box).encode())
    elif isinstance(mask, str):
        key.update(f"\0{mask}".encode("utf-8", "surrogatepass"))
        if bounds is None:
            return key.digest(), None, odd
    part = box if isinstance(box, tuple) else bounds
    if part is not None:
        odd = odd or beyond(part, image.shape[1], image.shape[0], where=str(file))
        try:
            image = crop(image, part, where=str(file))
        except WhalereidError as error:
            return key.digest(), None, Problem("bbox", str(error))
    if see is not None:
        see(row, image)
    height, width = image.shape[:2]
    if min(height, width) < MIN_SIDE:
        return key.digest(), None, Problem("tiny", f"{file}: {width}×{height} px.")
    if image.dtype not in _LEVELS:
        return key.digest(), None, Problem("unreadable", f"{file}: has {image.dtype} pixels, not 8 or 16 bits.")
    vector = _vector(image)
    flat = None if vector is not None else Problem("flat", f"{file}: one shade all over.")
    return key.digest(), vector, odd or flat


def _mask_problem(
    catalogue: Catalogue, image: np.ndarray, box: object, mask: str, *, where: str
) -> tuple[Problem | None, tuple[float, float, float, float] | None]:
    """What is wrong with a photo's mask, or else its bounds."""
    try:
        drawn = draw_mask(located(mask, catalogue.root, where=f"{where}: its mask"), *image.shape[:2], where=where)
    except OtherSizeError as error:
        return Problem("mask-size", str(error)), None
    except WhalereidError as error:
        return Problem("mask", str(error)), None
    if isinstance(box, tuple):
        try:
            seen = bool(crop(drawn, box, where=where).any())
        except WhalereidError:  # which says more of the box than of the mask
            seen = True
        if not seen:
            return Problem("mask", f"{where}: its mask has no pixel in its bbox."), None
    return None, mask_bounds(drawn)


def beyond(box: tuple[float, ...], width: float, height: float, *, where: str) -> Problem | None:
    """Whether a box misses a photo, or reaches more than a pixel beyond it: detectors round, or err by a fraction."""
    x, y, w, h = box
    if min(x, y) >= -1 and x + w <= width + 1 and y + h <= height + 1:
        return None
    kind: Literal["bbox", "bbox-part"]
    misses = x >= width or y >= height or x + w <= 0 or y + h <= 0
    kind, how = ("bbox", "lies outside") if misses else ("bbox-part", "reaches beyond")
    words = f"bbox ({x:g}, {y:g}, {w:g}, {h:g}) {how} the photo of {width:g}×{height:g} px"
    return Problem(kind, f"{where}: {words}.")


def _vector(image: np.ndarray) -> np.ndarray | None:
    """(255,) float32 of unit length, or None for a photo of one shade."""
    small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    if small.ndim == 3:
        small = small[..., :3] @ np.array([0.114, 0.587, 0.299], np.float32)  # BGR to grey
    small *= 255 / _LEVELS[image.dtype]
    if small.std() < _LEAST_CONTRAST:
        return None
    frequencies = cv2.dct(small)[:_FINE, :_FINE]
    coarse = frequencies[:_COARSE, :_COARSE].ravel()[1:]  # without the mean brightness
    fine = frequencies[_FINE_BAND]
    return np.concatenate([part / max(float(np.linalg.norm(part)), 1e-6) for part in (coarse, fine)]) / np.float32(
        2**0.5
    )


def most_similar(
    vectors: np.ndarray, among: np.ndarray | None = None, *, progress: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """For each photo, the most similar of others.

    Parameters
    ----------
    vectors : ndarray of shape (N, 255), float32
        As `Fingerprints` has them.
    among : ndarray of shape (M, 255), float32, optional
        The others; by default each photo's forerunners in `vectors`, so that a pair is found once, at its second photo.
    progress : bool
        Show a bar on stderr.

    Returns
    -------
    rows : ndarray of shape (N,), int64
        Row of the most similar; the first of equals, -1 where there is none.
    similarity : ndarray of shape (N,), float32
        Within [-1, 1]; -1 where there is none.

    Raises
    ------
    WhalereidError
        Something else than finite numbers in two dimensions, or vectors of two lengths.
    """
    vectors = _vectors(vectors, "vectors")
    others = vectors if among is None else _vectors(among, "among")
    if len(vectors) and len(others) and vectors.shape[1] != others.shape[1]:
        raise WhalereidError(
            f"vectors have {vectors.shape[1]} numbers, among has {others.shape[1]}; give the same kind."
        )
    instance(progress, "progress", (bool, np.bool_), "True or False")
    rows = np.full(len(vectors), -1, np.int64)
    similarity = np.full(len(vectors), -1, np.float32)
    buffer = np.empty((_BLOCK, _BLOCK), np.float32)
    starts = range(0, len(vectors), _BLOCK)
    for start in with_bar(starts, "comparing photos", len(starts), progress):
        block = vectors[start : start + _BLOCK]
        for first in range(0, len(others) if among is not None else start + len(block), _BLOCK):
            earlier = others[first : first + _BLOCK]
            scores = np.matmul(block, earlier.T, out=buffer[: len(block), : len(earlier)])
            if among is None and first == start:
                scores[np.triu_indices(len(block))] = -1
            best = scores.argmax(axis=1)
            score = scores[np.arange(len(block)), best]
            better = score > similarity[start : start + len(block)]
            rows[start : start + len(block)][better] = first + best[better]
            similarity[start : start + len(block)][better] = score[better]
    return rows, similarity


def _vectors(value: Any, name: str) -> np.ndarray:
    """(N, W) float32, if that is what it is."""
    wanted = "an array of numbers of shape (photos, 255), such as Fingerprints.vectors"
    array = instance(value, name, np.ndarray, wanted)
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise WhalereidError(f"{name} has shape {array.shape} of {array.dtype}; give {wanted}.")
    if not np.isfinite(array).all():
        raise WhalereidError(f"{name} holds NaN or infinity; give {wanted}.")
    return array.astype(np.float32, copy=False)
