"""Embeddings written part by part as they are made, so that a stopped run goes on where it was."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any

from whalereid.embeddings.parquet import (
    MARKER,
    Part,
    parts_of,
    read_marker,
    work_folder,
    write_part,
)
from whalereid.embeddings.photo_keys import KEYS, WHERE, split_keys
from whalereid.embeddings.provenance import differing
from whalereid.embeddings.table import Embeddings
from whalereid.errors import WhalereidError, listing
from whalereid.files import (
    check_folder,
    claim_folder,
    disk_errors,
    make_folders,
    remove,
    replacing,
    sweep,
    unmake_folders,
)
from whalereid.outputs import EMBEDDINGS, check_output

__all__ = ["PartStore", "check_place"]

_PART = re.compile(r"part-\d{5,}\.parquet")


class PartStore:
    """Where a run of `embed` keeps what it makes: one Parquet file in the end, or a folder of part files.

    A name that ends in ``.parquet`` becomes one file; its parts lie in a hidden folder beside it until then, also those
    that a whole file takes on later. Any other name is a folder whose parts stay. A marker among the parts holds the
    provenance, and whether all are there.

    Vectors are kept by photo: an ``image_id`` and a key of what the photo is. A finished store must hold no others
    than are asked for now, and takes on what is new; parts that wait, with other photos, are made again. A run may be
    killed at any moment: the next one finds what was written, and sweeps away what was half written.

    Parameters
    ----------
    path : path
        The file or folder wanted.
    provenance : mapping
        What makes these embeddings, as JSON can hold it. What is there must have been made by the same.
    photos : mapping of str to str
        From ``image_id`` to the photo's key, 16 characters.
    force : bool, default=False
        Make embeddings anew where others are there: a file of whatever kind is replaced in the end, a folder of ours
        emptied of its parts.

    Raises
    ------
    WhalereidError
        Something else is there, or embeddings made otherwise or of other photos; the message names what differs.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        provenance: Mapping[str, Any],
        photos: Mapping[str, str],
        *,
        force: bool = False,
    ) -> None:
        self.path = Path(path)
        self._provenance: dict[str, Any] = json.loads(json.dumps(dict(provenance)))
        self._photos = photos
        self._single = self.path.suffix == ".parquet"
        self._folder = work_folder(self.path) if self._single else self.path
        check_place(self.path, force=force)
        # a file that holds what was finished, whatever waits beside
        self._whole = self._single and self.path.exists() and self.path.stat().st_size > 0
        if self._whole and force:
            self._whole = self._holds_wanted()
        elif self._whole:
            self._check_provenance(Embeddings.read_header(self.path).provenance, self.path)
        self._complete = self._whole and not self._folder.exists()
        self._made: list[Path] = []
        self._goes = True
        if self._complete:
            return
        began = (self._folder / MARKER).exists()
        self._made = claim_folder(self._folder, marker=MARKER)
        self._goes = self._single or began or bool(self._made)  # not a folder that somebody made for us
        try:
            self._open(force=force)
        except BaseException:  # Ctrl-C too
            unmake_folders(self._made)
            raise

    def _open(self, *, force: bool) -> None:
        """Look at what waits in the folder, and mark it as one that is being written."""
        sweep(self._folder)
        self._refuse_strangers()
        if (self._folder / MARKER).exists() and force and not self._waits_for_wanted():
            with suppress(WhalereidError):  # killed from here on, it is no finished one any more
                self._mark(complete=False, provenance=read_marker(self._folder)["provenance"])
            for part in our_parts(self._folder):
                with disk_errors(part):
                    part.unlink(missing_ok=True)
            self._mark(complete=False)
        if (self._folder / MARKER).exists():
            marker = read_marker(self._folder)
            self._check_provenance(marker["provenance"], self._folder)
            self._complete = marker["complete"]
        else:
            self._mark(complete=False)

    def _holds_wanted(self) -> bool:
        """Whether the file is one of ours that can be gone on with: made by the same, of photos asked for."""
        try:
            self._check_provenance(Embeddings.read_header(self.path).provenance, self.path)
            table, notes = _read(self.path)
        except WhalereidError:
            return False
        return not self._stale(table, notes)

    def _waits_for_wanted(self) -> bool:
        """The same for a folder of parts: a finished one must hold nothing else."""
        try:
            marker = read_marker(self._folder)
            self._check_provenance(marker["provenance"], self._folder)
        except WhalereidError:
            return False
        return not marker["complete"] or not any(self._stale(*_read(part)) for part in our_parts(self._folder))

    def _refuse_strangers(self) -> None:
        """Refuse a folder that holds Parquet files which aren't parts of ours: they would be read with them."""
        strange = set(parts_of(self._folder)) - set(our_parts(self._folder))
        if strange:
            raise WhalereidError(
                f"{min(strange)}: isn't a part of these embeddings, but lies among them; move it elsewhere."
            )

    def _stale(self, table: Embeddings, notes: Mapping[bytes, bytes]) -> list[str]:
        """Photos of a part that aren't asked for, or have other files now."""
        keys = split_keys(notes.get(KEYS, b"").decode("ascii", errors="replace"))
        # Where a photo lies doesn't matter for its vector, what is in it does.
        return [i for i, key in zip_longest(table.ids, keys) if not self._is_the_same(i, key)]

    def read(self) -> list[Embeddings]:
        """Give what earlier runs made of the photos asked for."""
        parts = [(self.path, True)] if self._whole else []
        if not (self._single and self._complete):
            parts += [(part, self._complete) for part in our_parts(self._folder)]
        kept = []
        for part, finished in parts:
            table, notes = _read(part)
            if finished and KEYS not in notes and len(table):
                raise WhalereidError(
                    f"{self.path}: doesn't say which photos its vectors are of, so none can be added; choose another "
                    "place, or make it anew with --force."
                )
            self._check_provenance(table.provenance, part)
            stale = self._stale(table, notes)
            if not stale:
                kept.append(table)
            elif not finished:
                with disk_errors(part):
                    part.unlink()
            else:
                lacking = [image_id for image_id in stale if image_id not in self._photos]
                what = "that this catalogue lacks" if lacking else "whose files, boxes or masks have changed since"
                raise WhalereidError(
                    f"{self.path}: holds vectors of photos {what} ({listing(lacking or stale)}); choose another place, "
                    "or make it anew with --force."
                )
        return kept

    def _is_the_same(self, image_id: str, key: str | None) -> bool:
        now = self._photos.get(image_id, "")[WHERE:]
        return bool(now) and key is not None and key[WHERE:] == now

    def add(self, made: Embeddings) -> None:
        """Keep some more: on disk when this returns."""
        if self._complete:
            with disk_errors(self._folder):
                new = make_folders(self._folder)
            try:
                self._mark(complete=False)
            except BaseException:  # Ctrl-C too
                unmake_folders(new)
                raise
        taken = [int(path.stem.rpartition("-")[2]) for path in self._folder.glob("part-*.parquet")]
        self._write(self._folder / f"part-{max(taken, default=-1) + 1:05d}.parquet", made)

    def finish(self, whole: Embeddings) -> None:
        """Bring the store into its final form; `whole` is all that it holds."""
        if self._complete:
            return
        if self._single:
            if not self._whole or our_parts(self._folder):
                self._write(self.path, whole)
            self._clear()
            self._whole = self._complete = True
        else:
            if not our_parts(self._folder):
                self.add(whole)
            self._mark(complete=True)

    def stop(self) -> None:
        """Leave an unfinished store for another run, or nothing where no parts wait."""
        if not self._complete and not our_parts(self._folder):
            self._clear()

    def on_disk(self) -> int:
        """How many photos another run would find here of what is unfinished, by what is on disk; 0 if no parts wait."""
        parts = [] if self._complete else our_parts(self._folder)
        if parts and self._whole:
            parts.append(self.path)
        return sum(Embeddings.read_header(part).n_photos for part in parts)

    def discard(self) -> None:
        """Leave nothing of what an unfinished store has waiting: it is of no use."""
        if not self._complete:
            self._clear()

    def _clear(self) -> None:
        """Take the folder of parts away, its marker last: killed before that, it is still known as ours."""
        for part in our_parts(self._folder):
            remove(part)
        if not our_parts(self._folder):
            remove(self._folder / MARKER)
        # Those above only where they are new, and all of them only where nothing else is in them after all.
        unmake_folders([*self._made[:-1], *([self._folder] if self._goes else [])])

    def _write(self, path: Path, made: Embeddings) -> None:
        notes = {KEYS: "".join(self._photos[image_id] for image_id in made.ids).encode()}
        write_part(path, made.ids, made.vectors, made.provenance, notes)

    def _mark(self, *, complete: bool, provenance: Mapping[str, Any] | None = None) -> None:
        with replacing(self._folder / MARKER) as beside:
            marker = {"complete": complete, "provenance": provenance or self._provenance}
            beside.write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")
        self._complete = complete

    def _check_provenance(self, there: Mapping[str, Any], place: Path) -> None:
        unlike = differing(there, self._provenance)
        if unlike:
            name, then, now = unlike[0]
            others = f" ({listing(other for other, *_ in unlike[1:])} too)" if unlike[1:] else ""
            raise WhalereidError(
                f"{self.path}: holds embeddings made otherwise: {name} is {then} there, {now} now{others}; choose "
                f"another place, delete {place}, or make it anew with --force."
            )


