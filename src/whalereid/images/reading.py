"""What a transform makes of photos, read off its steps: to compare with what a network expects of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch

from whalereid.errors import WhalereidError
from whalereid.images.framing import Framing
from whalereid.images.resizing import Frame, Shrink
from whalereid.images.transforms import Transform

import albumentations as A  # isort: skip  (after transforms, which keeps it from asking the network)


__all__ = ["Reading", "read_transform"]

_MIRRORING = (A.HorizontalFlip, A.VerticalFlip, A.Transpose, A.D4, A.SquareSymmetry)
_RESIZING = (
    A.Resize,
    Frame,
    A.LongestMaxSize,
    A.SmallestMaxSize,
    A.RandomScale,
    A.RandomResizedCrop,
    A.RandomSizedCrop,
)


@dataclass(frozen=True)
class Reading:
    """What a transform's photos look like to the network; None is what its steps don't show.

    Attributes
    ----------
    image_size : (int, int) or None
        Height and width of every photo that comes out.
    mean, std : (float, float, float) or None
        What pixels in [0, 1] are normalised by.
    antialias : bool or None
        Whether pixels that fall together are averaged where a photo is shrunk.
    framing : Framing or None
        What is made of a photo of another shape, and how pixels are interpolated.
    mirrors : bool
        Whether some photos come out as their mirror images.
    """

    image_size: tuple[int, int] | None
    mean: tuple[float, float, float] | None
    std: tuple[float, float, float] | None
    antialias: bool | None
    framing: Framing | None
    mirrors: bool


def read_transform(transform: Transform) -> Reading:
    """Read off what a transform makes of a photo.

    The size is that of two trial photos; mean and std are those of its one `Normalize`; a single `Resize` or `Frame`
    says how it shrinks. What stands in a choice or comes by chance isn't read.

    Raises
    ------
    WhalereidError
        Something else comes out than float tensors of three channels.
    """
    certain = list(_certain(transform))
    mean, std = _normalisation(transform, certain)
    mirrors = any(isinstance(step, _MIRRORING) and step.p > 0 for step in _all(transform))
    resize = _resize(transform, certain)
    return Reading(_size(transform), mean, std, _antialias(resize, certain), _framing(resize), mirrors)


def _all(step: Any) -> Iterator[Any]:
    """Every step, however deep."""
    yield step
    for inner in getattr(step, "transforms", ()):
        yield from _all(inner)


def _certain(step: Any) -> Iterator[Any]:
    """The steps that every photo goes through, in their order."""
    if getattr(step, "p", 1) < 1:
        return
    if isinstance(step, A.Compose | A.Sequential):
        for inner in step.transforms:
            yield from _certain(inner)
    elif not hasattr(step, "transforms"):
        yield step


def _normalisation(transform: Any, certain: list[Any]) -> tuple[Any, Any]:
    steps = [step for step in _all(transform) if isinstance(step, A.Normalize)]
    if len(steps) != 1 or steps[0] not in certain or steps[0].normalization != "standard":
        return None, None
    scale = steps[0].max_pixel_value / 255  # it counts in shares of this, we in shares of 255
    return _three(steps[0].mean, scale), _three(steps[0].std, scale)


def _three(values: Any, scale: float) -> tuple[float, float, float] | None:
    numbers = np.broadcast_to(np.asarray(values, np.float64) * scale, (3,)) if np.size(values) in (1, 3) else None
    return None if numbers is None else (float(numbers[0]), float(numbers[1]), float(numbers[2]))


def _resize(transform: Any, certain: list[Any]) -> Any:
    """The one step that brings every photo to its size; None where there is another, or several."""
    steps = [step for step in _all(transform) if isinstance(step, _RESIZING)]
    return steps[0] if len(steps) == 1 and steps[0] in certain and isinstance(steps[0], A.Resize | Frame) else None


def _antialias(resize: Any, certain: list[Any]) -> bool | None:
    if resize is None or isinstance(resize, Frame):
        return getattr(resize, "antialias", None)
    shrunk = any(isinstance(step, Shrink) and step.height <= resize.height and step.width <= resize.width
                 for step in certain[: certain.index(resize)])  # fmt: skip
    return shrunk or resize.interpolation == cv2.INTER_AREA


def _framing(resize: Any) -> Framing | None:
    if isinstance(resize, Frame):
        return Framing(resize.interpolation, resize.crop_pct, resize.crop_mode)
    by = {cv2.INTER_LINEAR: "bilinear", cv2.INTER_AREA: "bilinear", cv2.INTER_CUBIC: "bicubic"}
    return None if resize is None or resize.interpolation not in by else Framing(by[resize.interpolation])


def _size(transform: Transform) -> tuple[int, int] | None:
    """What two photos of unlike shapes come out as."""
    made = []
    for shape in ((96, 144, 3), (160, 80, 3)):
        pixels = np.full(shape, 128, np.uint8)
        try:
            made.append(transform(image=pixels)["image"])
        except Exception:  # whatever it wants of a photo, real ones may have it
            return None
    for image in made:
        if not isinstance(image, torch.Tensor) or not image.is_floating_point() or image.shape[:-2] != (3,):
            what = f"{tuple(image.shape)} {image.dtype}" if hasattr(image, "dtype") else type(image).__name__
            raise WhalereidError(
                f"the data set's transform makes {what} of a photo, networks take (3, height, width) float tensors; "
                "end it with A.Normalize and ToTensorV2."
            )
    sizes = {tuple(image.shape[-2:]) for image in made}
    return sizes.pop() if len(sizes) == 1 else None
