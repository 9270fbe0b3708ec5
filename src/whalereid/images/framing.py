"""Framing: what is made of a photo that has another shape than a network wants; said without loading torch."""

from __future__ import annotations

from dataclasses import dataclass

from whalereid.arguments import choice, number

__all__ = ["CROP_MODES", "INTERPOLATIONS", "Framing"]

INTERPOLATIONS, CROP_MODES = ("bilinear", "bicubic"), ("squash", "center", "border")
_LEAST_CROP, _MOST_CROP = 0.1, 1.5


@dataclass(frozen=True)
class Framing:
    """How a photo is brought to a size, in timm's words.

    Attributes
    ----------
    interpolation : {"bilinear", "bicubic"}
        Between pixels; where a photo shrinks, the pixels that fall together are averaged by the same filter.
    crop_pct : float
        Which share of each side of the resized photo is kept, its middle; from 0.1 to 1.5, where a border is added.
    crop_mode : {"squash", "center", "border"}
        ``"squash"`` stretches the photo to the size's shape; ``"center"`` keeps its shape and loses its ends;
        ``"border"`` keeps its shape and all of it, and fills up with the mean colour.

    Raises
    ------
    WhalereidError
        A word or share that can't be.

    Examples
    --------
    >>> Framing() == Framing("bilinear", 1.0, "squash")
    True
    """

    interpolation: str = "bilinear"
    crop_pct: float = 1.0
    crop_mode: str = "squash"

    def __post_init__(self) -> None:
        choice(self.interpolation, "interpolation", INTERPOLATIONS)
        object.__setattr__(self, "crop_pct", number(self.crop_pct, "crop_pct", _LEAST_CROP, _MOST_CROP))
        choice(self.crop_mode, "crop_mode", CROP_MODES)
