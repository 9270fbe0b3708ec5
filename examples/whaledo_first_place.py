"""The first place of "Where's Whale-do?" (0.4954 mAP@20), assembled from whalereid's parts.

Without arguments: the whole way on rendered belugas, from the first pixel to the score, in about five minutes; with
--data DIR on real ones, two thirds of whose animals are trained on.
With the competition's photos (docs/competition_data.md): train, embed, rank and score, each with a --help of its own.
docs/first_place.md explains the solution.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
import typer

import whalereid as wr
from whalereid.cli import main
from whalereid.cli.console import say
from whalereid.cli.options import IMAGE_SIZE, Sides
from whalereid.evaluation import check_submission
from whalereid.images.synthetic import render_dataset
from whalereid.parts import NECKS
from whalereid.ranking import only, rank_tasks, tasks_from, without
from whalereid.registry import Part

# ---------------------------------------------------------------------------------------------- the twelve networks


@dataclass(frozen=True)
class Kind:
    """One of the three kinds of network."""

    table: str  # its embeddings: a Parquet file of this name
    backbone: str
    folds: tuple[int, ...]
    transform: str
    floor: float  # what the learning rate decays towards
    paired: bool = False  # trained on a top photo and a lateral one of the same whale
    neck: dict[str, Any] | None = None  # options of a neck with a linear layer; None is BatchNorm alone


B5, V2M = "tf_efficientnet_b5.ns_jft_in1k", "efficientnetv2_rw_m"
TRIPLE: dict[str, Any] = {"copies": 3}  # the pooled vector three times over, 6144 wide, BatchNorm, then 2048
KINDS = {
    "b5-top": Kind("b5_top", B5, (0, 1, 2, 3, 4), "whaledo", 9e-6, neck=TRIPLE),
    "v2m-top": Kind("v2_top", V2M, (0, 2, 4), "whaledo-corner", 9e-6),
    "b5-lateral": Kind("b5_lateral", B5, (0, 1, 2, 4), "whaledo", 1e-6, True, TRIPLE | {"activation": "hardtanh"}),
}
WINNERS_SIZE = Sides(512, 512)
DEMO_SIZE = (128, 48)
DEMO_HEAD: dict[str, Any] = {"scale": 20, "margin": 0.2}
SMOOTH = {"antialias": True}  # small networks see little: the pixels that fall together are averaged, not sampled
WIDE = {"dim": 256} | SMOOTH
DEMO: dict[str, tuple[str, int, dict[str, Any]]] = {  # backbone, epochs, neck: what two cores train in minutes
    "b5-top": ("test_efficientnet", 12, WIDE),
    "v2m-top": ("test_resnet", 12, SMOOTH),
    "b5-lateral": ("test_resnet", 14, WIDE),
}
DEMO_RECIPE: dict[str, Any] = {"batch_size": 24, "optimizer": "adamw", "lr": 8e-3, "head_lr": 2.4e-2, "clip": 5.0,
                               "weight_decay": 1e-4, "schedule": wr.WarmupCosine(), "transform": "plain"}  # fmt: skip
WINNERS_NAMES = {"bn.": "neck.bn.", "ln.": "neck.linear."}


def network(kind: str, backbone: str | None = None, *, dim: int | None = None, as_submitted: bool = False,
            **options: Any) -> wr.Embedder:  # fmt: skip
    """Build a network; as submitted, the lateral ones run without the Hardtanh they were trained with."""
    linear = KINDS[kind].neck
    neck = Part("bn") if linear is None else Part("bn-linear", linear | ({"dim": dim} if dim else {}))
    # The winner shrank photos without antialiasing, and the networks expect it.
    options = {"image_size": 512, "portrait": True, "antialias": False} | options
    neck = without_activation(neck) if as_submitted else neck
    return wr.Embedder(backbone or KINDS[kind].backbone, "gem", neck, **options)


def without_activation(neck: Part) -> Part:
    """Leave the activation of a neck out."""
    return Part(neck.name, {key: value for key, value in neck.options.items() if key != "activation"})


def load_network(kind: str, path: str | Path, as_submitted: bool = False) -> wr.Embedder:
    """Load the winner's weight file, or a folder that `train` wrote; eval mode, (B, 3, H, W) float to (B, dim)."""
    if kind not in KINDS:
        raise wr.WhalereidError(f"Unknown kind of network {kind!r}; choose from {', '.join(KINDS)}.")
    if Path(path).is_dir():
        net = wr.Embedder.load(path)
        neck = NECKS.part(net.config["neck"])
        if as_submitted and "activation" in neck.options:
            plain = {"weights": "random", "neck": str(without_activation(neck))}
            trained, net = net, wr.Embedder.from_config(net.config | plain)
            wr.load_weights(net, trained.state_dict())
    else:
        net = network(kind, as_submitted=as_submitted, weights="random")  # until the file is loaded
        wr.load_weights(net, path, rename=WINNERS_NAMES, ignore=["final."])  # the head plays no part in an embedding
    return net.eval()


