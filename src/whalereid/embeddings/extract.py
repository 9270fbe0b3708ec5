"""embed: photos through networks, once, into embeddings."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Subset

from whalereid import stopping
from whalereid.arguments import instance
from whalereid.catalogue import Catalogue
from whalereid.embeddings.devices import borrowed, native_precision, usable_device
from whalereid.embeddings.extraction import Extraction
from whalereid.embeddings.passes import NetworkPass
from whalereid.embeddings.photo_keys import photo_keys
from whalereid.embeddings.progress import EmbeddingProgress
from whalereid.embeddings.provenance import provenance_of
from whalereid.embeddings.store import PartStore
from whalereid.embeddings.table import Embeddings
from whalereid.errors import WhalereidError, WhalereidWarning, listing, printable
from whalereid.images import PhotoDataset, collate
from whalereid.models import Network, Preprocessing
from whalereid.models.network import check_network, name_of

__all__ = ["embed", "embed_as_is", "embed_many"]


def embed(
    network: Network,
    photos: Catalogue,
    *,
    extraction: Extraction | None = None,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: bool = True,
) -> Embeddings:
    """Turn photos into embeddings.

    Parameters
    ----------
    network : Network
        An `Embedder`, or anything that has its ``dim``, ``preprocessing``, ``fingerprint`` and a forward pass
        (B, 3, H, W) → (B, dim). It comes back in the mode and on the device it was in.
    photos : Catalogue of N photos
        What to embed; identities don't matter.
    extraction : Extraction, optional
        How: precision, device, batch size, workers, with mirror images or not, and what becomes of photos that can't
        be read.
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
        An argument can't be, a photo can't be read, no photo has a mask that its background could be hidden by, `out`
        holds something else, a vector isn't finite, or three and more photos' vectors are all alike.

    Warns
    -----
    UserWarning
        The network's weights are random (with `progress`, a line on stderr).

    Examples
    --------
    >>> vectors = embed(Embedder.load("runs/beluga"), photos, extraction=Extraction(flip=True))  # doctest: +SKIP
    """
    check_network(network, "network")
    if out is not None:
        instance(out, "out", (str, os.PathLike), "a path")
    return embed_many(
        {"embedding": network},
        photos,
        extraction=extraction,
        out=None if out is None else {"embedding": out},
        force=force,
        progress=progress,
    )["embedding"]


def embed_many(
    networks: Mapping[str, Network],
    photos: Catalogue,
    *,
    extraction: Extraction | None = None,
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
    networks : mapping of str to Network
        The networks by name.
    out : mapping of str to path, optional
        Where to write each network's, by the same names.
    photos, extraction, force, progress
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
    instance(networks, "networks", Mapping, "a mapping of names to networks, such as {'b5': net}")
    for name, network in networks.items():
        instance(name, "a name in networks", str, "text")
        check_network(network, f"networks[{name!r}]")
    instance(photos, "photos", Catalogue, "a Catalogue (Catalogue.read(path) makes one)")
    how = Extraction.of(extraction)
    if out is not None:
        instance(out, "out", Mapping, "a mapping of the networks' names to paths")
        if set(out) != set(networks):
            given = [str(name) for name in out]
            raise WhalereidError(f"out names {listing(sorted(given))}, the networks are {listing(sorted(networks))}.")
        for name, path in out.items():
            instance(path, f"out[{name!r}]", (str, os.PathLike), "a path")
    for flag, value in (("force", force), ("progress", progress)):
        instance(value, flag, bool, "True or False")
    unmasked = how.crop.check(photos)
    if unmasked and progress:
        print(unmasked, file=sys.stderr, flush=True)
    _say_random(networks, progress=progress)
    return _embed(networks, photos, how, out=out, force=force, progress=progress, judged=True)


def embed_as_is(network: Network, photos: Catalogue, *, extraction: Extraction | None = None) -> Embeddings:
    """Embed as training measures: without a word about random weights, and vectors that are all alike as they are.

    A network that hasn't learnt yet may well give such vectors. Arguments as for `embed`.
    """
    how = Extraction.of(extraction)
    made = _embed({"embedding": network}, photos, how, out=None, force=False, progress=False, judged=False)
    return made["embedding"]


def _embed(
    networks: Mapping[str, Network],
    photos: Catalogue,
    how: Extraction,
    *,
    out: Mapping[str, str | os.PathLike[str]] | None,
    force: bool,
    progress: bool,
    judged: bool,
) -> dict[str, Embeddings]:
    device = usable_device(how.device)
    if how.precision == "auto":
        how = replace(how, precision=native_precision(device))
    keys = photo_keys(photos, how.crop.masked(photos)) if out is not None else {}
    passes: list[NetworkPass] = []
    with stopping.later(lambda: _to_go_on_with(passes)):
        try:
            for name, network in networks.items():
                provenance = provenance_of(network, flip=how.flip, precision=how.precision, crop=how.crop)
                passes.append(NetworkPass(name, network, photos, provenance))
                if out is not None:
                    passes[-1].keep_in(PartStore(out[name], provenance, keys, force=force))
            skipped = _make(passes, photos, how, device, progress=progress)
            made = {one.name: one.finish(judged=judged) for one in passes}
        except BaseException as error:  # also Ctrl-C: what was made is kept
            for one in passes:
                one.stop()
            words = _to_go_on_with(passes)
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


def _to_go_on_with(passes: Sequence[NetworkPass]) -> str:
    """Say what is on disk of unfinished embeddings; nothing where nothing is."""
    kept = [words for one in passes if (words := one.kept_in_words())]
    return f"{'; '.join(kept)}; run it again to go on." if kept else ""


def _say_random(networks: Mapping[str, Network], *, progress: bool) -> None:
    drawn = [name_of(network) for network in networks.values() if getattr(network, "is_random", False) is True]
    if not drawn:
        return
    words = (
        f"{listing(drawn)}: these vectors come from random weights: they rank noise. Take pretrained ones, or train."
    )
    if progress:
        print(f"Warning: {words}", file=sys.stderr, flush=True)
    else:
        warnings.warn(words, WhalereidWarning, stacklevel=4)


def _make(
    passes: Sequence[NetworkPass], photos: Catalogue, how: Extraction, device: torch.device, *, progress: bool
) -> dict[str, str]:
    """Make what is missing; returns the photos that were left out, with the reasons."""
    groups: dict[Preprocessing, list[NetworkPass]] = {}
    for one in passes:
        if not one.done.all():
            groups.setdefault(one.network.preprocessing, []).append(one)
    rows = {prepared: np.flatnonzero(~np.all([one.done for one in group], 0)) for prepared, group in groups.items()}
    skipped: dict[str, str] = {}
    with EmbeddingProgress(sum(map(len, rows.values())), enabled=progress) as bar, ExitStack() as stack:
        for group in groups.values():
            for one in group:
                stack.enter_context(borrowed(one.network, device))
        for prepared, group in groups.items():
            dataset = PhotoDataset(photos, prepared.transform(), portrait=prepared.portrait, on_error=how.on_error)
            dataset = dataset.cropped(how.crop)
            for images, _, batch in _loader(dataset, rows[prepared], prepared, how, device):
                stopping.check()
                if len(batch):
                    images = images.to(device, memory_format=torch.channels_last, non_blocking=True)
                    for one in group:
                        one.take(images, batch.numpy(), flip=how.flip, precision=how.precision)
                bar.advance(len(batch))
            unreadable = dict(dataset.skipped)
            if len(unreadable) == len(photos):
                raise WhalereidError(
                    f"none of the {len(photos)} photos can be read; the first: {next(iter(unreadable.values()))}"
                )
            bar.advance(len(unreadable))
            skipped |= unreadable
    return skipped


def _loader(
    dataset: PhotoDataset, rows: np.ndarray, prepared: Preprocessing, how: Extraction, device: torch.device
) -> DataLoader[Any]:
    on_cpu = device.type == "cpu"
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
        pin_memory=device.type == "cuda",
        worker_init_fn=stopping.leave_to_parent,
        multiprocessing_context="fork" if workers and sys.platform == "linux" else None,
    )
