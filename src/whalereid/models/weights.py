"""Weights from files: tensors alone, loaded strictly or refused."""

from __future__ import annotations

import json
import os
import pickle
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from whalereid.arguments import instance, texts
from whalereid.catalogue import TrainedOn
from whalereid.errors import WhalereidError, WhalereidWarning, listing
from whalereid.models.config import a_path, weights_file
from whalereid.models.weights_card import WeightsCard
from whalereid.reading import os_errors, parse_json

__all__ = ["load_weights", "read_weights"]

# BatchNorm's count of batches plays no part once the momentum is fixed; files of before torch 1.0 lack it.
_COUNTER = "num_batches_tracked"
_HALVES = (torch.float16, torch.bfloat16)
_FLOATS = (torch.float32, torch.float64, *_HALVES)
_INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
# In a safetensors file's own notes, so that they can't part from the weights.
_TRAINED_ON, _CARD = "whalereid-trained-on", "whalereid-card"

_Note = TypeVar("_Note")


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read a state dict: a file that holds named tensors and nothing else.

    Parameters
    ----------
    path : path
        A ``.safetensors`` file, or a ``.pth``, ``.pt`` or ``.bin`` that ``torch.save`` wrote. Pickles are read with
        ``weights_only=True``: nothing in them is run.

    Returns
    -------
    dict of str to Tensor
        On the CPU, in the file's order.

    Raises
    ------
    WhalereidError
        Nothing there, another format, damaged, or it holds more than tensors.
    """
    path = weights_file(path)
    if path.suffix == ".safetensors":
        try:
            with os_errors(path):
                return load_file(path)
        except WhalereidError:
            raise
        except Exception as error:  # of the format, or a kind of number that torch doesn't know
            raise WhalereidError(f"{path}: damaged or not a safetensors file ({error}).") from error
    try:
        with os_errors(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle protocols that the safe reader may not know
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        raise WhalereidError(
            f"{path}: refused, and nothing in it was run: it is a pickle that holds more than tensors"
            f"{f' (it asks for {asked[1]})' if asked else ''}. Ask for its state dict alone, best as .safetensors."
        ) from error
    except WhalereidError:
        raise
    except Exception as error:  # the reader fails in many ways on files of another kind
        raise WhalereidError(
            f"{path}: damaged, or not a file of weights that torch.save wrote ({type(error).__name__})."
        ) from error
    return _tensors_alone(loaded, str(path))


def load_weights(
    module: nn.Module,
    source: str | os.PathLike[str] | Mapping[str, Tensor],
    *,
    rename: Mapping[str, str] | None = None,
    ignore: Iterable[str] = (),
) -> None:
    """Load a state dict into a module, every tensor of the right name and shape, or leave the module as it is.

    Parameters
    ----------
    module : nn.Module
        What to load into.
    source : path or mapping of str to Tensor
        A file that `read_weights` reads, or a state dict.
    rename : mapping of str to str, optional
        From the beginning of a name in the file to its beginning in the module, such as ``{"bn.": "neck.bn."}``; the
        longest that fits is used.
    ignore : iterable of str
        Beginnings of names, as the file has them, that are not for this module, such as ``"final."``.

    Raises
    ------
    WhalereidError
        The file can't be used, or differs from the module; the message names the first tensor that differs, with both
        shapes.

    Examples
    --------
    >>> layer = nn.Linear(2, 1)
    >>> load_weights(layer, {"fc.weight": torch.ones(1, 2), "fc.bias": torch.zeros(1)}, rename={"fc.": ""})
    >>> load_weights(layer, {"weight": torch.ones(1, 3), "bias": torch.zeros(1)})
    Traceback (most recent call last):
    ...
    whalereid.errors.WhalereidError: the weights: 'weight' has shape (1, 3), this Linear wants (1, 2); ...
    """
    instance(module, "module", nn.Module, "the nn.Module to load into, such as an Embedder")
    ignored = texts(ignore, "ignore", "beginnings of names, such as ['final.']")
    new_names = _names(rename)
    if isinstance(source, Mapping):
        where, loaded = "the weights", _tensors_alone(source, "the weights")
    else:
        path = a_path(source, "source", "a file of weights, or a mapping of names to tensors")
        where, loaded = str(path), read_weights(path)
    given = {_renamed(name, new_names): tensor for name, tensor in loaded.items() if not name.startswith(ignored)}
    load_tensors(module, given, where=where, what=type(module).__name__)
    carrier: Any = module
    if hasattr(carrier, "trained_on"):  # an Embedder: its record goes with its weights
        carrier.trained_on = None if isinstance(source, Mapping) else read_trained_on(source)
        carrier.card = None if isinstance(source, Mapping) else read_card(source)


def notes_of(trained_on: TrainedOn | None, card: WeightsCard | None = None) -> dict[str, str]:
    """What a safetensors file notes: what its network was trained on, and where its first weights came from."""
    held = {_TRAINED_ON: trained_on, _CARD: card}
    return {name: json.dumps(noted.to_dict()) for name, noted in held.items() if noted is not None}


def read_trained_on(path: str | os.PathLike[str]) -> TrainedOn | None:
    """Read from a file of weights what its network was trained on; None where it doesn't say, as files from elsewhere.

    Raises
    ------
    WhalereidError
        It says so in a way that can't be read.
    """
    return _read_note(path, _TRAINED_ON, "what was trained on", TrainedOn.from_dict)


def read_card(path: str | os.PathLike[str]) -> WeightsCard | None:
    """Read from a file of weights where its network's first weights came from; None where it doesn't say.

    Raises
    ------
    WhalereidError
        It says so in a way that can't be read.
    """
    return _read_note(path, _CARD, "where the first weights came from", WeightsCard.from_dict)


def _read_note(path: Any, name: str, what: str, read: Callable[[dict[str, Any]], _Note]) -> _Note | None:
    path = a_path(path, "path", "a file of weights")
    if path.suffix != ".safetensors":
        return None
    try:
        with os_errors(path), safe_open(path, framework="numpy") as file:
            noted = (file.metadata() or {}).get(name)
    except SafetensorError as error:
        raise WhalereidError(f"{path}: damaged or not a safetensors file ({error}).") from error
    if noted is None:
        return None
    where = f"{path}: its note of {what}"
    try:
        return read(parse_json(noted, where, "one that whalereid wrote"))
    except WhalereidError as error:
        said = str(error)
        raise WhalereidError(said if said.startswith(where) else f"{where} can't be read ({said}).") from error


def load_tensors(module: nn.Module, given: dict[str, Tensor], *, where: str, what: str) -> None:
    """Load a state dict whose names are the module's; errors call the file `where` and the module `what`."""
    wanted = module.state_dict()
    check_tensors(module, given, where=where, what=what)
    widened = {_dtype(tensor) for name, tensor in given.items() if _is_wider(wanted[name], tensor)}
    if widened:
        warnings.warn(f"{where}: holds {listing(sorted(widened))}, now widened.", WhalereidWarning, stacklevel=3)
    for name in wanted.keys() - given.keys():
        given[name] = wanted[name]  # only counters are left by now
    module.load_state_dict(given, strict=True)


