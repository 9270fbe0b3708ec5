"""Embedder: backbone → pooling → neck, from photos to embeddings; a folder on disk."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import save
from torch import Tensor, nn

from whalereid.arguments import choice, instance, number, whole_number
from whalereid.catalogue import TrainedOn
from whalereid.errors import WhalereidError
from whalereid.files import check_folder, disk_errors, replacing_all
from whalereid.models.config import CONFIG, IMAGE_SIDES, RUN, WEIGHTS, a_path, nearest, read_config, weights_file
from whalereid.models.hub import cached_file, no_pretrained, quiet_hub, silence_of
from whalereid.models.neck import ACTIVATIONS, NECKS, WIDEST, Neck
from whalereid.models.pooling import POOLINGS
from whalereid.models.weights import load_tensors, load_weights, notes_of, read_weights

__all__ = ["Embedder", "Preprocessing", "write_network"]

_FLOATS = (torch.float32, torch.float16, torch.bfloat16)
_MOST_COPIES = 64
_TRAINED = ", then trained"  # what a config.json says after the first weights' origin
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """What a network's photos must look like; networks with equal ones can share prepared photos.

    Attributes
    ----------
    image_size : (int, int)
        Height and width, in pixels.
    mean, std : (float, float, float)
        Of red, green and blue in [0, 1]; photos are normalised by them.
    portrait : bool
        Whether landscape photos are turned 90° clockwise first.
    antialias : bool
        Whether pixels that fall together are averaged where a photo is shrunk; if not, they are sampled.

    Raises
    ------
    WhalereidError
        A size, mean or std that can't be.
    """

    image_size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    portrait: bool = False
    antialias: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "image_size", _size(self.image_size))
        object.__setattr__(self, "mean", _three(self.mean, "mean"))
        object.__setattr__(self, "std", _spread(self.std))
        for name in ("portrait", "antialias"):
            instance(getattr(self, name), name, bool, "True or False")

    def transform(self) -> Any:
        """Build the transform to embed with: (H, W, 3) uint8 → {"image": (3, height, width) float32}.

        Turning to portrait is the reader's part (`PhotoDataset` and `read_photo` take ``portrait``).
        """
        from whalereid.images import evaluation_transform

        return evaluation_transform(self.image_size, self.mean, self.std, antialias=self.antialias)


class Embedder(nn.Module):
    """A network that turns photos into embeddings: backbone → pooling → neck.

    Parameters
    ----------
    backbone : str
        Any timm network by name, such as ``"tf_efficientnet_b5.ns_jft_in1k"``.
    pooling : {"gem", "avg", "multi-gem"}, default="gem"
        Generalised mean, average, or the generalised means of the last two stages. Networks whose features are
        negative as often as not, such as vision transformers, want ``"avg"``: GeM clamps them.
    neck : {"none", "bn", "bn-linear"} or None, default="bn"
        Nothing (None too), BatchNorm, or BatchNorm and a linear layer.
    dim : int, optional
        Width of the embedding with ``neck="bn-linear"``; by default the backbone's.
    copies : int, default=1
        How many times over the pooled vector enters the neck (replicated pooling), up to 64.
    activation : {"hardtanh", "relu", "tanh"}, optional
        Between BatchNorm and the linear layer.
    dropout : float, default=0.0
        In the neck, after BatchNorm.
    image_size : int or (int, int), default=224
        Of the photos it is given, in pixels; a side, or height and width, each from 8 to 4096.
    mean, std : three floats, optional
        Of red, green and blue, to normalise by; by default what timm notes for the backbone.
    portrait : bool, default=False
        Whether landscape photos are to be turned 90° clockwise first.
    antialias : bool, default=True
        Whether photos are averaged, not sampled, as they are shrunk; False for networks trained so.
    weights : {"pretrained", "random"} or path, default="pretrained"
        The backbone's. ``"pretrained"`` downloads timm's, or takes them from the hub's cache. A path is a state dict
        with timm's names (``.safetensors``, ``.pth``, ``.bin``), loaded strictly but for the classifier, which is left
        out. ``"random"`` starts from scratch: until it is trained, its vectors rank noise.

    Attributes
    ----------
    dim : int
        Width of an embedding.
    preprocessing : Preprocessing
        What its photos must look like.
    trained_on : TrainedOn or None
        What `fit` trained it on, nothing for a network that it never had; None for weights from elsewhere.

    Raises
    ------
    WhalereidError
        An unknown backbone or option, or weights that can't be had or don't fit.

    Examples
    --------
    >>> net = Embedder("resnet10t", image_size=64, weights="random").eval()
    >>> net
    Embedder(resnet10t → gem → bn, 512 wide, photos of 64×64, weights: random)
    >>> tuple(net(torch.zeros(2, 3, 64, 64)).shape)
    (2, 512)
    """

    backbone: Any  # an nn.Module, with what timm gives it beyond

    def __init__(
        self,
        backbone: str,
        pooling: str = "gem",
        neck: str | None = "bn",
        *,
        dim: int | None = None,
        copies: int = 1,
        activation: str | None = None,
        dropout: float = 0.0,
        image_size: int | Sequence[int] = 224,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        portrait: bool = False,
        antialias: bool = True,
        weights: str | os.PathLike[str] = "pretrained",
    ) -> None:
        super().__init__()
        # Every argument before the network is built, which takes seconds.
        instance(backbone, "backbone", str, "the name of a timm network, such as 'resnet50'; Embedder builds it")
        choice(pooling, "pooling", POOLINGS)
        neck = "none" if neck is None else choice(neck, "neck", NECKS)
        dim = None if dim is None else whole_number(dim, "dim", 1, WIDEST)
        copies = whole_number(copies, "copies", 1, _MOST_COPIES)
        if activation is not None:
            choice(activation, "activation", ACTIVATIONS)
        dropout = number(dropout, "dropout", 0)
        height, width = _size(image_size)
        mean = None if mean is None else _three(mean, "mean")
        std = None if std is None else _spread(std)
        for name, value in (("portrait", portrait), ("antialias", antialias)):
            instance(value, name, bool, "True or False")
        file = None
        if not isinstance(weights, str) or weights not in ("pretrained", "random"):
            file = weights_file(a_path(weights, "weights", "'pretrained', 'random' or a file of them"))
        self.backbone, self._pools = _backbone(backbone, (height, width), pretrained=weights == "pretrained")
        self.pooling = POOLINGS[pooling]()
        self._channels = _channels(self.backbone, self.pooling.stages, pools=self._pools)
        pooled = sum(self._channels)
        linear_dim = pooled if dim is None and neck == "bn-linear" else dim
        self.neck = Neck(neck, pooled * copies, dim=linear_dim, activation=activation, dropout=dropout)
        noted = self.backbone.pretrained_cfg
        self.preprocessing = Preprocessing(
            (height, width),
            _three(noted.get("mean") or _IMAGENET_MEAN, "mean") if mean is None else mean,
            _three(noted.get("std") or _IMAGENET_STD, "std") if std is None else std,
            portrait,
            antialias,
        )
        self._copies = copies
        self.trained_on: TrainedOn | None = TrainedOn()
        if file is not None:
            _load_backbone(self.backbone, backbone, file)
        self._config: dict[str, Any] = {
            "backbone": backbone,
            "pooling": pooling,
            "neck": neck,
            "dim": self.neck.dim,
            "copies": copies,
            "activation": activation,
            "dropout": dropout,
            "image_size": [height, width],
            "mean": list(self.preprocessing.mean),
            "std": list(self.preprocessing.std),
            "portrait": self.preprocessing.portrait,
            "antialias": self.preprocessing.antialias,
            "weights": str(weights) if file is None else file.name,
        }
        self._trained = False

    @property
    def dim(self) -> int:
        """Width of an embedding."""
        return self.neck.dim

    @property
    def config(self) -> dict[str, Any]:
        """What the network was built from; ``weights`` says where the backbone's first ones came from."""
        return json.loads(json.dumps(self._config))

    @property
    def weights(self) -> str:
        """Where its weights come from, in words: ``"pretrained"``, ``"random"``, a file's name; "..., then trained"."""
        origin: str = self._config["weights"]
        return origin + _TRAINED if self._trained and not origin.endswith(_TRAINED) else origin

    @property
    def is_random(self) -> bool:
        """Whether its weights are as chance drew them: such a network's vectors rank noise."""
        return self.weights == "random"

    def mark_trained(self, on: TrainedOn | None = None) -> None:
        """Note that its weights aren't the first ones any more, and what they were trained on, where that is known.

        `fit` does so, and so does loading a state dict, of which nothing is known.
        """
        self._trained, self.trained_on = True, on

    def load_state_dict(self, *args: Any, **options: Any) -> Any:
        """Load as any module does; a network given weights isn't random."""
        loaded = super().load_state_dict(*args, **options)
        self.mark_trained()
        return loaded

    def __repr__(self) -> str:
        built = self._config
        height, width = self.preprocessing.image_size
        parts = " → ".join(part for part in (built["backbone"], built["pooling"], built["neck"]) if part != "none")
        return f"Embedder({parts}, {self.dim} wide, photos of {height}×{width}, weights: {self.weights})"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the configuration and every weight: networks that embed alike have the same."""
        built_from = {name: value for name, value in self._config.items() if name != "weights"}
        digest = hashlib.sha256(json.dumps(built_from, sort_keys=True).encode())
        for name, tensor in sorted(self.state_dict().items()):
            if name.endswith("num_batches_tracked"):  # plays no part in an embedding
                continue
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
        return digest.hexdigest()

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) float, normalised → (B, dim) float32, raw.

        Pooling and neck run in float32, also under autocast.

        Raises
        ------
        WhalereidError
            `images` is no such tensor.
        """
        if not isinstance(images, Tensor) or images.ndim != 4 or images.shape[1] != 3 or images.dtype not in _FLOATS:
            raise _no_photos(images)
        features = self._features(images)
        with _full_precision(images.device):
            pooled = self.pooling(*(maps.float() for maps in features))
            return self.neck(pooled.repeat(1, self._copies))

    def _features(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) → the feature maps to pool, each (B, C, positions...), the last stage last."""
        if self.pooling.stages == 1:
            features = [self.backbone.forward_features(images) if self._pools else self.backbone(images)]
        else:
            stages = len(self.backbone.feature_info)
            try:
                last, kept = self.backbone.forward_intermediates(images, [stages - 2, stages - 1], output_fmt="NCHW")
            except (AttributeError, AssertionError, NotImplementedError) as error:  # timm's own limits
                raise _no_stages(self._config["backbone"]) from error
            features = [kept[0], last if self._pools or isinstance(last, list) else self.backbone.forward_head(last)]
        features[-1] = self._channels_first(features[-1])
        channels = [maps.shape[1] for maps in features]
        if channels != self._channels:
            raise WhalereidError(
                f"{self._config['backbone']}: gives {channels} channels where timm notes {self._channels}; choose "
                "another backbone."
            )
        return features

    def _channels_first(self, maps: Any) -> Tensor:
        if not isinstance(maps, Tensor) or maps.ndim not in (3, 4):
            raise WhalereidError(
                f"{self._config['backbone']}: its features are neither maps nor tokens; choose another backbone."
            )
        if maps.ndim == 3:  # tokens (B, N, C), of which the first may stand for the whole photo
            return maps[:, getattr(self.backbone, "num_prefix_tokens", 0) :].transpose(1, 2)
        if getattr(self.backbone, "output_fmt", "NCHW") == "NHWC":
            return maps.permute(0, 3, 1, 2)
        return maps

    def save(self, folder: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write ``config.json`` and ``model.safetensors`` into a folder: both, or neither.

        Parameters
        ----------
        folder : path
            New, empty, or one that a network was saved in before, which is replaced; files beside it stay.
        force : bool, default=False
            Write into a folder that holds anything else as well: its files of these two names are replaced, be they
            another tool's or a training's.

        Raises
        ------
        WhalereidError
            The folder holds something else, such as photos, another tool's ``config.json`` or a training; it can't be
            written; or the disk is full.
        """
        folder = a_path(folder, "folder", "the path of a folder to write")
        instance(force, "force", bool, "True or False")
        with disk_errors(folder):
            if folder.exists() and not folder.is_dir():
                raise WhalereidError(f"{folder}: is a file; a network is saved as a folder.")
            if not force:
                _refuse_others_files(folder)
        write_network(self, folder)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Embedder:
        """Read what `save` or `fit` wrote, in evaluation mode, on the CPU.

        Raises
        ------
        WhalereidError
            A file is missing, damaged, or the weights are of another architecture.
        """
        config = read_config(folder)
        folder = Path(folder)
        weights_file(folder / WEIGHTS)
        origin = config.pop("weights")
        try:
            net = cls(**config, weights="random")
        except WhalereidError as error:
            raise WhalereidError(f"{folder / CONFIG}: {error}") from error
        except (TypeError, ValueError, RuntimeError) as error:
            raise WhalereidError(f"{folder / CONFIG}: doesn't describe a network ({error}).") from error
        load_weights(net, folder / WEIGHTS)
        net._config["weights"] = origin
        net._trained = (folder / RUN).exists()  # else only what the origin says
        return net.eval()