def find_weights(folder: Path) -> dict[str, dict[int, Path]]:
    """Find each kind's weights by fold: the winner's files under the names they were released with, or our runs."""
    found: dict[str, dict[int, Path]] = {kind: {} for kind in KINDS}
    for path in sorted(folder.iterdir() if folder.is_dir() else []):
        fold = re.search(r"_f(\d)_|-fold(\d)$", path.name)
        if fold and (path.suffix == ".bin" or (path / "model.safetensors").is_file()):
            lateral = "literal" in path.name or "lateral" in path.name  # the winner wrote "literal", and b2 for b5
            kind = "b5-lateral" if lateral else "v2m-top" if re.search("v2_rw_m|v2m", path.name) else "b5-top"
            found[kind][int(fold[1] or fold[2])] = path
    for kind, files in found.items():
        if not files:
            raise wr.WhalereidError(f"{folder}: no weights of {kind} there; `train` them, or download the winner's.")
    return found


# -------------------------------------------------------------------------------------------------------- training


def recipe(kind: str, *, as_submitted: bool = False, **changes: Any) -> wr.Recipe:
    """How the winner trained; as submitted also by accident: no shuffling, and the epoch of lowest loss."""
    ramp = wr.RampThenDecay(ramp=15, start=0.01, floor=KINDS[kind].floor / 1e-3, decay=0.8, steps_per_epoch=2)
    winners = wr.Recipe(
        epochs=20, batch_size=12, optimizer="adam", lr=1e-3, head_lr=None, weight_decay=0.0, clip=None, schedule=ramp,
        transform=KINDS[kind].transform, precision="fp32", shuffle=not as_submitted,
        select_by="loss" if as_submitted else "mAP",
    )  # fmt: skip
    return winners.but(**changes)


def split(photos: wr.Catalogue, kind: str, fold: int) -> tuple[wr.Catalogue, wr.Catalogue]:
    """Part the top photos into training and validation; the paired kind has those of whales with lateral photos."""
    top = photos.filter(viewpoint="top")
    if KINDS[kind].paired:
        top = top.filter(identity=list(photos.filter(viewpoint=["left", "right"]).identities))
    return wr.PhotoFolds(5, seed=42).fold(top, fold)


