"""`whalereid train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whalereid.cli.command import Answer
from whalereid.cli.console import read_photos, refuse_absent, say, say_forced, shows_progress
from whalereid.cli.folds import count_classes, training_parts
from whalereid.cli.options import (
    BACKGROUND,
    EPOCHS,
    FOLD,
    IMAGE_SIZE,
    INPUT,
    MACHINE,
    MAX_PHOTO_MB,
    OUTPUT,
    PAD,
    RATE,
    SEED,
    TRAINING_BATCH_SIZE,
    WORKERS,
    Background,
    CatalogueOption,
    Force,
    OnError,
    Precision,
    Sides,
    part_option,
)
from whalereid.cli.recipes import columns_of, recipe_of
from whalereid.errors import WhalereidError
from whalereid.parts import BATCHES, HEADS, MINERS, NECKS, POOLINGS, RULES
from whalereid.registry import Part

__all__ = ["command"]

_SQUARE = Sides(224, 224)

NETWORK, TRAINING, CHOOSING = "The network", "How to train", "How to choose the epoch"


def command(
    *,
    catalogue: CatalogueOption,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="What is told apart in training; repeatable. With identity and viewpoint each flank is its own class, "
            "as where flanks differ and only like ones are compared.",
            show_default="identity",
            rich_help_panel=INPUT,
        ),
    ] = None,
    on_error: Annotated[
        OnError, typer.Option(help="With a photo that can't be read.", rich_help_panel=INPUT)
    ] = OnError.RAISE,
    max_photo_mb: Annotated[float | None, typer.Option(**MAX_PHOTO_MB)] = None,
    pad: Annotated[float, typer.Option(**PAD)] = 0,
    background: Annotated[Background, typer.Option(**BACKGROUND)] = Background.KEEP,
    fold: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            help="Train on all folds but this one; choose the epoch by this one.",
            rich_help_panel=CHOOSING,
            **FOLD,
        ),
    ] = None,
    test_fold: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            help="Leave this fold out altogether, to test on afterwards.",
            rich_help_panel=CHOOSING,
            **FOLD,
        ),
    ] = None,
    folds: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Folds that `whalereid split` wrote. Without it they are the catalogue's column 'fold' or, where it "
            "has none, 5 folds --by encounter.",
            rich_help_panel=CHOOSING,
        ),
    ] = None,
    valid: Annotated[
        Path | None,
        typer.Option(
            metavar="CATALOGUE",
            help="Other photos to choose the epoch by, in place of --fold.",
            rich_help_panel=CHOOSING,
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Validation candidates differ from the query in it; repeatable, or 'none'.",
            show_default="encounter, where known",
            rich_help_panel=CHOOSING,
        ),
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Validation candidates equal the query in it; repeatable, or 'none'.",
            rich_help_panel=CHOOSING,
        ),
    ] = None,
    rule: Annotated[
        list[Part] | None,
        typer.Option(
            help="A further rule for validation candidates, like within-days:days=30; repeatable. "
            "An unknown value matches nothing, and with unknown=anything all.",
            rich_help_panel=CHOOSING,
            **part_option(RULES),
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Stop after this many epochs without a better one.", rich_help_panel=CHOOSING, **EPOCHS
        ),
    ] = None,
    backbone: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Any timm network, or one that `whalereid models` lists; larger ones want an accelerator.",
            rich_help_panel=NETWORK,
        ),
    ] = "tf_efficientnet_lite0.in1k",
    weights: Annotated[
        str,
        typer.Option(
            metavar="FILE|pretrained|random",
            help="Where the backbone starts: a state dict with timm's names (.safetensors, .pth, .bin), what timm "
            "downloads, or from scratch.",
            rich_help_panel=NETWORK,
        ),
    ] = "pretrained",
    image_size: Annotated[
        Sides,
        typer.Option(
            help="Size of the photos it sees, in pixels.", show_default="224", rich_help_panel=NETWORK, **IMAGE_SIZE
        ),
    ] = _SQUARE,
    pooling: Annotated[
        Part | None,
        typer.Option(
            help="From its feature maps to a vector.",
            show_default="gem",
            rich_help_panel=NETWORK,
            **part_option(POOLINGS),
        ),
    ] = None,
    neck: Annotated[
        Part | None,
        typer.Option(
            help="Between pooling and embedding.", show_default="bn", rich_help_panel=NETWORK, **part_option(NECKS)
        ),
    ] = None,
    recipe: Annotated[
        str,
        typer.Option(metavar="NAME", help="How to train; the options below change parts.", rich_help_panel=TRAINING),
    ] = "default",
    head: Annotated[
        Part | None,
        typer.Option(
            help="What the network's embeddings are trained by.",
            show_default="elastic-arcface",
            rich_help_panel=TRAINING,
            **part_option(HEADS),
        ),
    ] = None,
    miner: Annotated[
        Part | None,
        typer.Option(help="Which pairs of a batch it looks at.", rich_help_panel=TRAINING, **part_option(MINERS)),
    ] = None,
    batches: Annotated[
        Part | None,
        typer.Option(help="Which photos make a batch.", rich_help_panel=TRAINING, **part_option(BATCHES)),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="How often each photo is seen.",
            show_default="the recipe's",
            rich_help_panel=TRAINING,
            **EPOCHS,
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Photos a step.",
            show_default="the recipe's",
            rich_help_panel=TRAINING,
            **TRAINING_BATCH_SIZE,
        ),
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Peak learning rate; the head's keeps its ratio to it.",
            show_default="the recipe's",
            rich_help_panel=TRAINING,
            **RATE,
        ),
    ] = None,
    flip: Annotated[
        bool | None,
        typer.Option(
            "--flip/--no-flip",
            help="Mirror half of the photos in training. A mirrored left flank is no left flank.",
            show_default="mirror, unless viewpoints tell left and right apart",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Two trainings of one seed on one machine are equal.",
            rich_help_panel=TRAINING,
            **SEED,
        ),
    ] = 0,
    precision: Annotated[
        Precision | None,
        typer.Option(help="Of the network's arithmetic.", show_default="the recipe's", rich_help_panel=MACHINE),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Processes that prepare photos.",
            show_default="by the machine",
            rich_help_panel=MACHINE,
            **WORKERS,
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            metavar="RUN", help="New folder for the network, its history and checkpoint.", rich_help_panel=OUTPUT
        ),
    ],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the stopped training in RUN.", rich_help_panel=OUTPUT)
    ] = False,
    force: Force = False,
) -> Answer:
    """Train a network to tell animals apart, and keep its best epoch.

    The epoch kept is the one that ranks the validation photos best (mAP@20); without --fold or --valid, the last one.

    Ctrl-C, a kill or a full disk cost the epoch at hand: the same command with --resume goes on to the same result.

    Example: [bold]whalereid split --catalogue data --by identity --out folds.csv[/bold]

    Example: [bold]whalereid train --catalogue data --folds folds.csv --fold 0 --out runs/first[/bold]
    """
    if fold is not None and valid is not None:
        raise WhalereidError("--fold and --valid both name validation photos; give one of them.")
    if fold is not None and fold == test_fold:
        raise WhalereidError(f"--test-fold {fold} is --fold {fold} too; test on photos that no epoch was chosen by.")
    if folds is not None and fold is None and test_fold is None:
        raise WhalereidError(f"--folds {folds} needs --fold K or --test-fold K, such as --fold 0.")
    if folds is not None:
        refuse_absent(folds, what="file")

    from whalereid.candidates import CandidateRules
    from whalereid.images import Crop
    from whalereid.models import look_for_backbone, look_for_weights
    from whalereid.training.folder import refuse_folder
    from whalereid.training.photos import check_files, labelled

    # All that needs no network is refused before torch is loaded.
    chosen = recipe_of(
        recipe,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        patience=patience,
        flip=flip,
        precision=precision,
        head=head,
        miner=miner,
        batches=batches,
    )
    rules = [RULES.make(part) for part in rule or ()]
    say_forced(out, refuse_folder(out, resume=resume, force=force))
    look_for_backbone(backbone)
    if weights not in ("pretrained", "random"):
        look_for_weights(weights, backbone)
    photos = read_photos(catalogue)
    train, held_out = training_parts(photos, fold=fold, test_fold=test_fold, folds=folds, valid=valid)
    n_classes = count_classes(train, classes or ["identity"])
    for name in [*(columns_of(exclude) or ()), *(columns_of(match) or ())]:
        if held_out is not None:
            held_out.column(name)
    if held_out is not None:
        CandidateRules(rules=rules).mask(held_out, held_out)  # refuses columns that aren't there
    crop = Crop(pad, background)
    for part in (labelled(train, classes or ["identity"])[0], *([held_out] if held_out is not None else ())):
        crop.check(part)
        if on_error is OnError.RAISE:
            check_files(part, crop)
    look_for_weights(weights, backbone)  # last, since a hub that doesn't answer takes seconds

    import torch

    from whalereid.models import Embedder
    from whalereid.training import FitOptions, fit
    from whalereid.training.validation import default_rules

    torch.manual_seed(seed)
    net = Embedder(backbone, pooling or "gem", neck or "bn", image_size=image_size, weights=weights)
    usual = CandidateRules() if held_out is None else default_rules(held_out)
    options = FitOptions(
        labels_from=classes or None,
        rules=CandidateRules.of([*usual.but(exclude=columns_of(exclude), match=columns_of(match)).rules, *rules]),
        on_error=on_error.value,
        crop=crop,
        seed=seed,
        workers=workers,
        resume=resume,
        force=force,
        progress=shows_progress(),
    )
    run = fit(net, None, train, held_out, recipe=chosen, out=out, options=options)
    next_is = f"whalereid embed --catalogue CATALOGUE --model {out} --out EMB"
    say(f"{out} holds the network of epoch {run.best_epoch}; next: {next_is}")
    best = run.history.set_index("epoch").loc[run.best_epoch]
    found = {"out": str(out), "epochs": len(run.history), "best_epoch": run.best_epoch, "classes": n_classes}
    return Answer(found | {"best": best.to_dict(), "untrained": run.untrained})
