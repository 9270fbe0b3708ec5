"""Network: what can be embedded with, be it an `Embedder` or anything that has these four things."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from whalereid.arguments import whole_number
from whalereid.errors import WhalereidError
from whalereid.models.preprocessing import Preprocessing

__all__ = ["Network", "check_embeddings", "check_images", "check_network", "name_of"]

_FLOATS = (torch.float32, torch.float16, torch.bfloat16)
_WAYS = "give an Embedder (Embedder.load(RUN) reads one, Embedder.wrap(module) makes one of any nn.Module)"


@runtime_checkable
class Network(Protocol):
    """Anything that turns prepared photos into embeddings; nothing needs to be inherited.

    A network that is an ``nn.Module`` is brought to the device and into evaluation mode, and back afterwards; another
    gets its photos on that device. What an `Embedder` tells beyond this is optional: ``config`` (a mapping),
    ``weights`` (where they come from, in words), ``is_random`` and ``trained_on``.

    Examples
    --------
    >>> import torch
    >>> class MeanColour:
    ...     dim, preprocessing, fingerprint = 3, Preprocessing(32), "mean-colour-1"
    ...     def __call__(self, images):
    ...         return images.mean(dim=(2, 3))
    >>> isinstance(MeanColour(), Network)
    True
    """

    @property
    def dim(self) -> int:
        """Width of an embedding."""

    @property
    def preprocessing(self) -> Preprocessing:
        """What its photos must look like."""

    @property
    def fingerprint(self) -> str:
        """A text that is another whenever the embeddings are others: a digest of the weights, say."""

    def __call__(self, images: Tensor, /) -> Tensor:
        """(B, 3, H, W) float32, prepared → (B, dim)."""


def check_network(network: Any, name: str) -> Network:
    """Return `network` if it is one; `name` is the argument as the caller typed it.

    Raises
    ------
    WhalereidError
        It lacks something, or what it has is of another kind; the message says what.
    """
    if isinstance(network, type):
        raise WhalereidError(f"{name} is the class {network.__name__}, not a network; {_WAYS}.")
    lacking = [part for part in ("dim", "preprocessing", "fingerprint") if not _has(network, part)]
    if not callable(network):
        lacking.append("a forward pass")
    if lacking:
        shown = f"{network!r:.60}, a {type(network).__name__}" if isinstance(network, str) else _a(network)
        raise WhalereidError(f"{name} is {shown}, and has no {', '.join(lacking)}; {_WAYS}.")
    whole_number(network.dim, f"{name}.dim", 1)
    if not isinstance(network.preprocessing, Preprocessing):
        raise WhalereidError(f"{name}.preprocessing is {_a(network.preprocessing)}; give a Preprocessing.")
    if not isinstance(network.fingerprint, str) or not network.fingerprint:
        raise WhalereidError(
            f"{name}.fingerprint is {network.fingerprint!r:.60}; give a text that tells networks apart."
        )
    made: Network = network
    return made


def check_images(images: Any) -> Tensor:
    """Return `images` if they are what a network takes: (B, 3, H, W) of float32 or half precision.

    Raises
    ------
    WhalereidError
        They aren't.
    """
    if not isinstance(images, Tensor) or images.ndim != 4 or images.shape[1] != 3 or images.dtype not in _FLOATS:
        kind = type(images).__name__
        given = (
            f"a tensor of shape {tuple(images.shape)}, {images.dtype}" if isinstance(images, Tensor) else f"a {kind}"
        )
        raise WhalereidError(
            f"images is {given}; give photos as a (B, 3, H, W) tensor of float32 or half precision, as "
            "preprocessing.transform() makes them, stacked."
        )
    return images


def check_embeddings(made: Any, n_photos: int, dim: int | None, what: str) -> Tensor:
    """Return what a network gave if it is one vector a photo, ``(n_photos, dim)``, real numbers; None is any width.

    Raises
    ------
    WhalereidError
        It isn't; `what` says whose it is.
    """
    if not isinstance(made, Tensor):
        raise WhalereidError(f"{what} gives a {type(made).__name__}; it must give a tensor (photos, dim).")
    if made.ndim != 2 or made.shape[0] != n_photos or made.shape[1] < 1 or dim not in (None, made.shape[1]):
        wanted = f"({n_photos}, {'dim' if dim is None else dim})"
        raise WhalereidError(f"{what} gives a tensor of shape {tuple(made.shape)} for {n_photos} photos, not {wanted}.")
    if not made.is_floating_point():
        raise WhalereidError(f"{what} gives {str(made.dtype).removeprefix('torch.')}; embeddings are real numbers.")
    return made


def name_of(network: Any) -> str:
    """What a network is called where it is talked of: its backbone, or else its class."""
    config = getattr(network, "config", None)
    backbone = config.get("backbone") if isinstance(config, dict) else None
    return backbone if isinstance(backbone, str) else type(network).__name__


def _has(network: Any, part: str) -> bool:
    try:
        return getattr(network, part, None) is not None
    except Exception:  # a property that fails says so where it is used; here it isn't there
        return False


def _a(thing: Any) -> str:
    return repr(thing) if thing is None or isinstance(thing, bool | int | float) else f"a {type(thing).__name__}"
