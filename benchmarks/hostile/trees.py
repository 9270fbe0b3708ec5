"""Folders of photos by hostile names, EXIF that says the impossible, and photos of telephones that are damaged."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.case import Case
from hostile.inputs import lengthen
from hostile.sources import source_case, then

NAMES = {
    "an escape": "\x1b[2J\x07a",
    "markup": "<script>alert(1)<",
    "a bidi override": "\u202egpj",
    "a newline": "a\nb",
    "a carriage return": "a\rb",
    "half a character": "\udcff",
    "a backslash": "a\\b",
    "a space before": " a",
    "a space behind": "a ",
    "a quote": 'a"b,c;d',
    "what means missing": "NA",
    "an option": "--help",
    "a formula": "=1+1",
    "a comma alone": ",",
    "many dots": "a.b..c.",
    "its longest": "n" * 250,
    "a number": "007",
}
TO_A_PAGE = "start birds --model run --no-open --out begun"


def cases(chosen: random.Random) -> Iterator[Case]:
    for name, sign in NAMES.items():
        flat, owned = _photos(sign, ""), _photos("p", sign)
        line = "import birds --out cat"
        yield source_case(f"photos called as {name}", line, then(flat, _odd), "either", "")
        yield source_case(f"folders called as {name}", f"{line} --layout folders", owned, "either")
        yield Case(
            f"start: photos called as {name}",
            TO_A_PAGE.split(),
            prepare=flat,
            wanted="either",
            check=_page,
            writes=("begun",),
            keeps=("begun",),
        )
    yield from _shapes()
    yield from _exif(chosen)
    yield from _kinds(chosen)


def _photos(photo: str, folder: str) -> Callable[[Path], Any]:
    """Photos in a folder, or each two in a folder of an animal; copies of the world's."""

    def prepare(place: Path) -> None:
        for number in range(4):
            inside = place / "birds" / (f"{folder}{number % 2}" if folder else "")
            inside.mkdir(parents=True, exist_ok=True)
            (inside / f"{photo}{number}.png"[-255:]).write_bytes((place / f"data/images/{number}_0.png").read_bytes())

    return prepare


def _odd(folder: Path) -> None:
    """A photo that isn't one, among the others."""
    (folder / "birds" / "odd.jpg").write_bytes(b"not a photo")


def _page(folder: Path, status: Any) -> str | None:
    page = folder / "begun" / "report" / "index.html"
    if status == 0 and not page.is_file():
        return "there is no page"
    return "a script in the page" if status == 0 and "<script" in page.read_text() else None


def _shapes() -> Iterator[Case]:
    """Trees that have no end, no bottom, or nothing in them."""

    def circle(folder: Path) -> None:
        (folder / "birds" / "again").symlink_to("..")

    def itself(folder: Path) -> None:
        (folder / "birds" / "loop").symlink_to("loop")

    def dangling(folder: Path) -> None:
        (folder / "birds" / "gone.jpg").symlink_to("nowhere.jpg")

    def pipe(folder: Path) -> None:
        os.mkfifo(folder / "birds" / "pipe.jpg")

    def device(folder: Path) -> None:
        (folder / "birds" / "endless.jpg").symlink_to("/dev/zero")

    def deep(folder: Path) -> None:
        (folder / "birds" / "/".join(["deep-and-deeper"] * 240)).mkdir(parents=True)

    def fan(folder: Path) -> None:
        """Each folder links to its brothers: the ways through them are without number."""
        for number in range(12):
            (folder / "birds" / f"f{number}").mkdir()
        for number in range(12):
            for other in range(12):
                (folder / "birds" / f"f{number}" / f"to{other}").symlink_to(f"../f{other}")

    def wide(folder: Path) -> None:
        for number in range(20_000):
            (folder / "birds" / f"{number}.jpg").touch()

    for make in (circle, itself, dangling, pipe, device, deep, fan, wide):
        for line in ("import birds --layout photos --out cat", "check --catalogue birds --no-photos"):
            prepare = then(_photos("p", ""), make)
            yield source_case(f"photos with {make.__name__}, {line[:6]}", line, prepare, "either", "", limit=40)
    for name, prepare in {
        "nothing": lambda f: (f / "birds").mkdir(),
        "only a video": lambda f: ((f / "birds").mkdir(), (f / "birds/a.mp4").write_bytes(b"x")),
        "only folders": lambda f: (f / "birds/a/b/c").mkdir(parents=True),
    }.items():
        yield source_case(f"a folder of {name}", "import birds --out cat", prepare)


def _jpeg_with(exif: bytes) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> None:
        _photos("p", "")(folder)
        plain = (folder / "data/images/0_1.jpg").read_bytes()
        body = b"Exif\0\0" + exif
        segment = b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
        (folder / "birds" / "told.jpg").write_bytes(plain[:2] + segment + plain[2:])

    return prepare


