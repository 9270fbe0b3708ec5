"""The first place on real belugas: part the whales, then count what each part of the solution is worth.

    python benchmarks/belugas.py prepare ../shared/data/beluga belugas
    python benchmarks/belugas.py worth belugas/test runs --out worth

Whales are parted, not photos: two thirds to train on (belugas/train), a third that no network sees (belugas/test), the
same share of whales with lateral photos in both. Each is a folder in the competition's layout; the second has the
scenarios and labels of its own whales. For the learning curve, belugas/lateral-25 and so on hold the training photos
with that percentage of the lateral ones. `worth` leaves out or changes one part of the solution at a time, and prints
the difference to the whole of it. docs/belugas.md has the commands in between, and the figures.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from sklearn.model_selection import train_test_split

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))

import whaledo_first_place as example

import whalereid as wr
from whalereid.cli import main
from whalereid.ranking import rank_tasks, tasks_from

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


Tables = dict[str, wr.Embeddings]


@app.command()
def worth(
    data: Annotated[Path, typer.Argument(help="The folder of whales that no network saw.")],
    runs: Annotated[Path, typer.Argument(help="Folder of the example's runs, of all three kinds.")],
    out: Annotated[Path, typer.Option(help="Folder for embeddings; what is there already is kept.")],
) -> None:
    """Rank by the whole solution, then with one part of it left out or changed at a time."""
    photos = wr.Catalogue.read(data)
    nets = networks_embedded(photos, runs, out / "mirrored", flip=True)
    tables = side_by_side(nets)
    plain = side_by_side(networks_embedded(photos, runs, out / "not-mirrored", flip=False))
    linear = side_by_side(networks_embedded(photos, runs, out / "no-hardtanh", flip=True, as_submitted=True))
    first = side_by_side({kind: dict([*folds.items()][:1]) for kind, folds in nets.items()})
    whole = example.solution(tables)
    ways: dict[str, wr.ViewRoutes] = {
        "the whole solution": whole,
        "one network of each kind, not all folds": example.solution(first),
        "one network in all": alone(first["b5_top"]),
        "no mirror images": example.solution(plain),
        "top networks of one kind, not .75 and .25 of two": changed(whole, ensemble=first_member),
        "half and half of the two kinds": changed(whole, ensemble=equal_shares),
        "no top-k expansion": changed(whole, rerank=lambda expand: None),
        "first power, not the seventh": changed(whole, rerank=lambda expand: replace(expand, power=1)),
        "top networks for lateral photos too": example.solution(tables | {"b5_lateral": tables["b5_top"]}),
        "no view routes: .75 paired and .25 top for all": wr.ViewRoutes(whole.routes[-1:]),
        "lateral networks without their Hardtanh": example.solution(tables | {"b5_lateral": linear["b5_lateral"]}),
    }
    tasks, protocol = tasks_from(photos), wr.Protocol.from_catalogue(photos)
    reports = {name: wr.evaluate(protocol, rank_tasks(way, photos, tasks)) for name, way in ways.items()}
    submitted = example.rank_scenarios(photos, tables, as_submitted=True)
    reports["the slip: paired networks for top/top after others"] = wr.evaluate(protocol, submitted)
    print(scores(reports["the whole solution"]))
    print(differences(reports))


def networks_embedded(photos: wr.Catalogue, runs: Path, out: Path, **how: Any) -> dict[str, dict[int, wr.Embeddings]]:
    """Embed the photos by each network of the runs; by kind and fold."""
    as_submitted = how.pop("as_submitted", False)
    found = example.find_weights(runs)
    paths = {f"{kind}-fold{fold}": path for kind, folds in found.items() for fold, path in folds.items()}
    nets = {name: example.load_network(name.rpartition("-")[0], path, as_submitted) for name, path in paths.items()}
    made = wr.embed_many(nets, photos, extraction=wr.Extraction("fp32", **how), out={name: out / name for name in nets})
    return {kind: {fold: made[f"{kind}-fold{fold}"] for fold in folds} for kind, folds in found.items()}


def side_by_side(nets: dict[str, dict[int, wr.Embeddings]]) -> Tables:
    """The three tables that the example ranks by, each of the networks of its kind."""
    tables = example.KINDS
    return {tables[kind].table: wr.Embeddings.concatenate([*folds.values()]) for kind, folds in nets.items()}


def alone(embeddings: wr.Embeddings) -> wr.ViewRoutes:
    """Rank everything by one table's cosines."""
    return wr.ViewRoutes([wr.Route("anything", wr.Ensemble([wr.Member("alone", embeddings)], clip=(0, 1)))])


def changed(
    ways: wr.ViewRoutes,
    ensemble: Callable[[wr.Ensemble], wr.Ensemble] = lambda fused: fused,
    rerank: Callable[[Any], Any] = lambda expand: expand,
) -> wr.ViewRoutes:
    """Change the ensemble and the re-ranker of every route."""

    def again(expand: Any) -> Any:
        return expand if expand is None or expand.by is None else replace(expand, by=ensemble(expand.by))

    return wr.ViewRoutes(
        [replace(route, ensemble=ensemble(route.ensemble), rerank=again(rerank(route.rerank))) for route in ways.routes]
    )


def first_member(fused: wr.Ensemble) -> wr.Ensemble:
    return wr.Ensemble(fused.members[:1], clip=fused.clip)


def equal_shares(fused: wr.Ensemble) -> wr.Ensemble:
    return wr.Ensemble([wr.Member(member.name, member.embeddings) for member in fused.members], clip=fused.clip)


def scores(report: wr.Report) -> str:
    """mAP@20 of each scenario and of all queries pooled, with intervals over whales, as a Markdown table."""
    table = report.by("scenario")
    pooled = report.metrics.loc["mAP@20"]
    table.loc["all, pooled", ["queries", "mAP@20", "low", "high"]] = [report.counts["queries"], *pooled]
    lines = ["| scenario | queries | mAP@20 | 95% interval |", "|---|---|---|---|"]
    for name, row in table.iterrows():
        lines.append(f"| {name} | {row['queries']:.0f} | {row['mAP@20']:.4f} | {row['low']:.4f} to {row['high']:.4f} |")
    return "\n".join(lines) + "\n"


def differences(reports: dict[str, wr.Report]) -> str:
    """mAP@20 of each way by scenario and pooled, and the pooled one's difference to the first, as a Markdown table."""
    tables = {name: report.by("scenario")["mAP@20"] for name, report in reports.items()}
    (leading, first), *_ = reports.items()
    scenarios = [*tables[leading].index]
    lines = [f"| | {' | '.join(scenarios)} | all | difference | 95% interval |", "|---" * (len(scenarios) + 4) + "|"]
    for name, report in reports.items():
        row = report.compare(first).loc["mAP@20"]
        spread = f"{row['difference']:+.4f} | {row['low']:+.4f} to {row['high']:+.4f}" if name != leading else "|"
        values = [f"{tables[name][scenario]:.4f}" for scenario in scenarios]
        lines.append(f"| {name} | {' | '.join(values)} | {report['mAP@20']:.4f} | {spread} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main(commands=app, name="belugas")
