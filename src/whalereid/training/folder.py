"""RUN, the folder of one training: what it holds, and how it survives a kill or a full disk."""

from __future__ import annotations

import io
import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whalereid.arguments import instance
from whalereid.candidates import CandidateRules
from whalereid.errors import WhalereidError, listing
from whalereid.files import check_folder, claim_folder, remove, replacing, replacing_all, sweep, unmake_folders
from whalereid.images.cropping import Crop
from whalereid.models.config import as_noted_today, read_config
from whalereid.reading import MOST_NUMBERS_GB, check_file, is_file, os_errors, read_json
from whalereid.registry import Part
from whalereid.training.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from whalereid.models import Embedder

__all__ = ["CHECKPOINT", "RunFolder", "crop_of", "epochs_kept", "read_checkpoint", "refuse_folder"]

_FORMAT = "whalereid-run/1"
_MARKER = "run.json"
CHECKPOINT = "checkpoint/last.pt"
_BEST_HEAD, _HISTORY = "head.safetensors", "history.csv"
_CONTENTS = "contents"  # of the settings: what is in the photos' files
_FILES = ("config.json", "model.safetensors", _BEST_HEAD, _HISTORY, CHECKPOINT, _MARKER)  # the marker last
_NEEDED = (CHECKPOINT, "model.safetensors", "config.json", _BEST_HEAD)  # from the end of the first epoch on


