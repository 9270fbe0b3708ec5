"""embed: photos through networks, once, into embeddings."""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from whalereid import stopping
from whalereid.arguments import choice, instance, whole_number
from whalereid.catalogue import Catalogue
from whalereid.embeddings.progress import EmbeddingProgress
from whalereid.embeddings.store import PartStore, photo_keys
from whalereid.embeddings.table import Embeddings, all_alike
from whalereid.errors import WhalereidError, WhalereidWarning, listing, printable
from whalereid.images import PhotoDataset, collate
from whalereid.models import Embedder, Preprocessing

__all__ = ["PRECISIONS", "embed", "embed_as_is", "embed_many", "native_precision"]

PRECISIONS: dict[str, torch.dtype | None] = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}

# What a kill may cost: embeddings go to disk when this much was made.
_PART_SECONDS, _PART_PHOTOS = 60.0, 4096


def embed(
    embedder: Embedder,
    photos: Catalogue,
    *,
    flip: bool = False,
    batch_size: int | None = None,
    precision: str = "auto",
    workers: int | None = None,
    device: str | torch.device | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: bool = True,
) -> Embeddings:
    """Turn photos into embeddings.

    Parameters
    ----------
    embedder : Embedder
        The network. It comes back in the mode and on the device it was in.
    photos : Catalogue of N photos
        What to embed; identities don't matter.
    flip : bool, default=False
        Embed each photo and its mirror image, decoded once, and keep the mean of the two raw vectors.
    batch_size : int, optional
        Photos at a time; by default what suits the image size and device. Results don't depend on it beyond rounding.
    precision : {"auto", "fp32", "bf16", "fp16"}, default="auto"
        Of the backbone; pooling and neck are always float32. ``"auto"`` takes half precision where the hardware
        computes in it natively, as `native_precision` says.
    workers : int, optional
        Processes that decode photos; 0 decodes in this one.
    device : str or torch.device, optional
        Such as ``"cuda:1"``; by default the accelerator if there is one, else the CPU.
    on_error : {"raise", "skip"}, default="raise"
        A photo that can't be read raises, or is left out and listed at the end.
    out : path, optional
        Also write them there, as they are made: one Parquet file if the name ends in ``.parquet``, else a folder of
        part files. A run that was stopped goes on where it was; what is there from other weights, photos or settings
        is refused.
    force : bool, default=False
        Make them anew where others are there already, or replace a file of another kind.
    progress : bool, default=True
        Show photos done, rate and time left on stderr.

    Returns
    -------
    Embeddings
        In the catalogue's order, (N, dim) float32, raw, with their provenance.

    Raises
    ------
    WhalereidError
        An argument can't be, a photo can't be read, `out` holds something else, a vector isn't finite, or three and
        more photos' vectors are all alike.

    Warns
    -----
    UserWarning
        The network's weights are random (with `progress`, a line on stderr).

    Examples
    --------
    >>> vectors = embed(Embedder.load("runs/beluga"), photos, flip=True)  # doctest: +SKIP
    """
    instance(embedder, "embedder", Embedder, "an Embedder (Embedder.load(RUN) reads one)")
    if out is not None:
        instance(out, "out", (str, os.PathLike), "a path")
    return embed_many(
        {"embedding": embedder},
        photos,
        flip=flip,
        batch_size=batch_size,
        precision=precision,
        workers=workers,
        device=device,
        on_error=on_error,
        out=None if out is None else {"embedding": out},
        force=force,
        progress=progress,
    )["embedding"]


def embed_many(
    embedders: Mapping[str, Embedder],
    photos: Catalogue,
    *,
    flip: bool = False,
    batch_size: int | None = None,
    precision: str = "auto",
    workers: int | None = None,
    device: str | torch.device | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    out: Mapping[str, str | os.PathLike[str]] | None = None,
    force: bool = False,
    progress: bool = True,
) -> dict[str, Embeddings]:
    """Turn photos into the embeddings of several networks at once: `embed`, decoding each photo once for all.

    Networks whose preprocessing is equal share each prepared photo and its mirror image; for each further
    preprocessing the photos are gone through once more. All networks are on the device together: where memory is too
    small for that, call `embed` for one after the other.

    Parameters
    ----------
    embedders : mapping of str to Embedder
        The networks by name.
    out : mapping of str to path, optional
        Where to write each network's, by the same names.
    photos, flip, batch_size, precision, workers, device, on_error, force, progress
        As for `embed`.

    Returns
    -------
    dict of str to Embeddings
        By the same names, in the same order.

    Raises
    ------
    WhalereidError
        As for `embed`.
    """
    instance(embedders, "embedders", Mapping, "a mapping of names to Embedders, such as {'b5': net}")
    for name, embedder in embedders.items():
        instance(name, "a name in embedders", str, "text")
        instance(embedder, f"embedders[{name!r}]", Embedder, "an Embedder (Embedder.load(RUN) reads one)")
    _check(photos, flip, batch_size, precision, workers, on_error, progress)
    if out is not None:
        instance(out, "out", Mapping, "a mapping of the networks' names to paths")
        if set(out) != set(embedders):
            given = [str(name) for name in out]
            raise WhalereidError(f"out names {listing(sorted(given))}, the networks are {listing(sorted(embedders))}.")
        for name, path in out.items():
            instance(path, f"out[{name!r}]", (str, os.PathLike), "a path")
    instance(force, "force", bool, "True or False")
    how = _How(_device(device), precision, flip, batch_size, workers, on_error)
    _say_random(embedders, progress=progress)
    return _embed(embedders, photos, how, out=out, force=force, progress=progress, judged=True)


