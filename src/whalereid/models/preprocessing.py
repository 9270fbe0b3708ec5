"""Preprocessing: what the photos that a network is given must look like."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from numbers import Integral
from typing import Any

from whalereid.arguments import instance, number, whole_number
from whalereid.errors import WhalereidError
from whalereid.images.framing import Framing
from whalereid.models.config import IMAGE_SIDES

__all__ = ["FRAMING", "IMAGENET_MEAN", "IMAGENET_STD", "Preprocessing"]

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
FRAMING = tuple(field.name for field in fields(Framing))
"""The names that earlier versions didn't have; they stretched every photo."""


@dataclass(frozen=True)
class Preprocessing:
    """What a network's photos must look like; networks with equal ones can share prepared photos.

    Attributes
    ----------
    image_size : (int, int)
        Height and width, in pixels, each from 8 to 4096; one number is both.
    mean, std : (float, float, float)
        Of red, green and blue in [0, 1]; photos are normalised by them. By default ImageNet's.
    portrait : bool
        Whether landscape photos are turned 90° clockwise first.
    antialias : bool
        Whether pixels that fall together are averaged where a photo is shrunk; if not, they are sampled.
    interpolation : {"bilinear", "bicubic"}
        Between pixels.
    crop_pct : float
        Which share of each side of the resized photo is kept, its middle; from 0.1 to 1.5.
    crop_mode : {"squash", "center", "border"}
        How a photo of another shape gets the network's: it is stretched, loses its ends, or gets a border.

    Raises
    ------
    WhalereidError
        A value that can't be.

    Examples
    --------
    >>> Preprocessing(64).image_size
    (64, 64)
    """

    image_size: tuple[int, int] = (224, 224)
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    portrait: bool = False
    antialias: bool = True
    interpolation: str = "bilinear"
    crop_pct: float = 1.0
    crop_mode: str = "squash"

    def __post_init__(self) -> None:
        std = _three(self.std, "std")
        if min(std) <= 0:
            raise WhalereidError(f"std is {list(std)}; photos are divided by it, so give three numbers above 0.")
        object.__setattr__(self, "image_size", _height_and_width(self.image_size))
        object.__setattr__(self, "mean", _three(self.mean, "mean"))
        object.__setattr__(self, "std", std)
        for name in ("portrait", "antialias"):
            instance(getattr(self, name), name, bool, "True or False")
        object.__setattr__(self, "crop_pct", self.framing.crop_pct)

    @property
    def framing(self) -> Framing:
        """What is made of a photo of another shape."""
        return Framing(self.interpolation, self.crop_pct, self.crop_mode)

    def but(self, changes: Preprocessing | Mapping[str, Any] | None) -> Preprocessing:
        """Return it with some fields changed, or another in its place.

        Raises
        ------
        WhalereidError
            A field that there isn't, or a value that can't be.

        Examples
        --------
        >>> Preprocessing().but({"crop_mode": "center"}).crop_mode
        'center'
        """
        if isinstance(changes, Preprocessing):
            return changes
        known = [field.name for field in fields(self)]
        wanted = "a Preprocessing, or a mapping of what is to differ"
        given = {} if changes is None else dict(instance(changes, "preprocessing", Mapping, wanted))
        unknown = [name for name in given if name not in known]
        if unknown:
            raise WhalereidError(f"preprocessing: {unknown[0]!r:.60} is unknown; it has {', '.join(known)}.")
        return replace(self, **given)

    def transform(self) -> Any:
        """Build the transform to embed with: (H, W, 3) uint8 → {"image": (3, height, width) float32}.

        Turning to portrait is the reader's part (`PhotoDataset` and `read_photo` take ``portrait``).
        """
        from whalereid.images import evaluation_transform

        return evaluation_transform(
            self.image_size, self.mean, self.std, antialias=self.antialias, framing=self.framing
        )

    def to_dict(self) -> dict[str, Any]:
        """Its fields, as JSON holds them; the framing only where it isn't the one that earlier versions all had."""
        noted: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return {name: value for name, value in noted.items() if name not in FRAMING or self.framing != Framing()}

    @classmethod
    def from_dict(cls, noted: Mapping[str, Any]) -> Preprocessing:
        """Return what `to_dict` noted; what is noted beside it is left alone.

        Raises
        ------
        WhalereidError
            A field is missing, or can't be.
        """
        known = [field.name for field in fields(cls)]
        lacking = [name for name in known if name not in noted and name not in FRAMING]
        if lacking:
            raise WhalereidError(f"a preprocessing without {', '.join(lacking)}; give all that to_dict notes.")
        return cls(**{name: noted[name] for name in known if name in noted})


def _height_and_width(image_size: Any) -> tuple[int, int]:
    sides = (image_size, image_size) if isinstance(image_size, Integral) else image_size
    if not isinstance(sides, list | tuple) or len(sides) != 2:
        raise WhalereidError(f"image_size is {image_size!r:.60}; give a side in pixels, or (height, width).")
    height, width = (whole_number(side, "image_size", *IMAGE_SIDES) for side in sides)
    return height, width


def _three(values: Any, name: str) -> tuple[float, float, float]:
    given = list(values) if isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping) else []
    if len(given) != 3:
        raise WhalereidError(f"{name} is {values!r:.60}; give three numbers, for red, green and blue.")
    red, green, blue = (number(value, name, -math.inf) for value in given)
    return red, green, blue
