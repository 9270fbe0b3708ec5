"""Backbones: timm's networks without their classifier and pooling, their weights and their feature maps."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from whalereid.errors import WhalereidError
from whalereid.models.config import nearest
from whalereid.models.hub import cached_file, no_pretrained, quiet_hub, silence_of
from whalereid.models.network import check_embeddings
from whalereid.models.trial import first_line
from whalereid.models.weights import load_tensors, read_weights

__all__ = ["TimmFeatures", "WholeNetwork", "build", "full_precision", "load_file", "load_pretrained"]


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
    noted = _noted(name)
    # Vision transformers are built for one size; other networks don't take the argument.
    fixed: Any = {"img_size": size} if noted is not None and noted.fixed_input_size else {}
    options: Any = {"num_classes": 0, **fixed} | ({} if reads == "pooled" else {"global_pool": ""})
    try:
        return timm.create_model(name, **options), options, False
    except Exception:  # some networks can't be had without a pooling of their own
        options.pop("global_pool", None)
        try:
            return timm.create_model(name, **options), options, True
        except Exception as error:
            raise WhalereidError(
                f"{name}: can't be used as a backbone at {size[0]}×{size[1]} ({first_line(error)}); choose another."
            ) from error


def load_pretrained(name: str, options: dict[str, Any]) -> Any:
    """Build it anew with timm's pretrained weights: of the hub's cache, or downloaded.

    Raises
    ------
    WhalereidError
        They can't be had.
    """
    noted = _noted(name)
    file = _pretrained(name, noted)
    # A file of the cache by its name, so that no hub is asked about it.
    overlay = None
    if file is not None:
        overlay = {"file": str(file), "source": "", "custom_load": noted.custom_load == "hf"}
    try:
        with quiet_hub():
            return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **options)
    except Exception as error:  # of the network, the hub, the disk
        raise no_pretrained(name, first_line(error)) from error


def load_file(backbone: Any, name: str, path: Path) -> None:
    """Load a state dict with timm's names, strictly but for the classifier, which is left out."""
    given = read_weights(path)
    if any(tensor.startswith("backbone.") for tensor in given):
        raise WhalereidError(
            f"{path}: holds a whole network, not the weights of a backbone with timm's names; "
            "Embedder.load reads the folder of one that was saved."
        )
    classifier = backbone.pretrained_cfg.get("classifier") or ()
    prefixes = tuple(f"{layer}." for layer in ((classifier,) if isinstance(classifier, str) else classifier))
    known = backbone.state_dict()
    kept = {tensor: value for tensor, value in given.items() if tensor in known or not tensor.startswith(prefixes)}
    load_tensors(backbone, kept, where=str(path), what=name)


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


def _noted(name: str) -> Any:
    """What timm notes of a network; None where it notes nothing.

    Only names of its registry: timm would also follow "hf-hub:..." and "local-dir:..." to wherever they lead.
    """
    if ":" in name or not timm.is_model(name):
        raise WhalereidError(f"Unknown backbone {name!r}; {_nearest(name)}")
    try:
        return timm.get_pretrained_cfg(name)  # timm types `custom_load` as bool; it may also be "hf"
    except RuntimeError as error:
        raise WhalereidError(f"Unknown backbone {name!r}: {error} {_nearest(name)}") from error


def _pretrained(name: str, noted: Any) -> Path | None:
    """The cached file of a network's pretrained weights; None if they are to be downloaded, from where answers."""
    if noted is None or not (noted.hf_hub_id or noted.url):
        raise WhalereidError(
            f"{name}: timm has no pretrained weights of it; choose another backbone, name a file with --weights (in "
            "Python weights=FILE), or start from random ones (weights='random')."
        )
    file = cached_file(noted)
    plain = None if noted.hf_hub_id else noted.url  # older weights, which torch keeps in a cache of its own
    kept = Path(torch.hub.get_dir()) / "checkpoints" / Path(plain).name if plain else None
    if file is None and not (kept and kept.exists()):
        reason = silence_of(plain)
        if reason:
            raise no_pretrained(name, reason)
    return file


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
