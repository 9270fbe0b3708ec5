"""Backbones: timm's networks without their classifier and pooling, their weights and their feature maps."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import timm
import torch
from torch import Tensor, nn

from whalereid.errors import WhalereidError
from whalereid.models.config import nearest
from whalereid.models.network import check_embeddings
from whalereid.models.plan import arguments_of
from whalereid.models.preprocessing import Preprocessing
from whalereid.models.trial import first_line
from whalereid.models.weights_card import NOT_STATED

__all__ = [
    "TimmFeatures",
    "WholeNetwork",
    "build",
    "full_precision",
    "noted_look",
    "noted_of",
]


def build(name: str, size: tuple[int, int], reads: str = "positions") -> tuple[Any, dict[str, Any], bool]:
    """Build a timm network without classifier, its weights drawn at random; `reads` is what its pooling is given.

    Returns
    -------
    tuple
        The network; the options it was built with; and whether it insists on pooling by itself.

    Raises
    ------
    WhalereidError
        timm has no such network, or not at this size.
    """
    noted = noted_of(name)
    # Vision transformers are built for one size; other networks don't take the argument.
    fixed: Any = {"img_size": size} if noted is not None and noted.fixed_input_size else {}
    pooling: Any = {} if reads == "pooled" else {"global_pool": ""}
    options: Any = arguments_of(name) | {"num_classes": 0, **fixed, **pooling}
    plain = name.partition(":")[0]
    try:
        return timm.create_model(plain, **options), options, False
    except Exception:  # some networks can't be had without a pooling of their own
        if pooling:
            del options["global_pool"]
        try:
            return timm.create_model(plain, **options), options, True
        except Exception as error:
            raise WhalereidError(
                f"{name}: can't be used as a backbone at {size[0]}×{size[1]} ({first_line(error)}); choose another."
            ) from error


def noted_look(name: str) -> tuple[Preprocessing, str]:
    """What photos look like to a network by timm's notes, and the licence of its weights."""
    noted = noted_of(name)
    if noted is None:
        return Preprocessing(), NOT_STATED
    look = Preprocessing(
        noted.input_size[1:],
        noted.mean,
        noted.std,
        interpolation=noted.interpolation,
        crop_pct=noted.crop_pct,
        crop_mode=noted.crop_mode,
    )
    return look, noted.license or NOT_STATED


def noted_of(name: str) -> Any:
    """Give what timm notes of a network; None where it notes nothing.

    Only names of its registry: timm would also follow "hf-hub:..." and "local-dir:..." to wherever they lead.

    Raises
    ------
    WhalereidError
        timm has no such network.
    """
    plain = name.partition(":")[0]
    if not plain or not timm.is_model(plain):
        raise WhalereidError(f"Unknown backbone {name!r}; {_nearest(name)}")
    try:
        return timm.get_pretrained_cfg(plain)  # timm types `custom_load` as bool; it may also be "hf"
    except RuntimeError as error:
        raise WhalereidError(f"Unknown backbone {name!r}: {error} {_nearest(name)}") from error


@dataclass(frozen=True)
class TimmFeatures:
    """How a timm network's feature maps are had.

    Attributes
    ----------
    name : str
        The network's.
    stages : int
        How many are pooled: 1, the last, or 2.
    channels : tuple of int
        Of each stage, the last stage last.
    pools : bool
        Whether the network insists on pooling by itself, so that it is left before that.
    reads : {"positions", "pooled", "class token"}
        What the pooling is given.
    """

    name: str
    stages: int
    channels: tuple[int, ...]
    pools: bool
    reads: str = "positions"

    @classmethod
    def of(cls, backbone: Any, name: str, pooling: nn.Module, *, pools: bool) -> TimmFeatures:
        """Look at what timm notes of a network, and at what a pooling wants of it.

        Raises
        ------
        WhalereidError
            It doesn't give its stages, and two are wanted; or it has no class token, and that is.
        """
        stages, reads = getattr(pooling, "stages", 1), getattr(pooling, "reads", "positions")
        if reads == "class token" and getattr(backbone, "cls_token", None) is None:
            raise WhalereidError(f"pooling='cls': {name} has no class token; use 'native' or 'avg'.")
        return cls(name, stages, tuple(_channels(backbone, stages, pools=pools and reads != "pooled")), pools, reads)

    def trial(self) -> list[Tensor]:
        """Make what a pooling is given of two photos, to try it on."""
        positions = (2, 2) if self.reads == "positions" else ()
        return [torch.ones(2, channels, *positions) for channels in self.channels]

    def __call__(self, backbone: Any, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) → what is to be pooled, each (B, C, positions...) or (B, C), the last stage last."""
        if self.reads == "pooled":
            return [check_embeddings(backbone(images), len(images), self.channels[0], self.name)]
        if self.reads == "class token":
            return [backbone.forward_features(images)[:, 0]]
        if self.stages == 1:
            features = [backbone.forward_features(images) if self.pools else backbone(images)]
        else:
            stages = len(backbone.feature_info)
            try:
                last, kept = backbone.forward_intermediates(images, [stages - 2, stages - 1], output_fmt="NCHW")
            except (AttributeError, AssertionError, NotImplementedError) as error:  # timm's own limits
                raise _no_stages(self.name) from error
            features = [kept[0], last if self.pools or isinstance(last, list) else backbone.forward_head(last)]
        features[-1] = self._channels_first(backbone, features[-1])
        channels = tuple(maps.shape[1] for maps in features)
        if channels != self.channels:
            raise WhalereidError(
                f"{self.name}: gives {list(channels)} channels where timm notes {list(self.channels)}; choose another "
                "backbone."
            )
        return features

    def _channels_first(self, backbone: Any, maps: Any) -> Tensor:
        if not isinstance(maps, Tensor) or maps.ndim not in (3, 4):
            raise WhalereidError(f"{self.name}: its features are neither maps nor tokens; choose another backbone.")
        if maps.ndim == 3:  # tokens (B, N, C), of which the first may stand for the whole photo
            return maps[:, getattr(backbone, "num_prefix_tokens", 0) :].transpose(1, 2)
        if getattr(backbone, "output_fmt", "NCHW") == "NHWC":
            return maps.permute(0, 3, 1, 2)
        return maps


@dataclass(frozen=True)
class WholeNetwork:
    """A module that gives embeddings already, instead of feature maps.

    Attributes
    ----------
    name : str
        Its class.
    dim : int
        What it must give.
    """

    name: str
    dim: int

    def __call__(self, backbone: nn.Module, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) → [(B, dim)]."""
        return [check_embeddings(backbone(images), len(images), self.dim, self.name)]


def full_precision(device: torch.device) -> AbstractContextManager[Any]:
    """A context in which nothing is computed in half precision, whatever autocast says around it."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def _nearest(name: str) -> str:
    return nearest(name, [*timm.list_models(), *timm.list_pretrained()])


def _channels(backbone: Any, stages: int, *, pools: bool) -> list[int]:
    after_head = None if pools else getattr(backbone, "head_hidden_size", None)
    last = int(after_head or backbone.num_features)
    if stages == 1:
        return [last]
    if not hasattr(backbone, "forward_intermediates") or len(getattr(backbone, "feature_info", ())) < 2:
        raise _no_stages(type(backbone).__name__)
    return [int(backbone.feature_info[-2]["num_chs"]), last]


def _no_stages(name: str) -> WhalereidError:
    return WhalereidError(f"pooling='multi-gem': {name} doesn't give its stages; use 'gem' or 'avg'.")