def check_tensors(module: nn.Module, given: Mapping[str, Tensor], *, where: str, what: str) -> None:
    """Refuse a state dict that differs from the module's, by its first tensor that does; loads nothing."""
    wanted = module.state_dict()
    if not given and not wanted:
        return
    another = "is it the file of another network?"
    if not given.keys() & wanted.keys():
        nested = " It looks like weights with a prefix on every name." if _suffix_of(given, wanted) else ""
        raise WhalereidError(
            f"{where}: none of its tensors ({listing(given, most=3) or 'it is empty'}) is one of this {what}'s "
            f"({listing(wanted, most=3)}); {another}{nested}"
        )
    for name, tensor in wanted.items():
        if name not in given:
            if name.endswith(_COUNTER):
                continue
            extra = [other for other in given if other not in wanted]
            raise WhalereidError(
                f"{where}: lacks {name!r} {tuple(tensor.shape)} of this {what}"
                f"{f', and has {listing(extra, most=2)} beyond it' if extra else ''}; {another}"
            )
        if given[name].shape != tensor.shape:
            raise WhalereidError(
                f"{where}: {name!r} has shape {tuple(given[name].shape)}, this {what} wants {tuple(tensor.shape)}; "
                f"{another}"
            )
        check_kind(given[name], tensor, f"{where}: {name!r}", what)
        if tensor.is_floating_point() and not given[name].to(tensor.dtype).isfinite().all():
            raise WhalereidError(
                f"{where}: {name!r} holds NaN, infinity or numbers beyond {_dtype(tensor)}; the training that wrote it "
                "diverged."
            )
    extra = [name for name in given if name not in wanted]
    if extra:
        raise WhalereidError(
            f"{where}: has {extra[0]!r} {tuple(given[extra[0]].shape)}, which this {what} has no place for "
            f"({len(extra)} such); {another}"
        )