def _backbone(name: str, size: tuple[int, int], *, pretrained: bool) -> tuple[Any, bool]:
    """Build a timm network without classifier; also says whether it insists on pooling by itself."""
    # Only names of the registry: timm would also follow "hf-hub:..." and "local-dir:..." to wherever they lead.
    if ":" in name or not timm.is_model(name):
        raise WhalereidError(f"Unknown backbone {name!r}; {_nearest(name)}")
    try:
        noted: Any = timm.get_pretrained_cfg(name)  # timm types `custom_load` as bool; it may also be "hf"
    except RuntimeError as error:
        raise WhalereidError(f"Unknown backbone {name!r}: {error} {_nearest(name)}") from error
    file = _pretrained(name, noted) if pretrained else None
    # Vision transformers are built for one size; other networks don't take the argument.
    fixed: Any = {"img_size": size} if noted is not None and noted.fixed_input_size else {}
    options: Any = {"num_classes": 0, "global_pool": "", **fixed}
    try:
        net, pools = timm.create_model(name, **options), False
    except Exception:  # some networks can't be had without a pooling of their own
        del options["global_pool"]
        try:
            net, pools = timm.create_model(name, **options), True
        except Exception as error:
            raise WhalereidError(
                f"{name}: can't be used as a backbone at {size[0]}×{size[1]} ({_first_line(error)}); choose another."
            ) from error
    if not pretrained:
        return net, pools
    # A file of the cache by its name, so that no hub is asked about it.
    overlay = None
    if file is not None:
        overlay = {"file": str(file), "source": "", "custom_load": noted.custom_load == "hf"}
    try:
        with quiet_hub():
            return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **options), pools
    except Exception as error:  # of the network, the hub, the disk
        raise no_pretrained(name, _first_line(error)) from error


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


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _channels(backbone: Any, stages: int, *, pools: bool) -> list[int]:
    after_head = None if pools else getattr(backbone, "head_hidden_size", None)
    last = int(after_head or backbone.num_features)
    if stages == 1:
        return [last]
    if not hasattr(backbone, "forward_intermediates") or len(getattr(backbone, "feature_info", ())) < 2:
        raise _no_stages(type(backbone).__name__)
    return [int(backbone.feature_info[-2]["num_chs"]), last]