class RunFolder:
    """The folder that `fit` writes, every file of it whole or not at all.

    ``config.json`` and ``model.safetensors`` (the network of the best epoch: `Embedder.load` reads it), the head of
    that epoch (``head.safetensors``), ``history.csv`` (one row an epoch), ``run.json`` (recipe, seed, identities, what
    was trained on, how far it is) and ``checkpoint/last.pt`` (all that the next epoch needs).

    Parameters
    ----------
    path : path
        RUN; made if need be.
    settings : mapping
        All that decides the result, as JSON can hold it.
    resume : bool
        Go on with the training that the folder holds; one that never finished an epoch begins anew, with these
        settings.
    force : bool, default=False
        Remove the training that the folder holds, and begin anew.

    Attributes
    ----------
    begins_anew : bool
        Whether there was a training to go on with, but no epoch of it.

    Raises
    ------
    WhalereidError
        The folder holds something else; a training, without `resume`; or one of other settings, which are named.
    """

    def __init__(
        self, path: str | os.PathLike[str], settings: Mapping[str, Any], *, resume: bool, force: bool = False
    ) -> None:
        self.path = Path(path)
        self._settings = json.loads(json.dumps(settings))
        refuse_folder(self.path, resume=resume, force=force)
        began = (self.path / _MARKER).exists()
        self._made_folders = claim_folder(self.path, marker=_MARKER)
        self._may_go = began or bool(self._made_folders)  # not a folder that somebody made for us
        self.begins_anew = resume and not self.holds_an_epoch
        try:
            if resume:
                self._check_settings()
            if began:
                self._tidy()
            if not resume or self.begins_anew:
                self._begin()
        except BaseException:  # Ctrl-C too
            unmake_folders(self._made_folders)
            raise

    @property
    def holds_an_epoch(self) -> bool:
        """Whether there is something to resume."""
        return (self.path / CHECKPOINT).is_file()

    def _check_settings(self) -> None:
        """Refuse to go on with a training of other settings."""
        if not self.holds_an_epoch:
            return
        noted = _as_noted_today(_read(self.path))
        before = {key: noted.get(key) for key in self._settings}
        if _CONTENTS not in noted:  # earlier versions didn't look into the files
            before[_CONTENTS] = self._settings.get(_CONTENTS)
        differing = list(_differences(before, self._settings))
        if differing:
            raise WhalereidError(
                f"{self.path}: was begun otherwise: {listing(differing, most=3)}; "
                "resume with the same options, or choose another --out."
            )

    def _begin(self) -> None:
        """Write ``run.json``; an earlier training goes when it comes, and stays where it can't be written."""
        earlier = [path for name in _FILES[:-1] if os.path.lexists(path := self.path / name)]
        with replacing_all([self.path / _MARKER], removing=earlier) as (beside,):
            beside.write_text(self._in_words({"epochs": 0, "finished": False}), encoding="utf-8")

    def note(self, progress: Mapping[str, Any]) -> None:
        """Write ``run.json``: the settings, and how far the training is."""
        with replacing(self.path / _MARKER) as beside:
            beside.write_text(self._in_words(progress), encoding="utf-8")

    def _in_words(self, progress: Mapping[str, Any]) -> str:
        content = {"format": _FORMAT, "whalereid": version("whalereid"), "progress": progress, **self._settings}
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    def discard(self) -> None:
        """Remove a training that never finished an epoch, and the folder with it; one that did stays."""
        if self.holds_an_epoch:
            return
        for name in _FILES:
            remove(self.path / name)
        emptied = [self.path, (self.path / CHECKPOINT).parent] if self._may_go else [(self.path / CHECKPOINT).parent]
        unmake_folders([*self._made_folders[:-1], *emptied])

    def keep(self, net: Embedder, head: nn.Module) -> None:
        """Write this epoch's network and head as the best."""
        from safetensors.torch import save

        from whalereid.models import write_network

        write_network(net, self.path)
        # Copies, as tensors that share their memory are refused.
        tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in head.state_dict().items()}
        with replacing(self.path / _BEST_HEAD) as beside:
            beside.write_bytes(save(tensors))

    def write_history(self, history: pd.DataFrame) -> None:
        """Write ``history.csv``."""
        with replacing(self.path / _HISTORY) as beside:
            history.to_csv(beside, index=False)

    def write_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Write all that the next epoch needs; until it is whole, the checkpoint before stays."""
        import torch

        buffer = io.BytesIO()  # torch's own writer hides what the operating system said
        torch.save(dict(state), buffer)
        with replacing(self.path / CHECKPOINT) as beside:
            beside.write_bytes(buffer.getbuffer())

    def _tidy(self) -> None:
        """Remove what a killed process left half-written."""
        for folder in (self.path, (self.path / CHECKPOINT).parent):
            sweep(folder)


def refuse_folder(path: str | os.PathLike[str], *, resume: bool, force: bool = False) -> str | None:
    """Refuse RUN where a training can't begin or go on there, before anything costly; needs no torch.

    Returns
    -------
    str or None
        With `force`, the training that will be lost, in words.

    Raises
    ------
    WhalereidError
        It holds something else; a training, without `resume`; none, with it; or one that lacks its checkpoint, or what
        it keeps of its best epoch. (A history that is gone is written again, as the checkpoint has it.)
    """
    path = Path(path)
    if resume and not (path / _MARKER).exists():
        raise WhalereidError(f"{path}: no training there to resume; leave --resume out to begin one.")
    if resume and force:
        raise WhalereidError("--resume goes on with a training, --force begins it anew; give one of the two.")
    check_folder(path, marker=_MARKER)
    if not (path / _MARKER).exists():
        return None
    noted = _read(path)
    done = f"{noted['progress']['epochs']} of {noted['recipe']['epochs']} epochs"
    if force:
        return f"a training ({done})"
    if not resume:
        raise WhalereidError(
            f"{path}: already holds a training ({done}); go on with --resume, begin anew with --force, or choose "
            "another --out."
        )
    if noted["progress"]["epochs"] or (path / CHECKPOINT).is_file():
        gone = [name for name in _NEEDED if not (path / name).is_file()]
        if gone:
            raise WhalereidError(
                f"{path}: its {listing(gone, most=4)} {'is' if len(gone) == 1 else 'are'} gone, so this training "
                f"({done}) can't be resumed; put back what is gone, or begin anew in another --out."
            )
        read_config(path)
    return None


def _read(run: Path) -> dict[str, Any]:
    path = run / _MARKER
    what = "what `whalereid train` wrote"
    noted = read_json(path, what)
    if noted.get("format") != _FORMAT:
        raise WhalereidError(f"{path}: isn't {what} (its format isn't {_FORMAT}); choose another --out.")
    for part, least in (("progress", 0), ("recipe", 1)):
        inner = noted.get(part)
        epochs = inner.get("epochs") if isinstance(inner, dict) else None
        if not isinstance(epochs, int) or isinstance(epochs, bool) or epochs < least:
            raise WhalereidError(f"{path}: isn't {what} (its {part} has no number of epochs); choose another --out.")
    return noted


def crop_of(run: str | os.PathLike[str]) -> Crop:
    """How the photos of a training were cut, as its folder notes it; the usual way where it notes nothing.

    Parameters
    ----------
    run : path
        What `fit` wrote; of a network's folder without a training nothing is known.

    Raises
    ------
    WhalereidError
        ``run.json`` is something else, or its crop can't be.

    Examples
    --------
    >>> Extraction(crop=crop_of("runs/first"))  # doctest: +SKIP
    """
    instance(run, "run", (str, os.PathLike), "the folder of a training")
    place = Path(run) / _MARKER
    if not is_file(place):
        return Crop()
    train = _read(Path(run)).get("train")
    if not isinstance(train, dict):
        raise WhalereidError(f"{place}: isn't what `whalereid train` wrote (it doesn't say what was trained on).")
    try:
        return Crop.from_dict(train.get("crop"))
    except WhalereidError as error:
        raise WhalereidError(f"{place}: {error}") from error


def _as_noted_today(noted: dict[str, Any]) -> dict[str, Any]:
    """What an earlier version noted, in today's form: recipe and network without parts, rules as two lists."""
    noted = dict(noted)
    with suppress(WhalereidError):  # what can't be read differs, and is told as it is
        noted["recipe"] = Recipe.from_dict(noted["recipe"]).to_dict()
    if isinstance(noted.get("network"), dict):
        noted["network"] = as_noted_today(noted["network"])
    valid = noted.get("valid")
    if isinstance(valid, dict) and "rules" not in valid:
        columns = {name: valid.get(name, ()) for name in ("exclude", "match")}
        with suppress(WhalereidError):
            rules = CandidateRules(**columns).to_list()
            noted["valid"] = {key: valid[key] for key in valid if key not in columns} | {"rules": rules}
    return noted


