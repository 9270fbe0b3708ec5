"""Networks of others as folders in a hub's layout, and photos cut by hostile masks and boxes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.case import Case
from hostile.inputs import BROKEN
from hostile.world import EMBED

CONFIG = {"architecture": "test_resnet", "pretrained_cfg": {"input_size": [3, 32, 32], "license": "mit"}}
PAGES = {
    "an endless licence": "---\nlicense:" + " " * 500_000 + "#\n---\n",
    "a licence of escapes": "---\nlicense: \x1b[2J\x07\n---\n",
    "a licence of markup": "---\nlicense: <script>alert(1)</script>\n---\n",
    "bytes that aren't UTF-8": b"---\nlicense: \xff\xfe\n---\n",
}
MASKS = (
    "[[NaN, 1, 2, 3, 4, 5]]",
    '{"size": [64, 64], "counts": [0, 9223372036854775807]}',
    "../../etc/passwd",
    "[" * 99_999,
)


def cases(chosen: random.Random) -> Iterator[Case]:
    for name, content in BROKEN.items():
        yield _of_a_hub(f"whose config.json is {name}", lambda f, c=content: (f / "hub/config.json").write_bytes(c))
    for key, value in (
        ("architecture", "../x"),
        ("architecture", "nosuch_network"),
        ("architecture", ["x"]),
        ("architecture", "\x1b[2J"),
        ("model_args", {"img_size": 10**9}),
        ("model_args", {"in_chans": 10**9}),
        ("model_args", {"__class__": 1}),
        ("model_args", [1]),
        ("pretrained_cfg", {"input_size": [3, 10**9, 10**9]}),
        ("pretrained_cfg", {"mean": [float("nan")] * 3}),
        ("pretrained_cfg", {"crop_pct": -1}),
        ("model_type", "miewid"),
    ):
        yield _of_a_hub(f"whose {key} is {str(value)[:30]!r}", lambda f, k=key, v=value: _configure(f, {k: v}))
    for name, page in PAGES.items():
        text = page if isinstance(page, bytes) else page.encode()
        yield _of_a_hub(f"whose page has {name}", lambda f, t=text: (f / "hub/README.md").write_bytes(t), "either")
    for mask in MASKS:
        for options in ("--pad 1", "--background blur"):
            yield Case(
                f"embed {options}, with the mask {mask[:20]!r}",
                [*EMBED.replace("photos.csv", "masked.csv").split(), *options.split(), "--out", "n.parquet"],
                prepare=_masked(mask),
                wanted="either" if options == "--pad 1" else "refused",
                writes=("n.parquet",),
                limit=30,
            )


def _of_a_hub(name: str, change: Callable[[Path], Any], wanted: str = "refused") -> Case:
    def prepare(folder: Path) -> None:
        (folder / "hub").mkdir()
        _configure(folder, {})
        (folder / "hub/model.safetensors").write_bytes((folder / "run/model.safetensors").read_bytes())
        change(folder)

    line = [*EMBED.replace("--model run", "--model hub").split(), "--out", "n.parquet"]
    return Case(f"embed by a folder {name}", line, prepare=prepare, wanted=wanted, writes=("n.parquet",), limit=30)


def _configure(folder: Path, fields: dict[str, Any]) -> None:
    (folder / "hub/config.json").write_text(json.dumps(CONFIG | fields))


def _masked(mask: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> None:
        import csv

        rows = [["image_id", "path", "bbox", "mask"], ["a", "images/0_0.png", "4 4 40 40", mask]]
        with (folder / "data/masked.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)

    return prepare
