"""`whalereid train`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whalereid.cli.console import read_photos, say, say_forced
from whalereid.cli.options import (
    EPOCHS,
    FOLD,
    IMAGE_SIZE,
    MAX_PHOTO_MB,
    RATE,
    SEED,
    TRAINING_BATCH_SIZE,
    WORKERS,
    Force,
)
from whalereid.errors import WhalereidError

if TYPE_CHECKING:
    from whalereid.catalogue import Catalogue

__all__ = ["command"]


class OnError(StrEnum):
    """What to do with a photo that can't be read."""

    RAISE = "raise"
    SKIP = "skip"


class Precision(StrEnum):
    """Of the network's arithmetic."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


def command(
    catalogue: Annotated[Path, typer.Argument(metavar="CATALOGUE", help="The table of photos, or its folder.")],
    out: Annotated[Path, typer.Option(metavar="RUN", help="New folder for the network, its history and checkpoint.")],
    fold: Annotated[
        int | None,
        typer.Option(metavar="K", help="Train on all folds but this one; choose the epoch by this one.", **FOLD),
    ] = None,
    test_fold: Annotated[
        int | None,
        typer.Option(metavar="K", help="Leave this fold out altogether, to test on afterwards.", **FOLD),
    ] = None,
    folds: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Folds that `whalereid split` wrote. Without it they are the catalogue's column 'fold' or, where it "
            "has none, 5 folds --by encounter.",
        ),
    ] = None,
    valid: Annotated[
        Path | None, typer.Option(metavar="CATALOGUE", help="Other photos to choose the epoch by, in place of --fold.")
    ] = None,
    backbone: Annotated[
        str, typer.Option(metavar="NAME", help="Any timm network; larger ones want an accelerator.")
    ] = "tf_efficientnet_lite0.in1k",
    weights: Annotated[
        str,
        typer.Option(
            metavar="FILE|pretrained|random",
            help="Where the backbone starts: a state dict with timm's names (.safetensors, .pth, .bin), what timm "
            "downloads, or from scratch.",
        ),
    ] = "pretrained",
    image_size: Annotated[
        int, typer.Option(metavar="N", help="Side of the photos it sees, in pixels.", **IMAGE_SIZE)
    ] = 224,
    recipe: Annotated[str, typer.Option(metavar="NAME", help="How to train; the options below change parts.")] = (
        "default"
    ),
    epochs: Annotated[
        int | None,
        typer.Option(metavar="N", help="How often each photo is seen.", show_default="the recipe's", **EPOCHS),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(metavar="N", help="Photos a step.", show_default="the recipe's", **TRAINING_BATCH_SIZE),
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Peak learning rate; the head's keeps its ratio to it.",
            show_default="the recipe's",
            **RATE,
        ),
    ] = None,
    flip: Annotated[
        bool | None,
        typer.Option(
            "--flip/--no-flip",
            help="Mirror half of the photos in training. A mirrored left flank is no left flank.",
            show_default="mirror, unless viewpoints tell left and right apart",
        ),
    ] = None,
    patience: Annotated[
        int | None, typer.Option(metavar="N", help="Stop after this many epochs without a better one.", **EPOCHS)
    ] = None,
    precision: Annotated[
        Precision | None, typer.Option(help="Of the network's arithmetic.", show_default="the recipe's")
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Validation candidates differ from the query in it; repeatable, or 'none'.",
            show_default="encounter, where known",
        ),
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="What is told apart in training; repeatable. With identity and viewpoint each flank is its own class, "
            "as where flanks differ and only like ones are compared.",
            show_default="identity",
        ),
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Validation candidates equal the query in it; repeatable, or 'none'."),
    ] = None,
    on_error: Annotated[OnError, typer.Option(help="With a photo that can't be read.")] = OnError.RAISE,
    max_photo_mb: Annotated[float | None, typer.Option(**MAX_PHOTO_MB)] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Processes that prepare photos.", show_default="by the machine", **WORKERS),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Two trainings of one seed on one machine are equal.", **SEED)
    ] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the stopped training in RUN.")] = False,
    force: Force = False,
) -> None:
    """Train a network to tell animals apart, and keep its best epoch.

    The epoch kept is the one that ranks the validation photos best (mAP@20); without --fold or --valid, the last one.

    Ctrl-C, a kill or a full disk cost the epoch at hand: the same command with --resume goes on to the same result.

    Example: whalereid split data --by identity --out folds.csv

    Example: whalereid train data --folds folds.csv --fold 0 --out runs/first
    """
    if fold is not None and valid is not None:
        raise WhalereidError("--fold and --valid both name validation photos; give one of them.")
    if fold is not None and fold == test_fold:
        raise WhalereidError(f"--test-fold {fold} is --fold {fold} too; test on photos that no epoch was chosen by.")
    if folds is not None and fold is None and test_fold is None:
        raise WhalereidError(f"--folds {folds} needs --fold K or --test-fold K, such as --fold 0.")

    from whalereid.images import class_names
    from whalereid.models import look_for_backbone, look_for_weights
    from whalereid.training import Recipe
    from whalereid.training.folder import refuse_folder
    from whalereid.training.photos import check_files, labelled

    # All that needs no network is refused before torch is loaded.
    named = Recipe.named(recipe)
    changes: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "lr": lr, "patience": patience, "flip": flip}
    changes["precision"] = None if precision is None else precision.value
    chosen = named.but(**{name: value for name, value in changes.items() if value is not None})
    if lr is not None and named.head_lr is not None:
        chosen = chosen.but(head_lr=named.head_lr * lr / named.lr)
    say_forced(out, refuse_folder(out, resume=resume, force=force))
    look_for_backbone(backbone)
    if weights not in ("pretrained", "random"):
        look_for_weights(weights, backbone)
    photos = read_photos(catalogue)
    train, held_out = _parts(photos, fold=fold, test_fold=test_fold, folds=folds, valid=valid)
    learned = class_names(train, classes or "identity")
    if len(learned) < 2:
        kind = "identity" if classes in (None, [], ["identity"]) else "class"
        only = " ".join(learned[0]) if learned and isinstance(learned[0], tuple) else learned[0] if learned else ""
        found = f"all photos are of one {kind} ({only})" if learned else f"no {kind} is known"
        raise WhalereidError(f"{train.source}: {found} in the training part; it takes two to tell them apart.")
    for name in [*(_columns(exclude) or ()), *(_columns(match) or ())]:
        if held_out is not None:
            held_out.column(name)
    if on_error is OnError.RAISE:
        for part in (labelled(train, classes or ["identity"])[0], *([held_out] if held_out is not None else ())):
            check_files(part)
    look_for_weights(weights, backbone)  # last, since a hub that doesn't answer takes seconds

    import torch

    from whalereid.candidates import CandidateRules
    from whalereid.models import Embedder
    from whalereid.training import FitOptions, fit
    from whalereid.training.validation import default_rules

    torch.manual_seed(seed)
    net = Embedder(backbone, image_size=image_size, weights=weights)
    rules = CandidateRules() if held_out is None else default_rules(held_out)
    options = FitOptions(
        labels_from=classes or None,
        rules=rules.but(exclude=_columns(exclude), match=_columns(match)),
        on_error=on_error.value,
        seed=seed,
        workers=workers,
        resume=resume,
        force=force,
    )
    run = fit(net, None, train, held_out, recipe=chosen, out=out, options=options)
    say(f"{out} holds the network of epoch {run.best_epoch}; next: whalereid embed CATALOGUE --model {out} --out EMB")


def _parts(
    photos: Catalogue, *, fold: int | None, test_fold: int | None, folds: Path | None, valid: Path | None
) -> tuple[Catalogue, Catalogue | None]:
    """The photos to train on, and those to choose the epoch by."""
    import numpy as np

    from whalereid.splits import EncounterFolds, PredefinedFolds, Splitter, read_folds

    held_out = None if valid is None else read_photos(valid)
    if fold is None and test_fold is None:
        return photos, held_out
    splitter: Splitter
    if folds is not None:
        splitter = PredefinedFolds(read_folds(folds, photos))
    elif "fold" in photos.columns:
        splitter = PredefinedFolds(photos.frame[["image_id", "fold"]])
    else:
        splitter = EncounterFolds(5)
        say(f"No column 'fold' and no --folds: they are {splitter!r}'s, as `whalereid split` makes them.")
    trained = np.ones(len(photos), bool)
    named = (("--fold", fold), ("--test-fold", test_fold))
    for _, number in named:
        if number is not None:
            kept, taken = splitter.fold(photos, number)
            in_training = np.zeros(len(photos), bool)
            in_training[photos.rows(kept.image_ids)] = True
            trained &= in_training
            held_out = taken if number == fold else held_out
    if isinstance(splitter, PredefinedFolds):
        left_out = len(splitter.left_out(photos))
        if left_out:
            say(f"{left_out:,} of {len(photos):,} photos are left out of every fold.")
    if not trained.any():
        without = " and ".join(f"{option} {number}" for option, number in named if number is not None)
        raise WhalereidError(f"{photos.source}: the training part is empty: {without} leaves no photo to train on.")
    return photos[trained], held_out


def _columns(given: list[str] | None) -> list[str] | None:
    """The columns of an option that may also be 'none'; None where it was left out."""
    return given if given is None else [name for name in given if name != "none"]
