"""Queries beside their best matches, on a page that opens in any browser."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from whalereid import stopping
from whalereid.arguments import instance, whole_number
from whalereid.candidates import Task
from whalereid.candidates.task import tasks_of
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError, printable
from whalereid.evaluation import query_photos
from whalereid.files import claim_folder, replacing
from whalereid.html import Html, facts, paragraph
from whalereid.images import Crop
from whalereid.images.photos import PhotoReader
from whalereid.outputs import REPORT, REPORT_MARKER, check_output, made_by
from whalereid.ranking import Ranking
from whalereid.reporting.pages import heading, page
from whalereid.reporting.sheets import write_image

__all__ = ["Matches", "write_matches"]

_FORMAT = "whalereid-report/1"
_SIDES = (256, 352)  # px, height and width that a photo is shrunk to fit, twice as many as it is shown at
_CAPTION = ("viewpoint", "encounter", "date", "location")


@dataclass(frozen=True)
class Matches:
    """What of a ranking is shown.

    Attributes
    ----------
    queries : int, default=50
        How many queries; of more, as many are taken at even distances.
    k : int, default=5
        Best matches of each.
    photos : int, default=24
        How many photos of the catalogue stand above, taken at even distances.
    """

    queries: int = 50
    k: int = 5
    photos: int = 24

    def __post_init__(self) -> None:
        whole_number(self.photos, "photos", 1)
        whole_number(self.queries, "queries", 1)
        whole_number(self.k, "k", 1)


def write_matches(
    ranking: Ranking,
    photos: Catalogue,
    out: str | os.PathLike[str],
    *,
    tasks: Sequence[Task] | None = None,
    shown: Matches | None = None,
    title: str = "Who looks like whom",
    progress: bool = False,
) -> Path:
    """Write a folder with a page to look at: ``index.html``, and small copies of the photos.

    It opens with what the catalogue holds and a contact sheet of its photos, then shows queries and their best matches.
    Where identities are known, a match of the same animal has a green frame and says so. The page needs no network
    and runs nothing. Written over an earlier one, the page is replaced last, when its pictures are there.

    Parameters
    ----------
    ranking : Ranking
        Whose best matches are shown.
    photos : Catalogue
        Where the photos of the queries and of the database are.
    out : path
        The folder; new, empty, or an earlier report.
    tasks : sequence of Task, optional
        Who was looked for among whom (`read_tasks(path)` reads those beside a ranking); left out, each query is the
        photo of its name, and nothing is said of rules.
    shown : Matches, optional
        How much of it.
    title : str
        The heading.
    progress : bool, default=False
        Show a bar on stderr.

    Returns
    -------
    Path
        Of ``index.html``.

    Raises
    ------
    WhalereidError
        A query or a listed photo isn't in the catalogue; no query has a match; or the folder holds something else.
    """
    instance(ranking, "ranking", Ranking, "a Ranking (Ranking.read(path) reads one)")
    instance(photos, "photos", Catalogue, "a Catalogue (Catalogue.read(path) reads one)")
    instance(out, "out", (str, os.PathLike), "the path of a folder")
    instance(title, "title", str, "text")
    instance(progress, "progress", bool, "True or False")
    shown = instance(Matches() if shown is None else shown, "shown", Matches, "a Matches")
    tasks = tasks_of(() if tasks is None else tasks)
    asked = np.flatnonzero(ranking.lengths > 0)
    if not len(asked):
        raise WhalereidError("ranking: no query lists a photo, so there is nothing to show.")
    chosen = asked[_spread(len(asked), shown.queries)]
    names = [str(name) for name in ranking.query_ids[chosen]]
    images = {q: i for task in tasks for q, i in zip(task.query_ids, task.query_images, strict=True)}
    others = [name for name in names if name not in images]
    images |= dict(zip(others, query_photos(others, photos)[0], strict=True))
    query_rows = photos.rows([images[name] for name in names])
    lists = [ranking.database_ids[row[row >= 0]] for row in ranking.codes[chosen, : shown.k]]
    match_rows = [photos.rows(ids) for ids in lists]

    folder = Path(out)
    claim_folder(folder, marker=REPORT_MARKER)
    check_output(folder / REPORT_MARKER, REPORT)
    with replacing(folder / REPORT_MARKER) as beside:
        beside.write_text(json.dumps({"format": _FORMAT}), encoding="utf-8")
    pictures = _Pictures(photos, folder / "photos")
    each = zip(names, query_rows, match_rows, ranking.scores[chosen], strict=True)
    console = Console(stderr=True, quiet=not progress)
    bar = track(each, "drawing", len(names), console=console, disable=not (progress and console.is_terminal))
    blocks = [_block(str(name), pictures, int(row), rows, scores) for name, row, rows, scores in bar]
    parts = [*_overview(photos, pictures, tasks, shown.photos), heading("The best matches")]
    several = f"{len(chosen):,} of {len(ranking):,}" if len(chosen) < len(ranking) else f"{len(chosen):,}"
    parts.append(paragraph(f"{several} queries, each beside its best matches.{pictures.verdict(query_rows)}"))
    text = page(title, [*parts, *blocks])
    index = folder / "index.html"
    with replacing(index) as beside:
        beside.write_text(text, encoding="utf-8")
    pictures.tidy()
    return index


class _Pictures:
    """Small copies of a catalogue's photos, written once each, and what stands below them."""

    def __init__(self, photos: Catalogue, folder: Path) -> None:
        self._photos, self._folder = photos, folder
        self._reader = PhotoReader(photos, Crop(), portrait=False)
        self._identity: list[str | None] = [None] * len(photos)
        if "identity" in photos.columns:
            known = photos.known("identity")
            self._identity = [
                name if there else None for name, there in zip(photos.column("identity"), known, strict=True)
            ]
        self._captions = {name: photos.column(name) for name in _CAPTION if photos.known(name).any()}
        self._made: dict[int, str | None] = {}
        folder.mkdir(exist_ok=True)

    def figure(self, row: int, role: str, words: str, of: int | None = None) -> Html:
        """One photo with its caption; `of` is the query it is a match of."""
        name, who = self._file(row), self._identity[row]
        image_id = str(self._photos.image_ids[row])
        same = of is not None and who is not None and who == self._identity[of]
        picture = (
            f'<img src="photos/{name}" alt="{_text(f"{role}: {image_id}")}" loading="lazy">'
            if name is not None
            else '<div class="lost">can’t be read</div>'
        )
        lines = [f"<b>{_text(who)}</b>" if who is not None else "", _text(words), _text(image_id)]
        lines += [_text(column.iloc[row]) for name, column in self._captions.items() if not _missing(column.iloc[row])]
        lines += ['<span class="verdict">same animal</span>'] if same else []
        kind = role if of is None else "right" if same else "match"
        caption = "<br>".join(line for line in lines if line)
        return Html(f'<figure class="{kind}">{picture}<figcaption>{caption}</figcaption></figure>')

    def verdict(self, queries: np.ndarray) -> str:
        """A sentence on what the frames mean, where identities are known."""
        return " A green frame: the same animal." if any(self._identity[row] is not None for row in queries) else ""

    def tidy(self) -> None:
        """Delete pictures of an earlier report that this one doesn't show; others' stay."""
        kept = set(self._made.values())
        for path in self._folder.glob("*.jpg"):
            if path.name not in kept and path.is_file() and made_by(path):
                path.unlink(missing_ok=True)

    def _file(self, row: int) -> str | None:
        """The name of a photo's small copy; None where it can't be read."""
        if row not in self._made:
            stopping.check()
            try:
                pixels = self._reader.read(row)
            except WhalereidError:
                self._made[row] = None
            else:
                small = _shrunk(pixels)
                name = f"{sha256(small.tobytes()).hexdigest()[:16]}.jpg"
                write_image(self._folder / name, small)
                self._made[row] = name
        return self._made[row]


