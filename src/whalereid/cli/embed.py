"""`whalereid embed`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whalereid.cli.command import Answer
from whalereid.cli.console import read_photos, say, say_forced, shows_progress, warn
from whalereid.cli.options import (
    BACKGROUND,
    BATCH_SIZE,
    DEVICE,
    IMAGE_SIZE,
    INPUT,
    MACHINE,
    MAX_PHOTO_MB,
    OUTPUT,
    PAD,
    WORKERS,
    Background,
    CatalogueOption,
    Force,
    OnError,
    Precision,
    Sides,
    complete,
    part_option,
)
from whalereid.errors import WhalereidError
from whalereid.parts import MODELS, POOLINGS
from whalereid.registry import Part
from whalereid.registry.signatures import options_of_source

if TYPE_CHECKING:
    from whalereid.images import Crop

__all__ = ["command"]

HOW, AS_TRAINED = "How to embed", "as RUN was trained"


def _changes(text: str | dict[str, Any]) -> dict[str, Any]:
    """Read ``key=value,...`` as fields of a Preprocessing; nothing is imported for it."""
    if isinstance(text, dict):
        return text
    known = {option.name: option for option in options_of_source("whalereid.models.preprocessing:Preprocessing")}
    try:
        given = Part.parse(f"preprocessing:{text}").options
        unknown = [name for name in given if name not in known]
        if unknown:
            raise WhalereidError(f"{unknown[0]!r:.60} is unknown; it has {', '.join(known)}.")
        return {name: known[name].read(value, name) for name, value in given.items()}
    except WhalereidError as error:
        raise typer.BadParameter(str(error)) from error


def command(
    *,
    catalogue: CatalogueOption,
    model: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="The network: the folder that `whalereid train` wrote; a name that `whalereid models` lists; a timm "
            "name; hf-hub:OWNER/NAME, or a folder in that layout; or, with --backbone, a file of weights.",
            autocompletion=complete(MODELS),
            rich_help_panel=INPUT,
        ),
    ],
    backbone: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of which timm architecture a file of weights is.", rich_help_panel=INPUT),
    ] = None,
    on_error: Annotated[
        OnError,
        typer.Option(
            help="A photo that can't be read stops it, or is left out and listed at the end.", rich_help_panel=INPUT
        ),
    ] = OnError.RAISE,
    max_photo_mb: Annotated[float | None, typer.Option(**MAX_PHOTO_MB)] = None,
    pad: Annotated[float | None, typer.Option(show_default=AS_TRAINED, **PAD)] = None,
    background: Annotated[Background | None, typer.Option(show_default=AS_TRAINED, **BACKGROUND)] = None,
    pooling: Annotated[
        Part | None,
        typer.Option(
            help="Another than a network of others brings, such as avg or cls of a vision transformer.",
            show_default="the network's",
            rich_help_panel=HOW,
            **part_option(POOLINGS),
        ),
    ] = None,
    image_size: Annotated[
        Sides | None,
        typer.Option(
            help="Size of the photos, in pixels, instead of what a network of others was made for.",
            show_default="the network's",
            rich_help_panel=HOW,
            **IMAGE_SIZE,
        ),
    ] = None,
    preprocessing: Annotated[
        dict[str, Any] | None,
        typer.Option(
            metavar="KEY=VALUE,...",
            help="In what photos are to look otherwise than a network's makers say, such as crop_mode=squash. A wrong "
            "look degrades matches silently.",
            show_default="the network's",
            rich_help_panel=HOW,
            parser=_changes,
        ),
    ] = None,
    flip: Annotated[
        bool,
        typer.Option(
            "--flip", help="Embed the mirror image too, and keep the mean of the two vectors.", rich_help_panel=HOW
        ),
    ] = False,
    precision: Annotated[
        Precision,
        typer.Option(help="auto: half precision where the hardware computes in it natively.", rich_help_panel=HOW),
    ] = Precision.AUTO,
    batch_size: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Photos at a time.",
            show_default="by image size",
            rich_help_panel=MACHINE,
            **BATCH_SIZE,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Processes that decode.",
            show_default="by machine",
            rich_help_panel=MACHINE,
            **WORKERS,
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="Such as cpu or cuda:1.",
            show_default="the accelerator, if there is one",
            rich_help_panel=MACHINE,
            **DEVICE,
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            metavar="EMBEDDINGS",
            help="Where to write them: NAME.parquet is one file, any other name a folder of parts.",
            rich_help_panel=OUTPUT,
        ),
    ],
    force: Force = False,
) -> Answer:
    """Turn photos into embeddings, once, and keep them.

    Stopped, it goes on where it was when run again. Photos that have been added to the table since are added to the
    embeddings. Embeddings made otherwise (other weights, size, flip, precision, crop) are never mixed in.

    Photos are cut as RUN was trained, unless --pad or --background say otherwise.

    A network of others needs no training: it brings its own size, crop and normalisation. Where its licence restricts
    what may be done with it, that is said.

    Example: [bold]whalereid embed --catalogue data/metadata.csv --model runs/beluga --out beluga.parquet --flip[/bold]

    Example: [bold]whalereid embed --catalogue photos/ --model lite0 --out lite0.parquet[/bold]
    """
    # The cheapest first: what can't be is said before the seconds that torch takes to load.
    from whalereid.embeddings.store import check_place
    from whalereid.models import read_source

    if image_size is not None:
        if "image_size" in (preprocessing or {}):
            raise WhalereidError("--image-size and --preprocessing both say the size of photos; give one of them.")
        preprocessing = {**(preprocessing or {}), "image_size": image_size}
    source = read_source(model, backbone)
    source.check_changes(pooling, preprocessing)
    source.look()
    say_forced(out, check_place(out, inputs=[catalogue, source.path], force=force))
    crop = _crop(source.path, pad, background)

    photos = read_photos(catalogue)
    crop.check(photos)
    source.fetch()

    from whalereid.embeddings import Extraction, embed
    from whalereid.models import Embedder, words_on

    extraction = Extraction(precision.value, device, batch_size, workers, flip, on_error.value, crop)
    net = Embedder.load(
        model, backbone=backbone, pooling=None if pooling is None else str(pooling), preprocessing=preprocessing
    )
    for words in words_on(net):
        say(words)
    made = embed(net, photos, extraction=extraction, out=out, force=force, progress=shows_progress())
    used = made.provenance["precision"]
    say(f"{out}: embeddings of {len(made):,} photos, {made.dim:,} wide, computed in {used}.")
    left_out = len(photos) - int(photos.frame["image_id"].isin(made.ids).sum())
    found = {"out": str(out), "photos": len(made), "left_out": left_out, "dim": made.dim, "precision": used}
    return Answer(
        found | {"flip": flip, "crop": crop.to_dict(), "card": None if net.card is None else net.card.to_dict()}
    )


def _crop(model: Path | None, pad: float | None, background: Background | None) -> Crop:
    """How to cut photos: as RUN was trained, but for what is asked for; says where the two differ."""
    from whalereid.images import Crop
    from whalereid.models.config import RUN
    from whalereid.training import crop_of

    trained = Crop() if model is None else crop_of(model)
    crop = Crop(trained.pad if pad is None else pad, background or trained.background)
    if model is not None and crop != trained and (model / RUN).is_file():
        warn(f"photos are cut with {crop.in_words()}; {model} was trained with {trained.in_words()}.")
    elif crop != Crop():
        say(f"photos are cut with {crop.in_words()}" + ("" if model is None else f", as {model} was trained") + ".")
    return crop
