"""Embedder: backbone → pooling → neck, from photos to embeddings; a folder on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from whalereid.arguments import instance, whole_number
from whalereid.catalogue import TrainedOn
from whalereid.errors import WhalereidError
from whalereid.models.backbone import TimmFeatures, WholeNetwork, build, full_precision
from whalereid.models.cards import known_network
from whalereid.models.config import a_path, refuse_wrapped
from whalereid.models.fingerprint import fingerprint_of
from whalereid.models.loading import Parts, as_asked, load_source
from whalereid.models.network import check_images
from whalereid.models.origins import Run, Source
from whalereid.models.preprocessing import Preprocessing
from whalereid.models.saving import read_network, refuse_other_files, write_network
from whalereid.models.sources import read_source, weights_source
from whalereid.models.trial import embedding_width, output_width
from whalereid.models.weights_card import WeightsCard
from whalereid.parts import NECKS, POOLINGS
from whalereid.registry import Part

__all__ = ["Embedder"]

_TRAINED = ", then trained"  # what a config.json says after the first weights' origin
_Features = Callable[[Any, Tensor], list[Tensor]]
_GIVEN = "given"  # the origin of a wrapped module's weights


class Embedder(nn.Module):
    """A network that turns photos into embeddings: backbone → pooling → neck.

    `Embedder.wrap` makes one of any ``nn.Module`` that gives embeddings already.

    Parameters
    ----------
    backbone : str
        Any timm network by name, such as ``"tf_efficientnet_b5.ns_jft_in1k"``; or one that ``whalereid models`` lists.
    pooling : str, mapping or Part, default="gem"
        ``"gem"``, ``"avg"``, ``"multi-gem"`` (of the last two stages), ``"native"`` (the network's own), ``"cls"`` (a
        transformer's class token), or another of `whalereid.parts.POOLINGS`; options follow a colon: ``"gem:p=4"``.
        Networks whose features are negative as often as not, such as vision transformers, want another than GeM.
    neck : str, mapping, Part or None, default="bn"
        ``"none"`` (None too), ``"bn"`` (BatchNorm), ``"bn-linear"`` (BatchNorm and a linear layer), or another of
        `whalereid.parts.NECKS`; options follow a colon: ``"bn-linear:dim=512,copies=3,activation=hardtanh"``.
    image_size : int or (int, int), default=224
        Of the photos it is given, in pixels; a side, or height and width, each from 8 to 4096.
    portrait : bool, default=False
        Whether landscape photos are to be turned 90° clockwise first.
    antialias : bool, default=True
        Whether photos are averaged, not sampled, as they are shrunk; False for networks trained so.
    preprocessing : Preprocessing, optional
        All that its photos must look like, instead of the three before; they normalise by what timm notes for the
        backbone.
    weights : {"pretrained", "random"} or path, default="pretrained"
        The backbone's. ``"pretrained"`` downloads timm's, or takes them from the hub's cache. A path is a state dict
        with timm's names (``.safetensors``, ``.pth``, ``.bin``), loaded strictly but for the classifier, which is left
        out; or anything else that `load` takes, but a RUN. ``"random"`` starts from scratch: until it is trained, its
        vectors rank noise.

    Attributes
    ----------
    dim : int
        Width of an embedding.
    preprocessing : Preprocessing
        What its photos must look like.
    trained_on : TrainedOn or None
        What `fit` trained it on, nothing for a network that it never had; None where that isn't known, as of networks
        that others trained on animals.
    card : WeightsCard or None
        Where its first weights come from, what may be done with them, and how their photos looked; None where that
        isn't known.

    Raises
    ------
    WhalereidError
        An unknown backbone, pooling, neck or option of theirs, or weights that can't be had or don't fit.

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
        pooling: str | Mapping[str, Any] | Part = "gem",
        neck: str | Mapping[str, Any] | Part | None = "bn",
        *,
        image_size: int | Sequence[int] = 224,
        portrait: bool = False,
        antialias: bool = True,
        preprocessing: Preprocessing | None = None,
        weights: str | os.PathLike[str] | Source = "pretrained",
    ) -> None:
        super().__init__()
        # Every argument before the network is built, which takes seconds, and before weights are downloaded.
        instance(backbone, "backbone", str, "the name of a timm network, such as 'resnet50'; Embedder builds it")
        pooling_part, neck_part = POOLINGS.part(pooling), NECKS.part("none" if neck is None else neck)
        asked = Preprocessing(image_size, portrait=portrait, antialias=antialias)  # type: ignore[arg-type]
        if preprocessing is not None:
            instance(preprocessing, "preprocessing", Preprocessing, "a Preprocessing")
            if asked != Preprocessing():
                raise WhalereidError(
                    "preprocessing says image_size, portrait and antialias already; give it alone, or leave it out."
                )
        source = weights_source(weights, backbone)
        known = known_network(backbone)
        backbone = backbone if known is None else known.backbone
        size = (preprocessing or asked).image_size
        pool: nn.Module = POOLINGS.make(pooling_part)
        body, options, pools = build(backbone, size, getattr(pool, "reads", "positions"))
        if preprocessing is None:
            noted = {name: value for name in ("mean", "std") if (value := body.pretrained_cfg.get(name))}
            preprocessing = replace(asked, **noted)
        features = TimmFeatures.of(body, backbone, pool, pools=pools)
        width = output_width(pool, features.trial(), f"pooling {pooling_part}")
        last: nn.Module = NECKS.make(neck_part, width=width)
        dim = output_width(last, [torch.ones(2, width)], f"neck {neck_part}")
        parts = Parts(backbone, body, str(pooling_part), pool, str(neck_part), last)
        self.card: WeightsCard | None = None if source is None else load_source(source, parts, options)
        self._assemble(parts.backbone, features, pool, last)
        self.preprocessing = preprocessing
        self.trained_on: TrainedOn | None = TrainedOn() if source is None or source.general else None
        self._config: dict[str, Any] = {
            "backbone": backbone,
            "pooling": str(pooling_part),
            "neck": str(neck_part),
            "dim": dim,
            **preprocessing.to_dict(),
            "weights": "random" if source is None else source.said,
        }

    def _assemble(self, backbone: nn.Module, features: _Features, pooling: nn.Module, neck: nn.Module) -> None:
        self.backbone, self.pooling, self.neck, self._features = backbone, pooling, neck, features
        self._trained = False

    @classmethod
    def wrap(cls, module: nn.Module, dim: int | None = None, preprocessing: Preprocessing | None = None) -> Embedder:
        """Make an Embedder of any module that turns photos into vectors; it can be embedded with, and trained.

        Parameters
        ----------
        module : nn.Module
            (B, 3, H, W) float32 → (B, dim): a timm or torchvision network without its classifier, the image tower of
            a CLIP. It is used itself, not copied.
        dim : int, optional
            Width of an embedding; by default what a trial with two black photos gives.
        preprocessing : Preprocessing, optional
            What its photos must look like; by default 224×224 pixels, normalised by ImageNet's means.

        Raises
        ------
        WhalereidError
            It is no module, can't take such photos, or gives something else.

        Examples
        --------
        >>> net = Embedder.wrap(nn.Sequential(nn.Conv2d(3, 8, 16, 16), nn.AdaptiveAvgPool2d(1), nn.Flatten()))
        >>> net
        Embedder(Sequential, 8 wide, photos of 224×224, weights: given)
        """
        instance(module, "module", nn.Module, "an nn.Module, such as torchvision.models.resnet18()")
        if isinstance(module, Embedder):
            raise WhalereidError("module is an Embedder already; use it as it is.")
        preprocessing = Preprocessing() if preprocessing is None else preprocessing
        instance(preprocessing, "preprocessing", Preprocessing, "a Preprocessing")
        if not all(isinstance(tensor, Tensor) for tensor in module.state_dict().values()):
            raise WhalereidError("module: its state_dict holds more than tensors, which can't be kept; wrap another.")
        name = type(module).__name__
        dim = embedding_width(module, preprocessing.image_size) if dim is None else whole_number(dim, "dim", 1)
        net = cls.__new__(cls)
        nn.Module.__init__(net)
        net._assemble(module, WholeNetwork(name, dim), nn.Identity(), nn.Identity())
        net.preprocessing, net.trained_on, net.card = preprocessing, None, None
        net._config = {"wrapped": name, "dim": dim, **preprocessing.to_dict(), "weights": _GIVEN}
        return net

    @property
    def dim(self) -> int:
        """Width of an embedding."""
        dim: int = self._config["dim"]
        return dim

    @property
    def config(self) -> dict[str, Any]:
        """What the network was built from; ``weights`` says where the first ones came from."""
        return json.loads(json.dumps(self._config))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Embedder:
        """Build a network as another's `config` says; the weights are those that its ``weights`` says.

        Raises
        ------
        WhalereidError
            A wrapped network's, which doesn't say how to build it; or a network that can't be.

        Examples
        --------
        >>> net = Embedder("resnet10t", neck="bn-linear:dim=16", weights="random")
        >>> Embedder.from_config(net.config)
        Embedder(resnet10t → gem → bn-linear:dim=16, 16 wide, photos of 224×224, weights: random)
        """
        given = dict(instance(config, "config", Mapping, "a mapping, such as another network's config"))
        refuse_wrapped(given, "config")
        try:
            built = {name: given[name] for name in ("backbone", "pooling", "neck", "weights")}
        except KeyError as error:
            raise WhalereidError(f"config: lacks {error}; give what another network's config holds.") from error
        net = cls(**built, preprocessing=Preprocessing.from_dict(given))
        if net.dim != given.get("dim", net.dim):
            raise WhalereidError(f"dim={given['dim']}: this backbone, pooling and neck give {net.dim}.")
        return net

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

    def come_from(self, weights: str, *, trained: bool) -> None:
        """Note where its weights come from, in words, and whether it was trained since."""
        self._config["weights"], self._trained = weights, trained

    def load_state_dict(self, *args: Any, **options: Any) -> Any:
        """Load as any module does; a network given weights isn't random."""
        loaded = super().load_state_dict(*args, **options)
        self.mark_trained()
        return loaded

    def __repr__(self) -> str:
        height, width = self.preprocessing.image_size
        built = [self._config.get(part, "none") for part in ("backbone", "wrapped", "pooling", "neck")]
        parts = " → ".join(part for part in built if part != "none")
        return f"Embedder({parts}, {self.dim} wide, photos of {height}×{width}, weights: {self.weights})"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the configuration and every weight: networks that embed alike have the same.

        Of a wrapped module also of how it is built: what it says of itself (``repr``), and its plain attributes where
        it has no weights.
        """
        return fingerprint_of(self._config, self.state_dict(), self.backbone if "wrapped" in self._config else None)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) float, normalised → (B, dim) float32, raw; pooling and neck run in float32, also under autocast.

        Raises
        ------
        WhalereidError
            `images` is no such tensor.
        """
        features = self._features(self.backbone, check_images(images))
        with full_precision(images.device):
            embeddings: Tensor = self.neck(self.pooling(*(maps.float() for maps in features)))
            return embeddings

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
        refuse_other_files(folder, force=force)
        write_network(self, folder)

    @classmethod
    def load(
        cls,
        source: str | os.PathLike[str],
        *,
        module: nn.Module | None = None,
        backbone: str | None = None,
        pooling: str | None = None,
        preprocessing: Preprocessing | Mapping[str, Any] | None = None,
    ) -> Embedder:
        """Read a network with its weights, in evaluation mode, on the CPU.

        Parameters
        ----------
        source : str or path
            The folder that `save` or `fit` wrote; a name that ``whalereid models`` lists; a timm name;
            ``hf-hub:OWNER/NAME``, or a folder in that layout (``config.json`` and ``model.safetensors``); or a file of
            weights.
        module : nn.Module, optional
            For a network that was wrapped: a module built as the one was, which is given the weights.
        backbone : str, optional
            Of which timm architecture a file of weights is.
        pooling : str, optional
            Another than a network of others brings: ``"avg"`` or ``"cls"`` for a vision transformer.
        preprocessing : Preprocessing or mapping, optional
            What its photos are to look like instead of what its makers say, or in what it is to differ from that:
            ``{"image_size": 320}``. Photos of another look than a network knows degrade its matches silently.

        Raises
        ------
        WhalereidError
            A file is missing, damaged, or the weights are of another architecture; the hub can't give them; or the
            network was wrapped and there is no `module`, or the other way round.
        """
        found = read_source(source, backbone)
        found.check_changes(pooling, preprocessing)
        if isinstance(found, Run):
            net: Embedder = read_network(cls, found.path, module)
            return net
        if module is not None:
            raise WhalereidError(f"{source}: a network that Embedder builds itself; leave module out.")
        return cls(**as_asked(found, pooling, preprocessing)).eval()