def embed_as_is(
    embedder: Embedder,
    photos: Catalogue,
    *,
    precision: str = "auto",
    workers: int | None = None,
    device: str | torch.device | None = None,
    on_error: Literal["raise", "skip"] = "raise",
) -> Embeddings:
    """Embed as training measures: without a word about random weights, and vectors that are all alike as they are.

    A network that hasn't learnt yet may well give such vectors. Arguments as for `embed`.
    """
    how = _How(_device(device), precision, False, None, workers, on_error)
    return _embed({"embedding": embedder}, photos, how, out=None, force=False, progress=False, judged=False)[
        "embedding"
    ]


def _embed(
    embedders: Mapping[str, Embedder],
    photos: Catalogue,
    how: _How,
    *,
    out: Mapping[str, str | os.PathLike[str]] | None,
    force: bool,
    progress: bool,
    judged: bool,
) -> dict[str, Embeddings]:
    if how.precision == "auto":
        how = replace(how, precision=native_precision(how.device))
    keys = photo_keys(photos) if out is not None else {}
    runs: list[_Run] = []
    with stopping.later(lambda: _to_go_on_with(runs)):
        try:
            for name, embedder in embedders.items():
                provenance = _provenance(embedder, flip=how.flip, precision=how.precision)
                runs.append(_Run(name, embedder, photos, provenance))
                if out is not None:
                    runs[-1].keep_in(PartStore(out[name], provenance, keys, force=force))
            skipped = _make(runs, photos, how, progress=progress)
            made = {run.name: run.finish(judged=judged) for run in runs}
        except BaseException as error:  # also Ctrl-C: what was made is kept
            for run in runs:
                run.stop()
            words = _to_go_on_with(runs)
            if words and progress and isinstance(error, Exception) and not stopping.asked():
                print(printable(words), file=sys.stderr, flush=True)
            raise
    if skipped and progress:
        lines = map(printable, skipped.values())
        print(f"{len(skipped)} photos were left out:", *lines, sep="\n  ", file=sys.stderr, flush=True)
    elif skipped:
        words = f"{len(skipped)} photos were left out: {listing(skipped.values())}"
        warnings.warn(printable(words), WhalereidWarning, stacklevel=3)
    return made


def _to_go_on_with(runs: Sequence[_Run]) -> str:
    """Say what is on disk of unfinished embeddings; nothing where nothing is."""
    kept = [words for run in runs if (words := run.kept_in_words())]
    return f"{'; '.join(kept)}; run it again to go on." if kept else ""


def _check(photos: Any, flip: Any, batch_size: Any, precision: Any, workers: Any, on_error: Any, progress: Any) -> None:
    """Refuse what `embed` and `embed_many` can't take, before anything is read."""
    instance(photos, "photos", Catalogue, "a Catalogue (Catalogue.read(path) makes one)")
    for name, value in (("flip", flip), ("progress", progress)):
        instance(value, name, bool, "True or False")
    if batch_size is not None:
        whole_number(batch_size, "batch_size", 1, 65_536)
    choice(precision, "precision", ("auto", *PRECISIONS))
    if workers is not None:
        whole_number(workers, "workers", 0, 1024)
    choice(on_error, "on_error", ("raise", "skip"))


def _say_random(embedders: Mapping[str, Embedder], *, progress: bool) -> None:
    drawn = [embedder.config["backbone"] for embedder in embedders.values() if embedder.is_random]
    if not drawn:
        return
    words = (
        f"{listing(drawn)}: these vectors come from random weights: they rank noise. Take pretrained ones, or train."
    )
    if progress:
        print(f"Warning: {words}", file=sys.stderr, flush=True)
    else:
        warnings.warn(words, WhalereidWarning, stacklevel=4)