def _tiff(*tags: tuple[int, int, int, int]) -> bytes:
    """A TIFF of one page: tag, kind, count, value."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def _exif(chosen: random.Random) -> Iterator[Case]:
    """What the head of a photo says of itself."""
    dated = _tiff((36867, 2, 20, 26)) + b"2020:99:99 99:99:99\0"
    for name, exif in {
        "nothing": b"",
        "noise": random.Random(0).randbytes(500),
        "a page of itself": _tiff((34665, 4, 1, 8), (34853, 4, 1, 8)),
        "a page beyond the file": _tiff((34665, 4, 1, 2**31)),
        "65,535 tags": b"II*\0" + struct.pack("<IH", 8, 65535) + bytes(12 * 100),
        "a tag of 2^32 values": _tiff((36867, 2, 2**32 - 1, 8)),
        "a date of nonsense": dated,
        "a position of 0/0": _tiff((34853, 4, 1, 26))
        + struct.pack("<HHHIIHHII", 2, 1, 2, 2, 78, 2, 5, 3, 60)
        + bytes(60),
        "a kind that isn't": _tiff((36867, 999, 20, 26)),
    }.items():
        for line in ("import birds --layout photos --exif --out cat", "check --catalogue birds --exif --no-photos"):
            yield source_case(f"EXIF of {name}, {line[:6]}", line, _jpeg_with(exif), "either", limit=30)
    line = "import birds --layout photos --exif --out cat"
    for number in range(8):
        noise = random.Random(chosen.random()).randbytes(60)
        yield source_case(
            f"EXIF of noise behind a head, {number}", line, _jpeg_with(_tiff((1, 2, 3, 4)) + noise), "either"
        )
    megabyte = bytes(1 << 20)
    for name, head, piece in (
        ("a PNG of empty pieces", b"\x89PNG\r\n\x1a\n", megabyte),
        ("a WebP of empty pieces", b"RIFF\xff\xff\xff\xffWEBP", megabyte),
        ("a HEIC of nothing", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", megabyte),
        ("a HEIC of boxes", b"\0\0\0\x10ftypheic\0\0\0\0", b"\0\0\0\x08free" * (1 << 17)),
        ("a TIFF of nothing", b"II*\0\x08\0\0\0\xff\xff", megabyte),
        ("a JPEG of fill", b"\xff\xd8", b"\xff" * (1 << 20)),
    ):
        prepare = _long(head, piece)
        yield source_case(f"EXIF of {name}, 300 MB", line, prepare, "either", limit=30)
        boxed = _long(head, piece, results=True)
        yield source_case(
            f"the size of {name}, 300 MB", "import data/results.json --out cat", boxed, "either", limit=30
        )
    yield source_case("EXIF of a photo of 20 GB", line, then(_photos("p", ""), _enormous), "either", limit=30)


def _long(head: bytes, piece: bytes, *, results: bool = False) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> None:
        from hostile import detections

        _photos("p", "")(folder)
        place = folder / "birds" / "long.jpg"
        if results:
            detections.results(folder)
            place = folder / "data" / "images" / "0_0.png"
        with place.open("wb") as file:
            file.write(head)
            for _ in range(300):
                file.write(piece)

    return prepare


def _enormous(folder: Path) -> None:
    path = folder / "birds" / "p0.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    lengthen(path)


def _kinds(chosen: random.Random) -> Iterator[Case]:
    """HEIC, AVIF, TIFF and WebP, whole and damaged."""
    for kind in ("heic", "avif", "tiff", "webp"):
        for name, change in {
            "whole": lambda b: b,
            "cut in the middle": lambda b: b[: len(b) // 2],
            "without its last bytes": lambda b: b[:-20],
            "only its first bytes": lambda b: b[:40],
            "zeros in the middle": lambda b: b[: len(b) // 2] + bytes(200) + b[len(b) // 2 + 200 :],
            "sizes of 2^32": lambda b: b.replace((64).to_bytes(4, "big") * 2, b"\xff" * 8),
        }.items():
            wanted = "done" if name == "whole" else "either"
            prepare = _of_kind(kind, change)
            yield Case(f"read_photo of a {kind}: {name}", call=_read(kind), prepare=prepare, wanted=wanted, limit=30)
        for number in range(10):
            where = random.Random(chosen.random())
            prepare = _of_kind(kind, lambda b, r=where: _flipped(b, r))
            yield Case(
                f"read_photo of a {kind}: bits turned, {number}",
                call=_read(kind),
                prepare=prepare,
                wanted="either",
                limit=30,
            )
            yield source_case(
                f"a {kind} with bits turned, {number}",
                "import birds --layout photos --exif --out cat",
                prepare,
                "either",
            )


def _of_kind(kind: str, change: Callable[[bytes], bytes]) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> None:
        import io

        import numpy as np
        from PIL import Image

        (folder / "birds").mkdir()
        pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
        out = io.BytesIO()
        if kind == "heic":
            import pillow_heif

            pillow_heif.encode("RGB", (64, 64), pixels.tobytes(), out)
        else:
            Image.fromarray(pixels).save(out, kind.upper())
        (folder / "birds" / f"a.{kind}").write_bytes(change(out.getvalue()))

    return prepare


def _read(kind: str) -> Callable[[Path], Any]:
    def call(folder: Path) -> Any:
        from whalereid import read_photo

        return read_photo(folder / "birds" / f"a.{kind}")

    return call


def _flipped(content: bytes, where: random.Random) -> bytes:
    """Twelve bits turned among the first 600 bytes, where a file says what it is."""
    changed = bytearray(content)
    for _ in range(12):
        changed[where.randrange(min(600, len(changed)))] ^= 1 << where.randrange(8)
    return bytes(changed)
