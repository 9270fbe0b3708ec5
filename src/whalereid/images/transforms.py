"""From RGB pixels to a network's tensor: one transform to evaluate with, named sets to train with.

Every transform is an albumentations ``Compose`` called as ``transform(image=rgb)["image"]``: (H, W, 3) uint8 in,
(3, height, width) float32 tensor out.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, TypeAlias

import cv2
import numpy as np

from whalereid import arguments
from whalereid.errors import WhalereidError
from whalereid.images.framing import Framing

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else importing it asks the network for a newer release

import albumentations as A
from albumentations.pytorch import ToTensorV2

from whalereid.images.resizing import Frame, Shrink

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "TRAINING_TRANSFORMS",
    "TrainingTransform",
    "Transform",
    "WhiteCorner",
    "evaluation_transform",
]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

ImageSize: TypeAlias = int | tuple[int, int]
Transform: TypeAlias = A.BasicTransform | A.BaseCompose
Steps: TypeAlias = dict[str, Transform]


def evaluation_transform(
    image_size: ImageSize,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
    *,
    antialias: bool = True,
    framing: Framing | None = None,
) -> A.Compose:
    """Resize and normalise, nothing random.

    Parameters
    ----------
    image_size : int or (height, width)
        In pixels; the photo is stretched to it, unless `framing` says otherwise.
    mean, std : sequences of 3 floats
        Per channel, of pixels in [0, 1].
    antialias : bool
        Average the pixels that fall together where the photo is shrunk. False takes bilinear samples as the beluga
        competition's winner did, and is right only for networks trained so.
    framing : Framing, optional
        What is made of a photo of another shape, and how it is interpolated.

    Returns
    -------
    albumentations.Compose
        (H, W, 3) uint8 → {"image": (3, height, width) float32 tensor}.

    Raises
    ------
    WhalereidError
        A size, mean or std that can't be.
    """
    size = _checked_size(image_size)
    arguments.instance(antialias, "antialias", bool, "True or False")
    normalised = _to_tensor(mean, std)
    return A.Compose([*_resize(size, antialias, framing, mean).values(), *normalised])


@dataclass(frozen=True)
class TrainingTransform:
    """A named set of augmentations.

    Called, it builds the transform; `steps` gives its parts by name, to look at one at a time.

    Attributes
    ----------
    description : str
        What it does, in a line.
    build : callable
        The steps that resize, by name, and whether to mirror → all steps in their order, by name.
    antialias : bool
        Whether photos are averaged as they are shrunk, unless asked otherwise.
    """

    description: str
    build: Callable[[Steps, bool], Steps]
    antialias: bool = True

    def __post_init__(self) -> None:
        arguments.instance(self.description, "description", str, "a line of text")
        if not callable(self.build):
            raise WhalereidError("build can't be called; give a function of the resizing steps and flip.")
        arguments.instance(self.antialias, "antialias", bool, "True or False")

    def __call__(
        self,
        image_size: ImageSize,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        *,
        flip: bool = True,
        antialias: bool | None = None,
        framing: Framing | None = None,
    ) -> A.Compose:
        """Build the transform.

        Parameters
        ----------
        image_size : int or (height, width)
            In pixels.
        mean, std : sequences of 3 floats
            Per channel, of pixels in [0, 1].
        flip : bool
            Mirror half of the photos. A mirrored left flank looks like a right one: turn it off where flanks differ
            and both are trained together.
        antialias : bool, optional
            Average the pixels that fall together where the photo is shrunk; by default as the set was made. Training
            and embedding want it alike: a network's is ``net.preprocessing.antialias``.
        framing : Framing, optional
            What is made of a photo of another shape; a network's is ``net.preprocessing.framing``.

        Returns
        -------
        albumentations.Compose
            (H, W, 3) uint8 → {"image": (3, height, width) float32 tensor}.

        Raises
        ------
        WhalereidError
            A size, mean or std that can't be.
        """
        normalised = _to_tensor(mean, std)
        steps = self.steps(image_size, flip=flip, antialias=antialias, framing=framing, border=mean)
        return A.Compose([*steps.values(), *normalised])

    def steps(
        self,
        image_size: ImageSize,
        *,
        flip: bool = True,
        antialias: bool | None = None,
        framing: Framing | None = None,
        border: Sequence[float] = IMAGENET_MEAN,
    ) -> Steps:
        """Give the augmentations in their order, by name, before normalisation; `border` is the colour of a border."""
        size = _checked_size(image_size)
        arguments.instance(flip, "flip", bool, "True or False")
        arguments.instance(antialias, "antialias", (bool, type(None)), "True, False or None")
        return self.build(_resize(size, self.antialias if antialias is None else antialias, framing, border), flip)


class WhiteCorner(A.ImageOnlyTransform):
    """Paint a white triangle over the top-left corner.

    Parameters
    ----------
    width, height : float
        Its legs, as shares of the photo's width and height.
    p : float
        Probability.

    References
    ----------
    .. [1] https://github.com/drivendataorg/wheres-whale-do, 1st place
    """

    class InitSchema(A.BasicTransform.InitSchema):
        """Types that albumentations checks the arguments by."""

        width: float
        height: float

    def __init__(self, width: float = 0.3, height: float = 0.25, p: float = 0.5) -> None:
        super().__init__(p=p)
        self.width = width
        self.height = height

    def apply(self, img: np.ndarray, **params: Any) -> np.ndarray:
        """Paint one photo, (H, W, 3) uint8."""
        legs_x, legs_y = int(img.shape[1] * self.width), int(img.shape[0] * self.height)
        img = img.copy()
        for row in range(legs_y):
            img[row, : legs_x - int(legs_x / legs_y * row)] = 255
        return img


def _plain(resize: Steps, flip: bool) -> Steps:
    return resize | _flip(flip)


def _strong(resize: Steps, flip: bool) -> Steps:
    return (
        resize
        | _flip(flip)
        | {
            "shift, scale, rotate, shear": A.Affine(
                scale=(0.75, 1.25),
                keep_ratio=True,
                translate_percent=(-0.15, 0.15),
                rotate=(-15, 15),
                shear=(-8, 8),
                border_mode=cv2.BORDER_REFLECT_101,
                p=0.8,
            ),
            "light": A.OneOf(
                [
                    A.ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.05, p=1),
                    A.RandomGamma(gamma_limit=(60, 160), p=1),
                    A.CLAHE(p=1),
                    A.ToGray(p=1),
                ],
                p=0.8,
            ),
            "quality": A.OneOf(
                [
                    A.GaussianBlur(sigma_limit=(0.5, 2.0), p=1),
                    A.MotionBlur(blur_limit=(3, 7), p=1),
                    A.GaussNoise(std_range=(0.02, 0.08), p=1),
                    A.ImageCompression(quality_range=(30, 80), p=1),
                    A.Downscale(
                        scale_range=(0.4, 0.8),
                        interpolation_pair={"downscale": cv2.INTER_AREA, "upscale": cv2.INTER_LINEAR},
                        p=1,
                    ),
                ],
                p=0.4,
            ),
            "holes": A.CoarseDropout(
                num_holes_range=(1, 4), hole_height_range=(0.08, 0.25), hole_width_range=(0.08, 0.25), fill=114, p=0.5
            ),
        }
    )


def _whaledo(resize: Steps, flip: bool) -> Steps:
    # The winner ran albumentations 1.x. What differed there by default is spelled out here: one scale for both sides,
    # borders reflected, a hue range of 0.2; and it resized by plain bilinear samples.
    return (
        resize
        | _flip(flip)
        | {
            "sharpen, grey or CLAHE": A.OneOf(
                [A.Sharpen(alpha=(0.2, 0.5), lightness=(0.5, 1.0), p=1), A.ToGray(p=1), A.CLAHE(clip_limit=4.0, p=1)],
                p=0.5,
            ),
            "shift, scale, rotate": A.Affine(
                scale=(0.8, 1.2),
                keep_ratio=True,
                translate_percent=(-0.25, 0.25),
                rotate=(-4, 4),
                border_mode=cv2.BORDER_REFLECT_101,
                p=0.5,
            ),
            "colour": A.ColorJitter(brightness=0.1, contrast=0.1, saturation=0.1, hue=0.2, p=0.5),
        }
    )


def _whaledo_corner(resize: Steps, flip: bool) -> Steps:
    return {"white corner": WhiteCorner(width=0.3, height=0.25, p=0.5)} | _whaledo(resize, flip)


class _Named(dict[str, TrainingTransform]):
    def __getitem__(self, name: str) -> TrainingTransform:
        if isinstance(name, str) and name in self:
            return super().__getitem__(name)
        raise WhalereidError(f"unknown training transform {name!r}; choose from {', '.join(self)}.")


#: The augmentations by name; an unknown name is refused with a list of these.
TRAINING_TRANSFORMS = _Named(
    {
        "plain": TrainingTransform("resize and mirror, no more", _plain),
        "strong": TrainingTransform("geometry, light, image quality and holes: for new species", _strong),
        "whaledo": TrainingTransform("the beluga competition winner's set", _whaledo, antialias=False),
        "whaledo-corner": TrainingTransform(
            "the same after a white corner, for the winner's V2 networks", _whaledo_corner, antialias=False
        ),
    }
)


def _resize(
    size: tuple[int, int], antialias: bool, framing: Framing | None = None, mean: Sequence[float] = IMAGENET_MEAN
) -> Steps:
    if framing is not None and arguments.instance(framing, "framing", Framing, "a Framing") != Framing():
        fill = tuple(map(float, mean))
        how = (framing.interpolation, framing.crop_pct, framing.crop_mode)
        return {"resize": Frame(*size, *how, fill=fill, antialias=antialias)}  # type: ignore[arg-type]
    steps: Steps = {"shrink": Shrink(*size)} if antialias else {}
    return steps | {"resize": A.Resize(*size, interpolation=cv2.INTER_LINEAR)}


def _flip(flip: bool) -> Steps:
    return {"flip": A.HorizontalFlip(p=0.5)} if flip else {}


def _to_tensor(mean: Sequence[float], std: Sequence[float]) -> list[A.BasicTransform]:
    for name, values in (("mean", mean), ("std", std)):
        try:
            numbers = np.asarray(values)
        except (TypeError, ValueError):
            numbers = np.empty(0)
        fit = numbers.shape == (3,) and numbers.dtype.kind in "iuf" and bool(np.isfinite(numbers).all())
        fit = fit and not any(isinstance(value, bool | np.bool_) for value in values)
        if not fit or (name == "std" and min(numbers) <= 0):
            raise WhalereidError(f"{name} {values!r:.60}: three numbers are needed, one per channel of pixels in 0–1.")
    return [A.Normalize(mean=tuple(mean), std=tuple(std)), ToTensorV2()]


def _checked_size(image_size: ImageSize) -> tuple[int, int]:
    sides = (image_size,) * 2 if isinstance(image_size, Integral) else image_size
    try:
        height, width = (operator.index(side) for side in sides)  # type: ignore[union-attr]
    except (TypeError, ValueError):
        height = width = 0
    if height < 1 or width < 1:
        raise WhalereidError(f"image size {image_size!r}: give a whole number of pixels, or (height, width).")
    return height, width