def read_checkpoint(run: Path) -> Any:
    """Read the last checkpoint of RUN; None where the first epoch never ended. What it holds isn't checked yet.

    Raises
    ------
    WhalereidError
        It is damaged.
    """
    import torch

    path = run / CHECKPOINT
    if not is_file(path):
        return None
    check_file(path, MOST_NUMBERS_GB)
    try:
        with os_errors(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle protocols that the safe reader may not know
            state = torch.load(path, map_location="cpu", weights_only=True)
    except WhalereidError:
        raise
    except Exception as error:  # the reader fails in many ways on a damaged file
        raise WhalereidError(
            f"{path}: damaged ({type(error).__name__}), so this training can't be resumed; begin anew in another --out."
        ) from error
    return () if state is None else state


def epochs_kept(run: Path) -> int | None:
    """How many epochs RUN can be resumed after, by what is on disk; None where no training can be resumed."""
    import torch

    path = run / CHECKPOINT
    if not path.is_file():
        return 0 if (run / _MARKER).is_file() else None
    try:  # mapped into memory, so that the weights themselves aren't read
        return len(torch.load(path, mmap=True, map_location="cpu", weights_only=True)["records"])
    except Exception:  # damaged, which `read_checkpoint` tells
        return None


def _differences(before: Any, now: Any, name: str = "") -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*before, *(key for key in now if key not in before)]:
            yield from _differences(before.get(key), now.get(key), f"{name} {key}".strip())
    elif isinstance(before, list) and isinstance(now, list) and name in ("identities", "classes"):
        if before != now:
            yield f"other {name} ({len(before)} then, {len(now)} now)"
    elif before != now and name.startswith(f"{_CONTENTS} "):
        photo = name.removeprefix(_CONTENTS).strip().partition(" ")[2] or "without a name"
        yield f"the file or mask of photo {photo} has changed"
    elif before != now:
        yield f"{name} was {_short(before)}, is now {_short(now)}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    with suppress(WhalereidError):  # rules, as they are asked for
        text = ", ".join(str(Part.from_dict(part)) for part in value) if value and isinstance(value, list) else text
    return text if len(text) <= 40 else f"{text[:37]}..."