def train_network(photos: wr.Catalogue, kind: str, fold: int, out: Path, net: wr.Embedder, how: wr.Recipe,
                  *, as_submitted: bool = False, **head: Any) -> None:  # fmt: skip
    """Train one network into a folder of its own, `KIND-foldK`; one that was begun is continued."""
    train, valid = split(photos, kind, fold)
    look, names = net.preprocessing, list(photos.identities)
    augment = wr.TRAINING_TRANSFORMS[how.transform](look.image_size, look.mean, look.std, antialias=look.antialias)
    items: wr.PhotoDataset | wr.CrossViewPairs
    if KINDS[kind].paired:
        lateral = photos.filter(viewpoint=["left", "right"])
        held = np.arange(len(lateral)) % 5 == fold
        # As submitted: the same lateral photos on both sides, partners drawn once, and 508 classes without a pair.
        ours, theirs = (lateral, lateral) if as_submitted else (lateral[~held], lateral[held])
        valid = photos.subset([*valid.image_ids, *theirs.image_ids])
        items = wr.CrossViewPairs(photos.subset([*train.image_ids, *ours.image_ids]), augment, portrait=True, seed=fold,
                                  identities=names if as_submitted else None)  # fmt: skip
        items = items.fix_partners() if as_submitted else items
    else:
        items = wr.PhotoDataset(train, augment, identities=names, portrait=True, seed=fold)
    run_folder = out / f"{kind}-fold{fold}"
    say(f"{run_folder}: {len(items)} photos{' in pairs' if KINDS[kind].paired else ''}, {len(valid)} to validate")
    arcface = wr.ElasticArcFace(net.dim, len(items.identities), **{"scale": 30, "margin": 0.5, "std": 0.0125} | head)
    resume = (run_folder / "run.json").exists()
    wr.fit(net, arcface, items, valid, recipe=how, out=run_folder, options=wr.FitOptions(seed=fold, resume=resume))


# ------------------------------------------------------------------------------------- embedding, ranking, the score


def embed_photos(photos: wr.Catalogue, weights: Path, out: Path, *, as_submitted: bool = False,
                 one_at_a_time: bool = False, **options: Any) -> None:  # fmt: skip
    """Embed photo and mirror image with every network; one table a kind, its networks side by side."""
    found = find_weights(weights)
    say(f"{sum(map(len, found.values()))} of 12 networks: {', '.join(f'{k} {sorted(f)}' for k, f in found.items())}")
    paths = {f"{kind}-fold{fold}": path for kind in KINDS for fold, path in sorted(found[kind].items())}
    made: dict[str, wr.Embeddings] = {}
    how = wr.Extraction(flip=True, **options)
    for names in [[name] for name in paths] if one_at_a_time else [list(paths)]:
        nets = {name: load_network(name.rpartition("-")[0], paths[name], as_submitted) for name in names}
        made |= wr.embed_many(nets, photos, extraction=how, out={n: out / "networks" / n for n in names})
    for kind, spec in KINDS.items():
        parts = [made[name] for name in paths if name.startswith(kind)]
        wr.Embeddings.concatenate(parts).write(out / f"{spec.table}.parquet")


def solution(tables: dict[str, wr.Embeddings]) -> wr.ViewRoutes:
    """Route a scenario by the viewpoints of its queries and its database."""

    def mix(**weights: float) -> wr.Ensemble:
        return wr.Ensemble([wr.Member(name, tables[name], weight) for name, weight in weights.items()], clip=(0, 1))

    top, lateral, both = mix(b5_top=0.75, v2_top=0.25), mix(b5_lateral=1), mix(b5_lateral=0.75, v2_top=0.25)
    # None: the winner scored the whole database anew
    usual = wr.Expand(weights=(0.4, 0.4, 0.2), power=7, shortlist=None)
    chained = wr.Expand(weights=(0.2, 0.4, 0.4), power=7, by=top, anchors="chain", shortlist=None)
    return wr.ViewRoutes([
        wr.Route("top/top", top, usual, queries=only("top"), database=only("top")),
        wr.Route("lateral/top", lateral, chained, queries=without("top"), database=only("top")),
        wr.Route("top/lateral", lateral, usual, queries=only("top"), database=without("top")),
        wr.Route("anything else", both, usual),
    ])  # fmt: skip


def require_scenarios(photos: wr.Catalogue) -> None:
    """Refuse photos without scenarios."""
    if not photos.scenarios:
        raise wr.WhalereidError(f"{photos.source}: no scenarios there (query_scenarios.csv); nothing to rank.")