def _no_photos(images: Any) -> WhalereidError:
    kind = type(images).__name__
    given = f"a tensor of shape {tuple(images.shape)}, {images.dtype}" if isinstance(images, Tensor) else f"a {kind}"
    return WhalereidError(
        f"images is {given}; give photos as a (B, 3, H, W) tensor of float32 or half precision, as "
        "preprocessing.transform() makes them, stacked."
    )


def _no_stages(name: str) -> WhalereidError:
    return WhalereidError(f"pooling='multi-gem': {name} doesn't give its stages; use 'gem' or 'avg'.")


def _load_backbone(backbone: Any, name: str, path: Path) -> None:
    held = read_weights(path)
    if any(tensor.startswith("backbone.") for tensor in held):
        raise WhalereidError(
            f"{path}: holds a whole network, not the weights of a backbone with timm's names; "
            "Embedder.load reads the folder of one that was saved."
        )
    classifier = backbone.pretrained_cfg.get("classifier") or ()
    prefixes = tuple(f"{layer}." for layer in ((classifier,) if isinstance(classifier, str) else classifier))
    known = backbone.state_dict()
    kept = {tensor: value for tensor, value in held.items() if tensor in known or not tensor.startswith(prefixes)}
    load_tensors(backbone, kept, where=str(path), what=name)


