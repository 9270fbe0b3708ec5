"""A whole data set of rendered belugas, in the competition's layout."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.files import check_whole_folder, replacing
from whalereid.images.synthetic.animal import VIEWPOINTS, Beluga
from whalereid.images.synthetic.draws import generator
from whalereid.images.synthetic.scene import Encounter, SurveyDay

__all__ = ["render_dataset"]

_YEARS, _DAYS_A_YEAR = (2017, 2018, 2019), 12
_MARKER = "rendered.json"
_TABLES = ("metadata.csv", "query_scenarios.csv", "labels.csv", "queries/scenario*.csv", "databases/scenario*.csv")
_FILES = (*_TABLES, "images/train[0-9]*.jpg", "images/test[0-9]*.jpg")
_COLUMNS = ["image_id", "path", "height", "width", "viewpoint", "date", "timestamp", "whale_id", "encounter_id"]
# Streams of random numbers, so that a day looks the same whoever is met on it.
_CALENDAR, _TABLE, _DAY, _ENCOUNTER, _ANIMAL, _PHOTO = range(6)


def render_dataset(
    folder: str | os.PathLike[str],
    *,
    n_identities: int = 200,
    n_unseen: int = 60,
    seed: int = 0,
    progress: bool = True,
) -> Catalogue:
    """Render a data set of belugas in the competition's layout.

    Training animals are met three times, on different days, in about eleven photos. The unseen animals are met four
    times, at least once in each of three years; the scenarios hold them alone. No query shares an encounter with a
    database photo other than itself, so that what is asked is who it is, not which day it was:

    1. top among top: one photo of each encounter, everyone among everyone;
    2. top among top: the later two encounters of each animal among its earlier two;
    3. lateral among top: likewise;
    4. top among lateral: the last encounter among the earlier two;
    5. top among top, disjoint years: 2019 among 2017;
    6. any view among any view: the last encounter among the earlier two.

    Parameters
    ----------
    folder : path
        Where to write: ``metadata.csv`` (the competition's columns, and ``split``: ``train`` or ``test``), ``images/``,
        ``query_scenarios.csv``, ``queries/``, ``databases/`` and ``labels.csv``. Made; or replaced, if it holds an
        earlier rendering. Written whole or not at all.
    n_identities : int
        Animals to train on.
    n_unseen : int
        Further animals, for the scenarios.
    seed : int
        The same seed gives the same tables everywhere and the same pixels on one machine, however many its cores.
    progress : bool
        Show a bar on stderr.

    Returns
    -------
    Catalogue
        The data set, read back.

    Raises
    ------
    WhalereidError
        A number is too small, or the folder holds something else or can't be written.
    """
    for name, value, least in (("n_identities", n_identities, 2), ("n_unseen", n_unseen, 2), ("seed", seed, 0)):
        if value < least:
            raise WhalereidError(f"{name} is {value}; it must be {least} or more.")
    check_whole_folder(folder, marker=_MARKER, holds=_FILES, option="folder")
    folder = Path(folder).absolute()
    table = _draw_table(seed, n_identities, n_unseen)
    days = [SurveyDay.draw(generator(seed, _DAY, day)) for day in range(len(_YEARS) * _DAYS_A_YEAR)]
    herds = [(whale, table[table["whale"] == whale]) for whale in range(n_identities + n_unseen)]
    with replacing(folder) as beside:
        (beside / "images").mkdir(parents=True)
        with ThreadPoolExecutor() as pool:
            jobs = [pool.submit(_render_whale, beside, seed, whale, rows, days) for whale, rows in herds]
            done = track(
                as_completed(jobs), "rendering belugas", len(jobs), console=Console(stderr=True), disable=not progress
            )
            try:
                for job in done:
                    job.result()
            except BaseException:  # Ctrl-C too: don't draw the rest first
                pool.shutdown(cancel_futures=True)
                raise
        _write_tables(beside, table)
        about = {"renderer": "whalereid", "seed": seed, "n_identities": n_identities, "n_unseen": n_unseen}
        (beside / _MARKER).write_text(json.dumps(about) + "\n")
    return Catalogue.read(folder)


def _draw_table(seed: int, n_identities: int, n_unseen: int) -> pd.DataFrame:
    """Who was photographed when, from where: one row a photo, ordered by time.

    Only uniform numbers and exact arithmetic are used, so that the table is the same on every platform.
    """
    calendar = generator(seed, _CALENDAR)
    dates = [
        datetime(year, 7, 1) + timedelta(days=day)
        for year in _YEARS
        for day in sorted(calendar.permutation(60)[:_DAYS_A_YEAR].tolist())
    ]
    rows = []
    for whale in range(n_identities + n_unseen):
        rng = generator(seed, _TABLE, whale)
        unseen = whale >= n_identities
        for meeting, day in enumerate(_meetings(rng, unseen)):
            start = dates[day] + timedelta(seconds=int(rng.integers(8 * 3600, 19 * 3600)))
            views = ["top"] * (2 if unseen else int(rng.integers(2, 4)))
            side = (whale + meeting) % 2
            views += [VIEWPOINTS[1 + side]] + ([VIEWPOINTS[2 - side]] if rng.random() < 0.4 else [])
            for view in views:
                long = int(rng.integers(250, 401))
                short = int(long * 100 // int(rng.integers(240, 331)))
                rows.append(
                    {
                        "height": long if view == "top" else short,
                        "width": short if view == "top" else long,
                        "viewpoint": view,
                        "time": start,
                        "whale": whale,
                        "meeting": meeting,
                        "day": day,
                        "split": "test" if unseen else "train",
                    }
                )
                start += timedelta(seconds=int(rng.integers(2, 40)))
    table = pd.DataFrame(rows).sort_values(["time", "whale"], kind="stable", ignore_index=True)
    digits = max(4, len(str(len(table))))
    number = table.groupby("split").cumcount()
    table["image_id"] = [f"{split}{n:0{digits}d}" for split, n in zip(table["split"], number, strict=True)]
    table["path"] = "images/" + table["image_id"] + ".jpg"
    table["date"] = [time.strftime("%Y-%m-%d") for time in table["time"]]
    table["timestamp"] = [time.strftime("%Y-%m-%d %H:%M:%S") for time in table["time"]]
    digits = max(3, len(str(n_identities + n_unseen)))
    table["whale_id"] = [f"whale{whale:0{digits}d}" for whale in table["whale"]]
    table["encounter_id"] = [f"{name}-{m:03d}" for name, m in zip(table["whale_id"], table["meeting"], strict=True)]
    return table


def _meetings(rng: np.random.Generator, unseen: bool) -> list[int]:
    """On which days an animal is met, in order: unseen ones in every year, and once more in the middle one."""
    if not unseen:
        return sorted(rng.permutation(len(_YEARS) * _DAYS_A_YEAR)[:3].tolist())
    first, middle, last = (rng.permutation(_DAYS_A_YEAR) + year * _DAYS_A_YEAR for year in range(3))
    return [int(first[0]), *sorted(middle[:2].tolist()), int(last[0])]


def _render_whale(folder: Path, seed: int, whale: int, rows: pd.DataFrame, days: list[SurveyDay]) -> None:
    beluga = Beluga.draw(generator(seed, _ANIMAL, whale))
    met = {
        meeting: Encounter.draw(days[day], generator(seed, _ENCOUNTER, whale, meeting))
        for meeting, day in zip(rows["meeting"].tolist(), rows["day"].tolist(), strict=True)
    }
    photos = rows[["path", "viewpoint", "meeting", "height", "width"]].to_numpy(object).tolist()
    for number, (path, viewpoint, meeting, height, width) in enumerate(photos):
        rng = generator(seed, _PHOTO, whale, number)
        photo = beluga.photo(viewpoint, met[meeting], rng, height=height, width=width)
        quality = int(rng.integers(80, 96))
        encoded = cv2.imencode(".jpg", photo[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        (folder / path).write_bytes(encoded.tobytes())


def _write_tables(folder: Path, table: pd.DataFrame) -> None:
    """Write the catalogue, the scenarios and their labels."""
    table[[*_COLUMNS, "split"]].to_csv(folder / "metadata.csv", index=False, lineterminator="\n")
    test = table[table["split"] == "test"]
    top = test["viewpoint"] == "top"
    year = test["time"].dt.year
    late, early = test["meeting"] >= 2, test["meeting"] < 2
    last = test["meeting"] == test["meeting"].max()
    first = ~test.duplicated(["encounter_id", "viewpoint"])
    tasks = [
        (top & first, top & first),
        (top & late, top & early),
        (~top & late, top & early),
        (top & last, ~top & early),
        (top & (year == _YEARS[-1]), top & (year == _YEARS[0])),
        (last, early),
    ]
    names = [f"scenario{number:02d}" for number in range(1, len(tasks) + 1)]
    labels = []
    for part in ("queries", "databases"):
        (folder / part).mkdir()
    for name, (asked, database_rows) in zip(names, tasks, strict=True):
        queries, database = test[asked][["image_id", "whale_id"]], test[database_rows][["image_id", "whale_id"]]
        queries = queries.assign(query_id=name + "-" + queries["image_id"]).rename(
            columns={"image_id": "query_image_id"}
        )
        database = database.rename(columns={"image_id": "database_image_id"})
        queries[["query_id", "query_image_id"]].to_csv(folder / f"queries/{name}.csv", index=False, lineterminator="\n")
        database[["database_image_id"]].to_csv(folder / f"databases/{name}.csv", index=False, lineterminator="\n")
        pairs = queries.merge(database, on="whale_id")
        labels.append(pairs[pairs["query_image_id"] != pairs["database_image_id"]])
    scenarios = {
        "scenario_id": names,
        "queries_path": [f"queries/{name}.csv" for name in names],
        "database_path": [f"databases/{name}.csv" for name in names],
    }
    pd.DataFrame(scenarios).to_csv(folder / "query_scenarios.csv", index=False, lineterminator="\n")
    pd.concat(labels)[["query_id", "database_image_id"]].to_csv(folder / "labels.csv", index=False, lineterminator="\n")