def rank_scenarios(photos: wr.Catalogue, tables: dict[str, wr.Embeddings], *, as_submitted: bool = False) -> wr.Ranking:
    """Rank every scenario by its route; best 20 a query, scores in [0, 1]."""
    require_scenarios(photos)
    ways, rankings, slipped = solution(tables), [], False
    for task in tasks_from(photos):
        if not task.database_images:
            raise wr.WhalereidError(f"{photos.source}, {task.name}: its database is empty; give it photos.")
        queries, database = photos.subset(task.query_images), photos.subset(task.database_images)
        route = ways.pick(queries, database)
        if as_submitted and slipped:  # after the first other scenario, top/top used the lateral networks' table too
            route = ways.routes[-1] if route.name == "top/top" else route
        slipped |= route.name != "top/top"
        say(f"{task.name}: {len(queries)} queries among {len(database)} photos, {route.name}")
        rankings.append(route.rank(queries, database, k=20, query_ids=task.query_ids))
    return wr.Ranking.concat(rankings)


def show_scores(rankings: dict[str, wr.Ranking], labels: Any, photos: wr.Catalogue | None = None) -> dict[str, float]:
    """Print mAP@20 of all queries pooled, of each scenario and, with the photos' table, of each pair of viewpoints."""
    reports = {
        name: wr.evaluate(labels, r, k=20, catalogue=photos, bootstrap=wr.Bootstrap(resamples=0))
        for name, r in rankings.items()
    }
    columns: dict[str, pd.Series] = {}
    for name, report in reports.items():
        groups = pd.concat([report.by(what) for what in ["scenario", "viewpoint-pair"][: 1 if photos is None else 2]])
        groups.loc["all, pooled", ["queries", "mAP@20"]] = [report.counts["queries"], report["mAP@20"]]
        columns |= {"queries": groups["queries"].astype(int), name: groups["mAP@20"]}
    print(pd.DataFrame(columns).to_string(float_format="{:.4f}".format))
    return {name: report["mAP@20"] for name, report in reports.items()}


# ------------------------------------------------------------------------------------------------- the commands

app = typer.Typer(help=__doc__, add_completion=False, rich_markup_mode=None)
Data = Annotated[Path, typer.Option(help="The competition's folder, or a LILA archive as it unpacks.")]
AsSubmitted = Annotated[bool, typer.Option("--as-submitted", help="With the winner's slips, to reproduce 0.4954.")]


@app.command()
def train(
    data: Data,
    kind: Annotated[Literal["b5-top", "v2m-top", "b5-lateral"], typer.Option("--network")],
    out: Annotated[Path, typer.Option(help="Folder of the runs; each has its own, KIND-foldK.")],
    fold: Annotated[int | None, typer.Option(help="One of the kind's folds; by default all in turn.")] = None,
    backbone: Annotated[str | None, typer.Option(help="Another timm network, for small machines.")] = None,
    weights: Annotated[str, typer.Option(help="The backbone's: FILE, pretrained or random.")] = "pretrained",
    image_size: Annotated[Sides, typer.Option(help="In pixels.", show_default="512", **IMAGE_SIZE)] = WINNERS_SIZE,
    epochs: int = 20,
    batch_size: int = 12,
    as_submitted: AsSubmitted = False,
) -> None:
    """Train the networks of one kind; a run that was stopped is continued."""
    if fold is not None and fold not in KINDS[kind].folds:
        raise wr.WhalereidError(f"--fold {fold}: {kind} has folds {', '.join(map(str, KINDS[kind].folds))}.")
    photos, how = wr.Catalogue.read(data), recipe(kind, as_submitted=as_submitted, epochs=epochs, batch_size=batch_size)
    for k in KINDS[kind].folds if fold is None else [fold]:
        net = network(kind, backbone, image_size=image_size, weights=weights)
        train_network(photos, kind, k, out, net, how, as_submitted=as_submitted)


