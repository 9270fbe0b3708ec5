"""`whalereid embed`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from whalereid.cli.console import read_photos, say, say_forced
from whalereid.cli.options import BATCH_SIZE, DEVICE, MAX_PHOTO_MB, WORKERS, Force

__all__ = ["command"]


class Precision(StrEnum):
    """What the backbone computes in."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


class OnError(StrEnum):
    """What becomes of a photo that can't be read."""

    RAISE = "raise"
    SKIP = "skip"


def command(
    catalogue: Annotated[Path, typer.Argument(metavar="CATALOGUE", help="The table of photos, or its folder.")],
    model: Annotated[Path, typer.Option(metavar="RUN", help="The network: the folder that `whalereid train` wrote.")],
    out: Annotated[
        Path,
        typer.Option(
            metavar="EMBEDDINGS",
            help="Where to write them: NAME.parquet is one file, any other name a folder of parts.",
        ),
    ],
    flip: Annotated[
        bool, typer.Option("--flip", help="Embed the mirror image too, and keep the mean of the two vectors.")
    ] = False,
    precision: Annotated[
        Precision, typer.Option(help="auto: half precision where the hardware computes in it natively.")
    ] = Precision.AUTO,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Photos at a time.", show_default="by image size", **BATCH_SIZE)
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Processes that decode.", show_default="by machine", **WORKERS)
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="Such as cpu or cuda:1.", show_default="the accelerator, if there is one", **DEVICE),
    ] = None,
    on_error: Annotated[
        OnError, typer.Option(help="A photo that can't be read stops it, or is left out and listed at the end.")
    ] = OnError.RAISE,
    force: Force = False,
    max_photo_mb: Annotated[float | None, typer.Option(**MAX_PHOTO_MB)] = None,
) -> None:
    """Turn photos into embeddings, once, and keep them.

    Stopped, it goes on where it was when run again. Photos that have been added to the table since are added to the
    embeddings. Embeddings made otherwise (other weights, size, flip, precision) are never mixed in.

    Example: whalereid embed data/metadata.csv --model runs/beluga --out beluga.parquet --flip
    """
    # The cheapest first: what can't be is said before the seconds that torch takes to load.
    from whalereid.embeddings.store import check_place
    from whalereid.models import look_at

    look_at(model)
    say_forced(out, check_place(out, inputs=[catalogue, model], force=force))

    photos = read_photos(catalogue)

    from whalereid.embeddings import Extraction, embed
    from whalereid.models import Embedder

    network = Embedder.load(model)
    extraction = Extraction(precision.value, device, batch_size, workers, flip, on_error.value)
    made = embed(network, photos, extraction=extraction, out=out, force=force)
    say(f"{out}: embeddings of {len(made):,} photos, {made.dim:,} wide, computed in {made.provenance['precision']}.")