def check_place(path: Path, *, inputs: Iterable[str | os.PathLike[str] | None] = (), force: bool = False) -> str | None:
    """Refuse a place where embeddings can't be written, before anything is made.

    Parameters
    ----------
    path, inputs, force
        As for `whalereid.outputs.check_output`.

    Returns
    -------
    str or None
        What will be lost because of `force`, in words.

    Raises
    ------
    WhalereidError
        It is, or lies in, something else.
    """
    if path.suffix != ".parquet":
        check_folder(path, marker=MARKER)
        return None
    return check_output(path, EMBEDDINGS, inputs=inputs, force=force)


def _read(path: Path) -> tuple[Embeddings, Mapping[bytes, bytes]]:
    """One Parquet file's embeddings, and all of its schema metadata."""
    part = Part(path)
    ids, vectors = part.read()
    try:
        return Embeddings(ids, vectors, part.header.provenance), part.notes
    except WhalereidError as error:
        raise WhalereidError(f"{path}: {error}") from error


def our_parts(folder: Path) -> list[Path]:
    """The part files that a store wrote in its folder; no other Parquet file that lies there."""
    return [path for path in parts_of(folder) if _PART.fullmatch(path.name) and _is_part(path)]


def _is_part(path: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError):
        return False
    return schema.names == ["image_id", "embedding"] and KEYS in (schema.metadata or {})
