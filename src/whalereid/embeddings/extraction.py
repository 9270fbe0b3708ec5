"""Extraction: how photos are turned into embeddings, gathered in one object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from whalereid.arguments import choice, instance, whole_number
from whalereid.errors import WhalereidError
from whalereid.images.cropping import Crop

if TYPE_CHECKING:
    import torch

__all__ = ["Extraction"]


@dataclass(frozen=True)
class Extraction:
    """How photos are turned into embeddings.

    Attributes
    ----------
    precision : {"auto", "fp32", "bf16", "fp16"}, default="auto"
        Of the backbone; an `Embedder`'s pooling and neck are always float32. ``"auto"`` takes half precision where the
        hardware computes in it natively, as `native_precision` says.
    device : str or torch.device, optional
        Such as ``"cuda:1"``; by default the accelerator if there is one, else the CPU.
    batch_size : int, optional
        Photos at a time; by default what suits the image size and device. Results don't depend on it beyond rounding.
    workers : int, optional
        Processes that decode photos; 0 decodes in this one.
    flip : bool, default=False
        Embed each photo and its mirror image, decoded once, and keep the mean of the two raw vectors.
    on_error : {"raise", "skip"}, default="raise"
        A photo that can't be read raises, or is left out and listed at the end.
    crop : Crop
        How much of each photo is shown around its box or mask, and of the background. Best as in training:
        ``whalereid.training.crop_of(RUN)``.

    Raises
    ------
    WhalereidError
        One of them can't be. Whether the device is there shows when photos are embedded.

    Examples
    --------
    >>> Extraction(flip=True, workers=0)
    Extraction(precision='auto', device=None, batch_size=None, workers=0, flip=True, on_error='raise',
               crop=Crop(pad=0.0, background='keep'))
    """

    precision: str = "auto"
    device: str | torch.device | None = None
    batch_size: int | None = None
    workers: int | None = None
    flip: bool = False
    on_error: Literal["raise", "skip"] = "raise"
    crop: Crop = field(default_factory=Crop)

    def __post_init__(self) -> None:
        choice(self.precision, "precision", ("auto", "fp32", "bf16", "fp16"))
        if self.device is not None and not _is_torch_device(self.device):
            instance(self.device, "device", str, "its name, such as 'cpu' or 'cuda:1'")
        for name, least, most in (("batch_size", 1, 65_536), ("workers", 0, 1024)):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else whole_number(value, name, least, most))
        instance(self.flip, "flip", bool, "True or False")
        choice(self.on_error, "on_error", ("raise", "skip"))
        instance(self.crop, "crop", Crop, "a Crop, such as Crop(pad=0.1)")

    @classmethod
    def of(cls, extraction: Any) -> Extraction:
        """Return what was given for ``extraction=``; None is the usual one.

        Raises
        ------
        WhalereidError
            It is something else.
        """
        if extraction is None:
            return cls()
        if isinstance(extraction, type):
            raise WhalereidError(f"extraction is the class {extraction.__name__}; give Extraction(), made.")
        return instance(extraction, "extraction", Extraction, "an Extraction, such as Extraction(flip=True)")


def _is_torch_device(device: Any) -> bool:
    return type(device).__module__ == "torch" and type(device).__name__ == "device"  # torch itself isn't loaded here