def native_precision(device: str | torch.device) -> str:
    """What ``precision="auto"`` means on a device: the fastest precision that its hardware computes in natively.

    bfloat16 on GPUs since Ampere and on CPUs with its instructions (AVX-512 BF16, AMX), float16 on GPUs with tensor
    cores before that, float32 elsewhere.

    Examples
    --------
    >>> native_precision("cpu") in ("bf16", "fp32")
    True
    """
    device = torch.device(device)
    if device.type == "cuda":
        generation = torch.cuda.get_device_capability(device)
        return "bf16" if generation >= (8, 0) else "fp16" if generation >= (7, 0) else "fp32"
    # Names that torch may yet change; without them we don't know, and take float32.
    instructions = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    if device.type == "cpu" and any(getattr(torch.cpu, name, bool)() for name in instructions):
        return "bf16"
    return "fp32"


@dataclass(frozen=True)
class _How:
    """What all networks of a call share."""

    device: torch.device
    precision: str
    flip: bool
    batch_size: int | None
    workers: int | None
    on_error: Literal["raise", "skip"]


def _make(runs: Sequence[_Run], photos: Catalogue, how: _How, *, progress: bool) -> dict[str, str]:
    """Make what is missing; returns the photos that were left out, with the reasons."""
    groups: dict[Preprocessing, list[_Run]] = {}
    for run in runs:
        if not run.done.all():
            groups.setdefault(run.embedder.preprocessing, []).append(run)
    rows = {prepared: np.flatnonzero(~np.all([run.done for run in group], 0)) for prepared, group in groups.items()}
    skipped: dict[str, str] = {}
    with EmbeddingProgress(sum(map(len, rows.values())), enabled=progress) as bar, ExitStack() as borrowed:
        for group in groups.values():
            for run in group:
                borrowed.enter_context(_borrowed(run.embedder, how.device))
        for prepared, group in groups.items():
            dataset = PhotoDataset(photos, prepared.transform(), portrait=prepared.portrait, on_error=how.on_error)
            for images, _, batch in _loader(dataset, rows[prepared], prepared, how):
                stopping.check()
                if len(batch):
                    images = images.to(how.device, memory_format=torch.channels_last, non_blocking=True)
                    for run in group:
                        run.take(images, batch.numpy(), flip=how.flip, precision=how.precision)
                bar.advance(len(batch))
            unreadable = dict(dataset.skipped)
            if len(unreadable) == len(photos):
                raise WhalereidError(
                    f"none of the {len(photos)} photos can be read; the first: {next(iter(unreadable.values()))}"
                )
            bar.advance(len(unreadable))
            skipped |= unreadable
    return skipped


class _Run:
    """One network's way through the photos: what is made, what is on disk."""

    def __init__(
        self,
        name: str,
        embedder: Embedder,
        photos: Catalogue,
        provenance: dict[str, Any],
    ) -> None:
        self.name, self.embedder = name, embedder
        self._photos, self._ids, self._provenance = photos, photos.image_ids, provenance
        self._vectors = np.empty((len(photos), embedder.dim), np.float32)
        self.done = np.zeros(len(photos), bool)
        self._unwritten: list[np.ndarray] = []
        self._written_at = time.monotonic()
        self._store: PartStore | None = None

    def keep_in(self, store: PartStore) -> None:
        """Keep what is made in a store, and go on from what it holds."""
        self._store = store
        for there in store.read():
            rows = self._photos.rows(there.ids)
            self._vectors[rows] = there.vectors
            self.done[rows] = True

    def take(self, images: Tensor, rows: np.ndarray, *, flip: bool, precision: str) -> None:
        """Embed a batch, (B, 3, H, W) of the photos in these rows, (B,)."""
        new = ~self.done[rows]
        if not new.any():
            return
        if not new.all():
            images, rows = images[torch.from_numpy(new).to(images.device)], rows[new]
        views = torch.cat([images, images.flip(3)]) if flip else images
        with torch.inference_mode(), _autocast(images.device, PRECISIONS[precision]):
            vectors = self.embedder(views).float()
        if flip:
            vectors = vectors.unflatten(0, (2, len(rows))).mean(dim=0)
        made = vectors.cpu().numpy()
        finite = np.isfinite(made).all(axis=1)
        if not finite.all():
            photo = self._ids[rows[np.flatnonzero(~finite)[0]]]
            way = "its weights are broken" if precision == "fp32" else "try precision fp32"
            raise WhalereidError(f"{self.name}: the vector of {photo!r} in {precision} isn't finite; {way}.")
        self._vectors[rows] = made
        self.done[rows] = True
        self._unwritten.append(rows)
        waiting = sum(map(len, self._unwritten))
        if waiting >= _PART_PHOTOS or time.monotonic() - self._written_at >= _PART_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Bring what was made since to disk."""
        if self._store is not None and self._unwritten:
            rows = np.concatenate(self._unwritten)
            self._store.add(Embeddings(self._ids[rows], self._vectors[rows], self._provenance))
        self._unwritten, self._written_at = [], time.monotonic()

    def stop(self) -> None:
        """Keep what was made for another run, as far as the disk takes it."""
        try:
            self.flush()
        except WhalereidError:  # what stopped it says more: this disk may be what was full
            self._unwritten = []
        if self._store is not None:
            self._store.stop()

    def kept_in_words(self) -> str:
        """Say how much of what is unfinished is on disk; "" if nothing is."""
        kept = 0 if self._store is None else self._store.on_disk()
        return f"{self._store.path}: {kept} of {len(self.done)} photos are kept" if self._store and kept else ""

    def finish(self, *, judged: bool) -> Embeddings:
        """Give what was made, in the catalogue's order; `judged`, vectors that are all alike are refused."""
        every = bool(self.done.all())
        ids, vectors = (self._ids, self._vectors) if every else (self._ids[self.done], self._vectors[self.done])
        if judged and all_alike(vectors):
            self._unwritten = []
            if self._store is not None:
                self._store.discard()
            which = f"{self.name} ({self.embedder.config['backbone']})"
            raise WhalereidError(
                f"{which}: the vectors of all {len(vectors)} photos are alike, so they tell nobody apart. Either the "
                "network is dead (broken weights, a layer that gives only zeros), or all photos show the same."
            )
        whole = Embeddings(ids, vectors, self._provenance)
        if self._store is not None:
            self.flush()
            self._store.finish(whole)
        return whole