def check_kind(given: Tensor, wanted: Tensor, which: str, what: str) -> None:
    """Refuse a tensor that another kind of number, or none, would silently become."""
    if given.device.type == "meta":
        raise WhalereidError(f"{which} has a shape but no numbers (a meta tensor); save the network's real weights.")
    if given.layout != torch.strided or given.is_nested:
        raise WhalereidError(f"{which} is sparse ({given.layout}); save it dense, with .to_dense().")
    if given.is_quantized:
        raise WhalereidError(f"{which} is quantised ({_dtype(given)}); save it as floats, with .dequantize().")
    if wanted.is_floating_point():
        fits, kinds = given.dtype in _FLOATS, ", ".join(map(_name, _FLOATS))
    elif wanted.dtype in _INTEGERS:
        fits, kinds = given.dtype in _INTEGERS, "whole numbers"
    else:
        fits, kinds = given.dtype == wanted.dtype, _dtype(wanted)
    if not fits:
        raise WhalereidError(f"{which} holds {_dtype(given)}, which this {what} doesn't take there: {kinds}.")


def _is_wider(wanted: Tensor, given: Tensor) -> bool:
    """Whether half precision becomes something more, which looks finer than it is."""
    return given.dtype in _HALVES and wanted.dtype not in _HALVES


def _dtype(tensor: Tensor) -> str:
    return _name(tensor.dtype)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _suffix_of(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> bool:
    first = next(iter(wanted), "")
    return any(name.endswith(f".{first}") for name in given) if first else False


def _names(rename: Any) -> dict[str, str]:
    if rename is None:
        return {}
    names = dict(instance(rename, "rename", Mapping, "a mapping of beginnings of names, such as {'bn.': 'neck.bn.'}"))
    if not all(isinstance(text, str) for pair in names.items() for text in pair):
        raise WhalereidError("rename: both names are text, such as {'bn.': 'neck.bn.'}.")
    return names


def _renamed(name: str, rename: Mapping[str, str]) -> str:
    fitting = [old for old in rename if name.startswith(old)]
    if not fitting:
        return name
    longest = max(fitting, key=len)
    return rename[longest] + name[len(longest) :]


def _tensors_alone(loaded: Any, where: str) -> dict[str, Tensor]:
    if not isinstance(loaded, Mapping):
        raise WhalereidError(f"{where}: holds a {type(loaded).__name__}, not a state dict (names and tensors).")
    odd = [name for name, value in loaded.items() if not isinstance(name, str) or not isinstance(value, Tensor)]
    if odd:
        inner = [name for name in odd if isinstance(loaded[name], Mapping)]
        way = f"; is the state dict its {str(inner[0])!r}? Save that alone" if inner else ""
        raise WhalereidError(f"{where}: not a state dict: {listing(odd, most=3)} are no tensors{way}.")
    return dict(loaded)