def _overview(photos: Catalogue, pictures: _Pictures, tasks: Sequence[Task], n: int) -> list[Html]:
    """What the catalogue holds, and some of its photos."""
    held = {"photos": len(photos), "animals": photos.n_identities}
    held |= {f"{name}s": len(photos.counts(name)) for name in ("viewpoint", "encounter") if photos.known(name).any()}
    said = [paragraph(note) for note in photos.notes]
    for rules in dict.fromkeys(task.rules for task in tasks):
        said.append(paragraph(f"Who may match: {', '.join(['never the photo itself', *rules.in_words()])}."))
    sheet = "".join(pictures.figure(int(row), "photo", "") for row in _spread(len(photos), n))
    return [facts(held), *said, heading("The photos"), Html(f'<section class="sheet">{sheet}</section>')]


def _spread(n: int, most: int) -> np.ndarray:
    """At most `most` places among n, at even distances, both ends among them."""
    return np.unique(np.linspace(0, n - 1, min(most, n)).round().astype(np.int64))


def _block(name: str, pictures: _Pictures, query: int, rows: Iterable[int], scores: np.ndarray) -> Html:
    figures = [pictures.figure(query, "query", "asked for")]
    for rank, (row, score) in enumerate(zip(rows, scores, strict=False), start=1):
        figures.append(pictures.figure(int(row), f"match {rank}", f"match {rank}, {score:.3f}", query))
    return Html(f'<section class="row" tabindex="0" aria-label="{_text(f"query {name}")}">{"".join(figures)}</section>')


def _shrunk(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    share = min(_SIDES[0] / height, _SIDES[1] / width, 1.0)
    sides = max(round(width * share), 1), max(round(height * share), 1)
    return cv2.resize(pixels, sides, interpolation=cv2.INTER_AREA) if share < 1 else pixels


def _text(value: object) -> str:
    return escape(printable(str(value)), quote=True)


def _missing(value: object) -> bool:
    return value is None or value != value
