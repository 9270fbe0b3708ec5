"""Photos that are damaged, enormous, swapped, or no photos."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.case import Case
from hostile.world import EMBED, RANK, TRAIN

JPEG, PNG = "data/images/0_1.jpg", "data/images/0_0.png"
OUT = ("n.parquet",)


def cases(chosen: random.Random) -> Iterator[Case]:
    damages: dict[str, Callable[[bytes], bytes]] = {
        "empty": lambda b: b"",
        "cut in the middle": lambda b: b[: len(b) // 2],
        "without its last 100 bytes": lambda b: b[:-100],
        "zeros in the middle": lambda b: b[: len(b) // 2] + bytes(200) + b[len(b) // 2 + 200 :],
        "text": lambda b: b"not a photo at all",
        "only its first bytes": lambda b: b[:12],
        "HTML": lambda b: b"<html>404</html>",
        "a GIF by its bytes": lambda b: b"GIF89a" + bytes(100),
        "zeros": lambda b: bytes(len(b)),
        "noise": lambda b: random.Random(0).randbytes(len(b)),
    }
    for file in (JPEG, PNG):
        for name, change in damages.items():
            if name == "a GIF by its bytes" and file == PNG:
                continue
            shown = Path(file).suffix[1:]
            yield Case(
                f"embed a {shown}: {name}",
                [*EMBED.split(), "--out", "n.parquet"],
                prepare=_bytes(file, change),
                says=Path(file).name,
            )
            yield Case(
                f"check a {shown}: {name}",
                ["check", "--catalogue", "data/photos.csv", "--strict"],
                prepare=_bytes(file, change),
                wanted="either",
                check=_named(file),
                says=Path(file).name,
            )
            if name in ("empty", "cut in the middle", "zeros in the middle"):
                yield Case(
                    f"train with a {shown}: {name}",
                    f"{TRAIN} --epochs 1 --out new".split(),
                    prepare=_bytes(file, change),
                    says=Path(file).name,
                )
                yield Case(
                    f"embed --on-error skip, a {shown}: {name}",
                    [*EMBED.split(), "--on-error", "skip", "--out", "n.parquet"],
                    prepare=_bytes(file, change),
                    wanted="done",
                    writes=OUT,
                    says=Path(file).name,
                )
                yield Case(
                    f"split --photos with a {shown}: {name}",
                    ["split", "--catalogue", "data/photos.csv", "--photos"],
                    prepare=_bytes(file, change),
                    wanted="done",
                    says="can't be read",
                )
                yield Case(
                    f"read_photo of a {shown}: {name}",
                    call=_read(file),
                    prepare=_bytes(file, change),
                    says=Path(file).name,
                )
    for number in range(8):
        where = random.Random(chosen.random())
        yield Case(
            f"embed a JPEG with 64 bytes of zeros somewhere, {number}",
            [*EMBED.split(), "--out", "n.parquet"],
            prepare=_bytes(JPEG, lambda b, r=where: _hole(b, r)),
            says="0_1.jpg",
        )
    for size in ("20 GB", "65,500 pixels wide", "a PNG of 100,000 x 100,000"):
        prepare = {"20 GB": _enormous, "65,500 pixels wide": _wide, "a PNG of 100,000 x 100,000": _bomb}[size]
        yield Case(
            f"embed a photo of {size}",
            [*EMBED.split(), "--out", "n.parquet"],
            prepare=prepare,
            limit=20,
            says=r"0_0\.png",
        )
        yield Case(
            f"check a photo of {size}",
            ["check", "--catalogue", "data/photos.csv", "--strict"],
            prepare=prepare,
            wanted="either",
            limit=30,
            says=r"0_0\.png",
        )
    yield from _kinds()
    yield from _swapped()
    for suffix in ("jfif", "mpo", "gif", "mp4", "mov", "avi", "jxl", "pdf"):
        yield Case(
            f"check a folder counts the .{suffix} it passes over",
            ["check", "--catalogue", "birds", "--no-photos"],
            prepare=_folder(suffix),
            wanted="done",
            says=rf"\.?{suffix}|6 photos",
        )
    for box in (
        [0, 0, 0, 5],
        [float("nan")] * 4,
        [1000, 1000, 5, 5],
        "x",
        [0, 0, 1],
        [None] * 4,
        [1j] * 4,
        [-5, -5, 2, 2],
        7,
    ):
        yield Case(f"read_photo with the box {box!r}", call=_read(PNG, bbox=box), wanted="refused")


def _bytes(file: str, change: Callable[[bytes], bytes]) -> Callable[[Path], Any]:
    return lambda folder: (folder / file).write_bytes(change((folder / file).read_bytes()))


def _hole(content: bytes, chosen: random.Random) -> bytes:
    at = chosen.randrange(len(content) // 2, len(content) - 100)
    return content[:at] + bytes(64) + content[at + 64 :]


def _named(file: str) -> Callable[[Path, Any], str | None]:
    return lambda folder, status: None if status == 2 else f"{file} isn't found to be an error (exit {status})"


def _read(file: str, **options: Any) -> Callable[[Path], Any]:
    def call(folder: Path) -> Any:
        from whalereid import read_photo

        return read_photo(folder / file, **options)

    return call


def _enormous(folder: Path) -> None:
    with (folder / PNG).open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.truncate(20 * 10**9)


def _header(folder: Path, width: int, height: int) -> None:
    import struct
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    (folder / PNG).write_bytes(
        b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def _wide(folder: Path) -> None:
    _header(folder, 65_500, 65_500)


def _bomb(folder: Path) -> None:
    _header(folder, 100_000, 100_000)


def _kinds() -> Iterator[Case]:
    """What stands where a photo should."""

    def pipe(folder: Path) -> None:
        (folder / PNG).unlink()
        os.mkfifo(folder / PNG)

    def a_folder(folder: Path) -> None:
        (folder / PNG).unlink()
        (folder / PNG).mkdir()

    def circle(folder: Path) -> None:
        (folder / PNG).unlink()
        (folder / PNG).symlink_to("0_0.png")

    def device(folder: Path) -> None:
        (folder / PNG).unlink()
        (folder / PNG).symlink_to("/dev/zero")

    def nothing(folder: Path) -> None:
        (folder / PNG).unlink()

    for make in (pipe, a_folder, circle, device, nothing):
        name = make.__name__.replace("_", " ")
        yield Case(
            f"embed: {name} for a photo", [*EMBED.split(), "--out", "n.parquet"], prepare=make, limit=20, says="0_0.png"
        )
        yield Case(
            f"check: {name} for a photo",
            ["check", "--catalogue", "data/photos.csv", "--strict"],
            prepare=make,
            wanted="either",
            limit=20,
            check=_named(PNG),
        )
        yield Case(
            f"train: {name} for a photo",
            f"{TRAIN} --epochs 1 --out new".split(),
            prepare=make,
            limit=20,
            says="0_0.png",
        )
    sixteen: dict[str, Callable[[Path], Any]] = {
        "grey": lambda f: _drawn(f, "grey"),
        "of 16 bits": lambda f: _drawn(f, "deep"),
        "with transparency": lambda f: _drawn(f, "alpha"),
        "of 1 x 1": lambda f: _drawn(f, "one"),
        "of 1 x 5000": lambda f: _drawn(f, "thin"),
    }
    for name, prepare in sixteen.items():
        yield Case(
            f"embed a photo {name}",
            [*EMBED.split(), "--out", "n.parquet"],
            prepare=prepare,
            wanted="either" if name.startswith("of 1 x") else "done",
            writes=OUT,
        )


def _drawn(folder: Path, kind: str) -> None:
    import cv2
    import numpy as np

    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    made = {
        "grey": pixels[..., 0],
        "deep": pixels.astype(np.uint16) * 257,
        "alpha": np.dstack([pixels, pixels[..., 0]]),
        "one": pixels[:1, :1],
        "thin": np.repeat(pixels[:, :1], 80, 0),
    }
    cv2.imwrite(str(folder / PNG), made[kind])


def _same_size(folder: Path, first: str, second: str) -> None:
    one, two = (folder / first).read_bytes(), (folder / second).read_bytes()
    size = max(len(one), len(two))
    (folder / first).write_bytes(one + bytes(size - len(one)))
    (folder / second).write_bytes(two + bytes(size - len(two)))


def _swapped() -> Iterator[Case]:
    def swap(folder: Path) -> None:
        one, two = (folder / PNG).read_bytes(), (folder / "data/images/1_0.png").read_bytes()
        (folder / PNG).write_bytes(two)
        (folder / "data/images/1_0.png").write_bytes(one)

    def swap_alike(folder: Path) -> None:
        _same_size(folder, PNG, "data/images/1_0.png")
        _embed(folder)
        swap(folder)

    def _embed(folder: Path) -> None:
        from hostile.case import command

        (folder / "emb.parquet").unlink()
        command([*EMBED.split(), "--out", "emb.parquet"])

    def moved(folder: Path) -> None:
        text = (folder / "data/photos.csv").read_text()
        (folder / "data/photos.csv").write_text(text.replace("p00,images/0_0.png", "p00,images/1_0.png"))

    def boxed(folder: Path) -> None:
        rows = (folder / "data/photos.csv").read_text().splitlines()
        (folder / "data/photos.csv").write_text(
            "\n".join([rows[0] + ",bbox", *(row + ",0 0 9 9" for row in rows[1:])]) + "\n"
        )

    yield Case(
        "embed again after two photos were swapped",
        [*EMBED.split(), "--out", "emb.parquet"],
        prepare=swap,
        says="p00|other files",
    )
    yield Case(
        "embed again after two photos of a size were swapped",
        [*EMBED.split(), "--out", "emb.parquet"],
        prepare=swap_alike,
        says="p00|other files",
    )
    yield Case("rank after a row's path was changed", [*RANK.split(), "--out", "n.csv"], prepare=moved, says="p00")
    yield Case("rank after boxes were given", [*RANK.split(), "--out", "n.csv"], prepare=boxed, says="box|photo")

    def without(folder: Path) -> None:
        (folder / PNG).write_bytes(b"")
        from hostile.case import command

        (folder / "emb.parquet").unlink()
        command([*EMBED.split(), "--on-error", "skip", "--out", "emb.parquet"])

    yield Case(
        "rank says the way out for photos left out",
        [*RANK.split(), "--out", "n.csv"],
        prepare=without,
        wanted="either",
        says="p00|--|left out",
        writes=("n.csv", "n.csv.task.json"),
    )

    def other_size(folder: Path) -> None:
        import json

        path = folder / "run/config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"image_size": [64, 64]}))

    yield Case(
        "embed names what differs in the transform",
        [*EMBED.split(), "--out", "emb.parquet"],
        prepare=other_size,
        says="size.*32.*64|32.*64.*size",
    )


def _folder(suffix: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> None:
        for animal in ("ann", "bob"):
            (folder / "birds" / animal).mkdir(parents=True)
            for photo in range(2):
                source = folder / f"data/images/{photo}_0.png"
                (folder / "birds" / animal / f"{photo}.png").write_bytes(source.read_bytes())
            (folder / "birds" / animal / f"more.{suffix}").write_bytes(b"GIF89a")

    return prepare