def _provenance(embedder: Embedder, *, flip: bool, precision: str) -> dict[str, Any]:
    config = embedder.config
    return {
        "network": {
            **{name: config[name] for name in ("backbone", "pooling", "neck", "dim", "copies", "activation")},
            "weights": embedder.weights,
        },
        "fingerprint": embedder.fingerprint,
        "trained_on": None if embedder.trained_on is None else embedder.trained_on.to_dict(),
        "transform": json.loads(json.dumps(asdict(embedder.preprocessing))),
        "flip": flip,
        "precision": precision,
        "whalereid": version("whalereid"),
    }


def _loader(dataset: PhotoDataset, rows: np.ndarray, prepared: Preprocessing, how: _How) -> DataLoader[Any]:
    on_cpu = how.device.type == "cpu"
    batch_size, workers = how.batch_size, how.workers
    if batch_size is None:
        # A CPU works best while a batch fits its caches, a GPU while it is full; as many pixels whatever the size.
        pixels = prepared.image_size[0] * prepared.image_size[1]
        batch_size = max(1, (16 if on_cpu else 128) * 224 * 224 // pixels)
    if workers is None:
        # Where new processes start the whole program again (macOS, Windows), scripts without a main guard would fail.
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 0
        workers = min(cores, 2 if on_cpu else 8) if len(rows) > 2 * batch_size else 0
    return DataLoader(
        Subset(dataset, rows.tolist()),
        batch_size=batch_size,
        num_workers=workers,
        collate_fn=collate,
        pin_memory=how.device.type == "cuda",
        worker_init_fn=stopping.leave_to_parent,
        multiprocessing_context="fork" if workers and sys.platform == "linux" else None,
    )


@contextmanager
def _borrowed(embedder: Embedder, device: torch.device) -> Iterator[None]:
    """Bring a network into evaluation mode on a device, and afterwards back to how it was."""
    training = {module: module.training for module in embedder.modules()}
    home = next(embedder.parameters()).device
    embedder.eval().to(device).to(memory_format=torch.channels_last)
    try:
        yield
    finally:
        embedder.to(home).to(memory_format=torch.contiguous_format)
        for module, was in training.items():
            module.training = was


def _autocast(device: torch.device, dtype: torch.dtype | None) -> AbstractContextManager[Any]:
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype=dtype)


def _device(device: str | torch.device | None) -> torch.device:
    if device is None:
        return torch.device(
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    instance(device, "device", (str, torch.device), "its name, such as 'cpu' or 'cuda:1'")
    try:
        place = torch.device(device)
        torch.zeros(1, device=place).item()  # also of places that hold no numbers, such as "meta"
    except (RuntimeError, AssertionError, NotImplementedError, ValueError) as error:  # without CUDA torch asserts
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise WhalereidError(
            f"device {str(device)!r} can't be used here ({reason}); leave it out, or give 'cpu'."
        ) from error
    return place
