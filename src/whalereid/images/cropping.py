"""Crop: how much of a photo is shown around the animal, and what becomes of the background."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from whalereid.arguments import choice, instance, number
from whalereid.catalogue import Catalogue
from whalereid.catalogue.contents import cut_by_mask
from whalereid.errors import WhalereidError

__all__ = ["BACKGROUNDS", "MOST_PAD", "Crop", "without_background"]

BACKGROUNDS = ("keep", "blur", "grey")
MOST_PAD = 1.0
_GREY = 128
# The blurred background is made small: sampled at 128 px, averaged to 32, blurred there, and enlarged again.
_SAMPLED, _SMALL = 128, 32
_BLUR = 0.05  # of the longer side


@dataclass(frozen=True)
class Crop:
    """How a photo is cut to its animal.

    A photo with a ``bbox`` is cut to that, one with a ``mask`` alone to the mask's bounds, any other stays whole.

    Attributes
    ----------
    pad : float, default=0.0
        What is added at each of the four sides, as a share of the box's longer side, from 0 to 1: with 0.1 a box of
        200×100 px becomes 240×140. What would lie beyond the photo is left out.
    background : {"keep", "blur", "grey"}, default="keep"
        What becomes of what lies outside the mask: it stays, is blurred beyond recognition (without the animal's own
        colours), or is one grey (128). A photo without a mask keeps its own.

    Raises
    ------
    WhalereidError
        One of them can't be.

    Examples
    --------
    >>> Crop(pad=0.1, background="blur")
    Crop(pad=0.1, background='blur')
    """

    pad: float = 0.0
    background: str = "keep"

    def __post_init__(self) -> None:
        object.__setattr__(self, "pad", number(self.pad, "pad", 0, MOST_PAD))
        object.__setattr__(self, "background", str(choice(self.background, "background", BACKGROUNDS)))

    @classmethod
    def of(cls, crop: Any) -> Crop:
        """Return what was given for ``crop=``; None is the usual one.

        Raises
        ------
        WhalereidError
            It is something else.
        """
        return cls() if crop is None else instance(crop, "crop", Crop, "a Crop, such as Crop(pad=0.1)")

    @property
    def hides_background(self) -> bool:
        """Whether masks decide what is shown of every photo that has one."""
        return self.background != "keep"

    def masked(self, photos: Catalogue) -> np.ndarray:
        """(N,) bool: of which photos the mask decides pixels."""
        return photos.known("mask") if self.hides_background else cut_by_mask(photos)

    def check(self, photos: Catalogue) -> str:
        """Refuse to hide the background where no photo has a mask; returns what there is to say if some have none.

        Raises
        ------
        WhalereidError
            None has one.
        """
        if not self.hides_background:
            return ""
        without = int((~photos.known("mask")).sum())
        if without and without == len(photos):
            raise WhalereidError(
                f"{photos.source}: background={self.background} (--background) hides what is outside the masks, and "
                "no photo has one; add a column 'mask' (polygons, run lengths or pictures), or --background keep."
            )
        return f"{without} of {len(photos)} photos have no mask; they keep their background." if without else ""

    def in_words(self) -> str:
        """As the commands take it.

        Examples
        --------
        >>> Crop(pad=0.1).in_words()
        '--pad 0.1 --background keep'
        """
        return f"--pad {self.pad:g} --background {self.background}"

    def to_dict(self) -> dict[str, Any]:
        """Its fields, as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, noted: Any) -> Crop:
        """Return what `to_dict` noted; None, as what knew no crops noted, is the usual one.

        Raises
        ------
        WhalereidError
            It is something else.
        """
        if noted is None:
            return cls()
        if not isinstance(noted, Mapping) or set(noted) != {"pad", "background"}:
            raise WhalereidError("crop isn't noted as a pad and a background.")
        return cls(**noted)

    def noted(self) -> dict[str, Any]:
        """As files note it: ``{"crop": ...}``, or nothing for the usual one, so that it reads as it did before."""
        return {} if self == Crop() else {"crop": self.to_dict()}

    def padded(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """The box with what is added around it: x, y, width, height."""
        x, y, width, height = box
        more = self.pad * max(width, height)
        return x - more, y - more, width + 2 * more, height + 2 * more


def without_background(rgb: np.ndarray, mask: np.ndarray, background: str) -> np.ndarray:
    """Hide what lies outside a mask.

    Parameters
    ----------
    rgb : ndarray of shape (H, W, 3), uint8
        The photo.
    mask : ndarray of shape (H, W), uint8
        Not zero where the animal is.
    background : {"blur", "grey"}
        What to show elsewhere.

    Returns
    -------
    ndarray of shape (H, W, 3), uint8
    """
    shown = _blurred(rgb, mask) if background == "blur" else np.full_like(rgb, _GREY)
    cv2.copyTo(rgb, mask, shown)
    return shown


def _blurred(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The background alone, blurred: a mean of what is outside the mask, so that nothing of the animal shines through.

    A Gaussian of that width over a large photo would take minutes.
    """
    height, width = mask.shape
    sampled, small = (_fitted(height, width, side) for side in (_SAMPLED, _SMALL))
    if max(height, width) > _SAMPLED:
        rgb, mask = (cv2.resize(one, sampled, interpolation=cv2.INTER_NEAREST) for one in (rgb, mask))
    outside = np.where(mask == 0, np.uint8(255), np.uint8(0))
    seen = cv2.bitwise_and(rgb, rgb, mask=outside)
    parts = [cv2.resize(one, small, interpolation=cv2.INTER_AREA).astype(np.float32) for one in (seen, outside)]
    sigma = _BLUR * max(small)
    total, weight = (cv2.GaussianBlur(one, (0, 0), sigma) for one in parts)
    mean = total * (255 / np.maximum(weight, 1e-3))[..., None]
    return cv2.resize(np.clip(mean, 0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)


def _fitted(height: int, width: int, side: int) -> tuple[int, int]:
    """Width and height of a photo shrunk to a longer side, if it is longer."""
    scale = min(1.0, side / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))
