"""`whalereid models`: the networks that are known by a short name."""

from __future__ import annotations

from typing import Any

from whalereid.cli.command import Answer
from whalereid.errors import WhalereidError, printable
from whalereid.models import known_network
from whalereid.parts import MODELS

__all__ = ["command"]


def command() -> Answer:
    """List the networks that have weights and a short name, for --model: whose they are, and what they may be used for.

    Nothing is asked of anybody: what is listed may still have to be downloaded, which `embed` does. Any network of timm
    and any repository of a hub in its layout can be named as well: --model hf-hub:OWNER/NAME.

    Example: [bold]whalereid embed --catalogue photos/ --model megadescriptor-t --out embeddings.parquet[/bold]
    """
    networks, broken = [], []
    for name in [*MODELS.own, *(name for name in MODELS if name not in MODELS.own)]:
        try:
            known = known_network(name)
            networks.append({"name": name} | ({} if known is None else known.to_dict()))
        except WhalereidError as error:  # another package's, which must not take the others down
            broken.append({"name": name, "error": str(error)})

    def show() -> None:
        from rich.console import Console
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("name", "from", "licence", "size", "wide", "photos", "trained on"):
            right, whole = column in ("size", "wide"), column in ("name", "licence")  # which people copy
            table.add_column(column, justify="right" if right else "left", overflow="fold", no_wrap=whole)
        for one in networks:
            table.add_row(*map(printable, _row(one)))
        console = Console(highlight=False, markup=False)
        console.print(table)
        console.print("\nsize: millions of parameters; wide: numbers in an embedding")
        for words in dict.fromkeys(one["restriction"] for one in networks if one["restriction"]):
            whose = ", ".join(one["name"] for one in networks if one["restriction"] == words)
            console.print(printable(f"{whose}: {words}"), soft_wrap=True)
        for one in broken:
            console.print(printable(f"{one['name']}: {one['error']}"), soft_wrap=True)

    return Answer({"networks": networks, "broken": broken}, show)


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    look = one["preprocessing"]
    height, width = look["image_size"]
    framed = {"squash": "whole", "center": "middle", "border": "bordered"}[look.get("crop_mode", "squash")]
    size = f"{one['million_parameters']:.1f}"
    photos = f"{height}×{width} {framed}"
    return one["name"], one["maker"], one["licence"], size, str(one["dim"]), photos, one["trained_on"]
