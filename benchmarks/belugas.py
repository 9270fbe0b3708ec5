"""The first place on real belugas: part the whales, then count what each part of the solution is worth.

    python benchmarks/belugas.py prepare ../shared/data/beluga belugas

Whales are parted, not photos: two thirds to train on (belugas/train), a third that no network sees (belugas/test), the
same share of whales with lateral photos in both. Each is a folder in the competition's layout; the second has the
scenarios and labels of its own whales. For the learning curve, belugas/lateral-25 and so on hold the training photos
with that percentage of the lateral ones. docs/belugas.md has the commands in between, and the figures.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from sklearn.model_selection import train_test_split

import whalereid as wr
from whalereid.cli import main

app = typer.Typer(help=__doc__, add_completion=False, rich_markup_mode=None, no_args_is_help=True)
TEXT = {"dtype": str, "keep_default_na": False}


@app.callback()
def belugas() -> None:
    """Part the whales, and count what each part of the first place is worth."""


@app.command()
def prepare(
    data: Annotated[Path, typer.Argument(help="Photos in the competition's layout, with labels.csv.")],
    out: Annotated[Path, typer.Argument(help="New folder.")],
    seed: int = 0,
) -> None:
    """Part the whales into those to train on and those to test on."""
    if out.exists():
        raise wr.WhalereidError(f"{out} is there already; name a new folder.")
    photos = pd.read_csv(data / "metadata.csv", **TEXT)
    lateral = photos["viewpoint"].isin(["left", "right"])
    has_lateral = lateral.groupby(photos["whale_id"]).any()
    _, tested = train_test_split(list(has_lateral.index), test_size=1 / 3, stratify=has_lateral, random_state=seed)
    held_out = photos["whale_id"].isin(tested)
    write_part(photos[~held_out], data, out / "train")
    for percent in (25, 50, 75):
        kept = photos[~held_out & lateral].sample(frac=percent / 100, random_state=seed)
        write_part(photos[~held_out & (~lateral | photos.index.isin(kept.index))], data, out / f"lateral-{percent}")
    write_part(photos[held_out], data, out / "test")
    write_scenarios(set(photos["image_id"][held_out]), data, out / "test")


def write_part(photos: pd.DataFrame, data: Path, folder: Path) -> None:
    """Write photos and their table into a folder of their own."""
    for path in photos["path"]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data / path, folder / path)
    photos.to_csv(folder / "metadata.csv", index=False)
    whales, lateral = photos["whale_id"].nunique(), (photos["viewpoint"] != "top").sum()
    print(f"{folder}: {whales} whales, {len(photos)} photos, {lateral} of them lateral")


def write_scenarios(kept: set[str], data: Path, folder: Path) -> None:
    """Write the scenarios with the queries and the database that are left of them, and their labels."""
    scenarios = pd.read_csv(data / "query_scenarios.csv", **TEXT)
    scenarios.to_csv(folder / "query_scenarios.csv", index=False)
    for column, name in (("queries_path", "query_image_id"), ("database_path", "database_image_id")):
        for path in scenarios[column]:
            table = pd.read_csv(data / path, **TEXT)
            (folder / path).parent.mkdir(exist_ok=True)
            table[table[name].isin(kept)].to_csv(folder / path, index=False)
    labels = pd.read_csv(data / "labels.csv", **TEXT)
    asked = labels["query_id"].str.partition("-")[2].isin(kept)
    labels[asked & labels["database_image_id"].isin(kept)].to_csv(folder / "labels.csv", index=False)


if __name__ == "__main__":
    main(commands=app, name="belugas")