def _size(image_size: Any) -> tuple[int, int]:
    sides = (image_size, image_size) if isinstance(image_size, Integral) else image_size
    if not isinstance(sides, list | tuple) or len(sides) != 2:
        raise WhalereidError(f"image_size is {image_size!r:.60}; give a side in pixels, or (height, width).")
    height, width = (whole_number(side, "image_size", *IMAGE_SIDES) for side in sides)
    return height, width


def _three(values: Any, name: str) -> tuple[float, float, float]:
    held = list(values) if isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping) else []
    if len(held) != 3:
        raise WhalereidError(f"{name} is {values!r:.60}; give three numbers, for red, green and blue.")
    red, green, blue = (number(value, name, -math.inf) for value in held)
    return red, green, blue


def _spread(values: Any) -> tuple[float, float, float]:
    std = _three(values, "std")
    if min(std) <= 0:
        raise WhalereidError(f"std is {list(std)}; photos are divided by it, so give three numbers above 0.")
    return std


def _full_precision(device: torch.device) -> AbstractContextManager[Any]:
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def write_network(net: Embedder, folder: Path) -> None:
    """Write a network's two files into a folder that is known to be ours, whatever network lies there."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    config = json.dumps(net.config | {"weights": net.weights}, indent=2) + "\n"
    with disk_errors(folder):
        as_before = (folder / CONFIG).is_file() and (folder / CONFIG).read_bytes() == config.encode()
    # A training's next epoch: its folder can be loaded at any moment.
    paths = [folder / WEIGHTS] if as_before else [folder / WEIGHTS, folder / CONFIG]
    with replacing_all(paths) as besides:
        besides[0].write_bytes(save(tensors, metadata=notes_of(net.trained_on)))
        for beside in besides[1:]:
            beside.write_bytes(config.encode())


def _refuse_others_files(folder: Path) -> None:
    """Refuse a folder where saving a network would lose something else."""
    if (folder / RUN).exists():
        raise WhalereidError(f"{folder}: holds a training, whose network would be lost; choose another folder.")
    if (folder / CONFIG).exists():
        read_config(folder)
    elif (folder / WEIGHTS).exists():
        raise WhalereidError(f"{folder / WEIGHTS}: weights without our {CONFIG} would be lost; choose another folder.")
    check_folder(folder, marker=CONFIG, option="a network")