@app.command()
def embed(
    data: Data,
    weights: Annotated[Path, typer.Option(help="Folder of the winner's .bin files, or of runs.")],
    out: Annotated[Path, typer.Option(help="Folder for the three tables.")],
    precision: Annotated[str, typer.Option(help="fp32, bf16, fp16, or auto: what the hardware has.")] = "fp32",
    one_at_a_time: Annotated[bool, typer.Option("--one-at-a-time", help="For small memories.")] = False,
    as_submitted: AsSubmitted = False,
) -> None:
    """Embed every photo with all twelve networks; what is done already is kept."""
    embed_photos(wr.Catalogue.read(data), weights, out, as_submitted=as_submitted, one_at_a_time=one_at_a_time,
                 precision=precision)  # fmt: skip


@app.command()
def rank(
    data: Data,
    embeddings: Annotated[Path, typer.Option(help="Folder that `embed` wrote.")],
    out: Annotated[Path, typer.Option(help="The submission file.")],
    as_submitted: AsSubmitted = False,
) -> None:
    """Rank every scenario and write the submission."""
    tables = {kind.table: wr.Embeddings.read(embeddings / f"{kind.table}.parquet") for kind in KINDS.values()}
    rank_scenarios(wr.Catalogue.read(data), tables, as_submitted=as_submitted).write(out)


@app.command()
def score(
    submission: Annotated[Path, typer.Option(help="query_id, database_image_id, score.")],
    labels: Annotated[Path, typer.Option(help="query_id, database_image_id.")],
    data: Annotated[Path | None, typer.Option(help="The photos, for the score of each pair of viewpoints.")] = None,
) -> None:
    """Score a submission as the competition did, but that a query without prediction scores 0."""
    show_scores({"mAP@20": check_submission(submission)}, labels, wr.Catalogue.read(data) if data else None)


@app.callback(invoke_without_command=True)
def demo(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="The demo's folder.")] = Path("demo"),
    data: Annotated[Path | None, typer.Option(help="Real photos and scenarios, instead of rendered ones.")] = None,
) -> None:
    """Without a command: render belugas, train a small network of each kind, embed, rank and score."""
    if context.invoked_subcommand is not None:
        return
    torch.set_num_threads(1)  # networks this small are no quicker on more; the other core prepares photos
    photos = render_dataset(out / "belugas") if data is None else wr.Catalogue.read(data)
    require_scenarios(photos)
    if data is None:
        known, unseen = photos.filter(split="train"), photos.filter(split="test")
    else:
        known, unseen = wr.IdentityFolds(3, seed=0).first(photos)
    for kind, (backbone, epochs, neck) in DEMO.items():
        torch.manual_seed(0)
        net = network(kind, backbone, weights="random", image_size=DEMO_SIZE, **neck)
        how = recipe(kind, epochs=epochs, **DEMO_RECIPE)
        train_network(known, kind, 0, out / "runs", net, how, **DEMO_HEAD)
    embed_photos(unseen, out / "runs", out / "embeddings")
    tables = {kind.table: wr.Embeddings.read(out / "embeddings" / f"{kind.table}.parquet") for kind in KINDS.values()}
    asked = unseen.with_scenarios([task.without(known.image_ids) for task in photos.scenarios])
    submission = rank_scenarios(asked, tables)
    submission.write(out / "submission.csv")
    baseline = rank_tasks(
        wr.Ensemble([wr.Member("pixels", wr.raw_pixels(unseen, portrait=True))]), asked, tasks_from(asked)
    )
    print("\nmAP@20 on whales and encounters that no network saw:")
    labels = wr.Protocol.from_catalogue(asked).labels
    show_scores({"ensemble": submission, "raw pixels": baseline}, labels, asked)
    print(f"\nThe submission is {out / 'submission.csv'}. Next, photos of your own, as a table of image_id, path and")
    print("identity, or in one folder per animal: whalereid check --catalogue PHOTOS, then on as README.md shows.")


if __name__ == "__main__":
    main(commands=app, name="whaledo_first_place")
