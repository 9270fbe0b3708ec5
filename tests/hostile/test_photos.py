"""Photos that are damaged, huge, replaced or of odd kinds: refused by name, or decoded to the pixels they hold."""

from __future__ import annotations

import io
import os
import resource
import shutil
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.models.reference import draw_and_settle

from training.drawing import draw_photos, fit_quietly
from whalereid.catalogue import Catalogue, audit
from whalereid.catalogue.contents import content_keys
from whalereid.cli.app import run
from whalereid.decoding import MAX_PHOTO_MB, decode, decode_bytes
from whalereid.decoding.png import Png
from whalereid.embeddings import Embeddings, Extraction, embed
from whalereid.errors import WhalereidError
from whalereid.heads import ElasticArcFace
from whalereid.images import read_photo
from whalereid.models import Embedder
from whalereid.training import Recipe

_RANDOM = np.random.default_rng(0)
SCENE = cv2.resize(_RANDOM.integers(0, 256, (9, 11, 3), np.uint8), (176, 144), interpolation=cv2.INTER_CUBIC)
PHOTO = np.clip(SCENE + _RANDOM.normal(0, 6, SCENE.shape), 0, 255).astype(np.uint8)
SAMPLING = cv2.IMWRITE_JPEG_SAMPLING_FACTOR


def encoded(suffix: str, image: np.ndarray = PHOTO, *options: int) -> bytes:
    done, data = cv2.imencode(suffix, image, list(options))
    assert done
    return bytes(data)


JPEGS = {
    "4:2:0": encoded(".jpg"),
    "4:4:4": encoded(".jpg", PHOTO, SAMPLING, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    "4:1:1": encoded(".jpg", PHOTO, SAMPLING, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411),
    "grey": encoded(".jpg", PHOTO[..., 0]),
    "poor": encoded(".jpg", PHOTO, cv2.IMWRITE_JPEG_QUALITY, 20),
    "restarts": encoded(".jpg", PHOTO, cv2.IMWRITE_JPEG_RST_INTERVAL, 3),
}
PROGRESSIVE = encoded(".jpg", PHOTO, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
OPTIMISED = encoded(".jpg", PHOTO, cv2.IMWRITE_JPEG_OPTIMIZE, 1)


def as_opencv_has_it(data: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_LOAD_GDAL)
    assert image is not None
    return image


def scan_of(data: bytes) -> int:
    """Where a JPEG's first compressed data begin."""
    at = data.index(b"\xff\xda")
    return at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")


def refused(data: bytes) -> str:
    """What a photo is refused with; nothing where it is decoded."""
    said = ""
    try:
        decode_bytes(data, where="a.jpg")
    except WhalereidError as error:
        said = str(error)
    assert not said or said.startswith("a.jpg: ")
    assert "\n" not in said
    return said


class TestDamage:
    @given(st.sampled_from(sorted(JPEGS)), st.floats(0, 0.98), st.integers(16, 700))
    @settings(deadline=None, max_examples=150)
    def test_a_hole_of_zeros_is_found(self, name: str, at: float, length: int) -> None:
        whole = JPEGS[name]
        data, start = bytearray(whole), scan_of(whole)
        start += int(at * (len(whole) - 18 - start))
        end = min(start + length, len(whole) - 2)
        data[start:end] = bytes(end - start)
        assert "damaged" in refused(bytes(data))

    @given(st.sampled_from([*sorted(JPEGS), "png", "tiff", "webp"]), st.floats(0, 1, exclude_max=True))
    @settings(deadline=None, max_examples=80)
    def test_a_photo_cut_anywhere_is_refused(self, name: str, kept: float) -> None:
        whole = JPEGS[name] if name in JPEGS else encoded({"png": ".png", "tiff": ".tif", "webp": ".webp"}[name])
        assert refused(whole[: min(int(kept * len(whole)), len(whole) - 2)])

    @given(
        st.sampled_from([PROGRESSIVE, OPTIMISED, *JPEGS.values()]),
        st.lists(st.tuples(st.floats(0, 0.99), st.integers(0, 255)), min_size=1, max_size=9),
    )
    @settings(deadline=None, max_examples=80)
    def test_other_bytes_anywhere_give_a_photo_or_one_line(self, whole: bytes, changes: list) -> None:
        data = bytearray(whole)
        for at, value in changes:
            data[int(at * len(data))] = value
        refused(bytes(data))

    @given(st.floats(0.01, 0.99), st.integers(1, 255))
    @settings(deadline=None, max_examples=60)
    def test_no_byte_of_a_png_changes_unseen(self, at: float, by: int) -> None:
        whole = encoded(".png", np.dstack([PHOTO, PHOTO[..., 0]]))
        data = bytearray(whole)
        data[int(at * len(data))] ^= by
        if not refused(bytes(data)):
            np.testing.assert_array_equal(decode_bytes(bytes(data), where="x"), as_opencv_has_it(whole))

    @pytest.mark.parametrize("predictor", [1, 2])
    def test_no_compressed_byte_of_a_zipped_tiff_changes_unseen(self, predictor: int) -> None:
        options = (cv2.IMWRITE_TIFF_COMPRESSION, 8, cv2.IMWRITE_TIFF_PREDICTOR, predictor)
        whole = encoded(".tif", PHOTO, *options)
        np.testing.assert_array_equal(decode_bytes(whole, where="x"), PHOTO)
        for at in np.linspace(20, len(whole) * 0.9, 40).astype(int):
            data = bytearray(whole)
            data[at] ^= 0x55
            assert "damaged" in refused(bytes(data))

    def test_lost_restart_intervals_are_found(self) -> None:
        whole = JPEGS["restarts"]
        first, second = whole.index(b"\xff\xd3"), whole.index(b"\xff\xd6")
        assert "damaged" in refused(whole[:first] + whole[second:])

    @pytest.mark.parametrize("name", ["photo.jpg", "photo.JPEG"])
    def test_check_and_embed_name_the_file(self, name: str, tmp_path: Path) -> None:
        data = bytearray(JPEGS["4:2:0"])
        data[len(data) // 2 : len(data) // 2 + 512] = bytes(512)
        (tmp_path / name).write_bytes(data)
        (tmp_path / "other.jpg").write_bytes(JPEGS["poor"])
        photos = Catalogue(pd.DataFrame({"image_id": ["a", "b"], "path": [name, "other.jpg"]}), tmp_path)
        found = next(finding for finding in audit(photos).findings if "damaged" in str(finding))
        assert name in str(found)
        with pytest.raises(WhalereidError, match=rf"{name}: the photo is cut short or damaged"):
            embed(network(), photos, extraction=Extraction(workers=0), progress=False)


class TestNoFalseAlarm:
    @given(
        st.integers(16, 70),
        st.integers(16, 70),
        st.integers(1, 100),
        st.sampled_from([0, 1]),
        st.sampled_from([0, 1]),
        st.sampled_from([0, 1, 5]),
        st.sampled_from(
            [
                cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
                cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
                cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
                cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
                cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
            ]
        ),
        st.sampled_from([0, 1, 8, 90]),
    )
    @settings(deadline=None, max_examples=150)
    def test_whole_jpegs_of_every_kind(self, height, width, quality, progressive, optimise, restart, sampling, noise):
        image = np.clip(
            SCENE[:height, :width] + np.random.default_rng(height).normal(0, noise, (height, width, 3)), 0, 255
        )
        image = image.astype(np.uint8) if noise != 1 else np.full((height, width, 3), quality, np.uint8)
        options = [1, quality, 2, progressive, cv2.IMWRITE_JPEG_OPTIMIZE, optimise, 4, restart, SAMPLING, sampling]
        data = encoded(".jpg", image, *options)
        np.testing.assert_array_equal(decode_bytes(data, where="x"), as_opencv_has_it(data))

    def test_flat_parts_may_be_zeros(self) -> None:
        flat = np.full((2048, 2048, 3), 200, np.uint8)
        flat[:16, :16] = PHOTO[:16, :16]
        data = encoded(".jpg", flat, cv2.IMWRITE_JPEG_OPTIMIZE, 1)
        assert bytes(64) in data[scan_of(data) :]
        np.testing.assert_array_equal(decode_bytes(data, where="x"), as_opencv_has_it(data))

    @pytest.mark.parametrize("mode", ["CMYK", "L", "RGB"])
    @pytest.mark.parametrize("progressive", [False, True])
    def test_other_colours(self, mode: str, progressive: bool) -> None:
        pillow = pytest.importorskip("PIL.Image")
        stream = io.BytesIO()
        options = {"keep_rgb": True} if mode == "RGB" else {}
        pillow.fromarray(PHOTO[..., ::-1]).convert(mode).save(stream, "JPEG", progressive=progressive, **options)
        data = stream.getvalue()
        np.testing.assert_array_equal(decode_bytes(data, where="x"), as_opencv_has_it(data))
        if not progressive:
            hole, middle = bytearray(data), (scan_of(data) + len(data)) // 2
            hole[middle : middle + 300] = bytes(300)
            assert "damaged" in refused(bytes(hole))

    @pytest.mark.parametrize(
        "odd",
        [
            JPEGS["4:2:0"].replace(b"JFIF\0\1", b"JFIF\0\7"),  # a revision that libjpeg warns of
            JPEGS["4:2:0"].replace(b"\x00\x3f\x00", b"\x00\x00\x00", 1),  # a scan's parameters, zero in some old files
            JPEGS["4:2:0"] + b"\0" * 4000,  # what cameras append
            JPEGS["4:2:0"] + JPEGS["poor"],  # .mpo
            JPEGS["4:2:0"][:2] + b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\x07" + JPEGS["4:2:0"][2:],  # a colour transform
            JPEGS["4:2:0"][:2] + b"\xff\xff\xff" + JPEGS["4:2:0"][2:],  # fill bytes
        ],
    )
    def test_oddities_that_cost_no_pixel(self, odd: bytes) -> None:
        np.testing.assert_array_equal(decode_bytes(odd, where="x"), as_opencv_has_it(odd))
        hole = bytearray(odd)
        hole[3000:3300] = bytes(300)
        assert "damaged" in refused(bytes(hole))

    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("orientation", range(10))
    def test_orientation_is_as_opencv_has_it(self, order: str, orientation: int) -> None:
        mark = b"II*\0" if order == "<" else b"MM\0*"
        tags = [(0x10F, 3, 1, 7), (0x112, 3, 1, orientation)]
        entries = b"".join(struct.pack(f"{order}HHIHH", *tag, 0) for tag in tags)
        tiff = mark + struct.pack(f"{order}IH", 8, len(tags)) + entries + bytes(4)
        payload = b"Exif\0\0" + tiff
        for jpeg in (JPEGS["4:2:0"], JPEGS["grey"], PROGRESSIVE):
            data = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + jpeg[2:]
            np.testing.assert_array_equal(decode_bytes(data, where="x"), as_opencv_has_it(data))
            for cut in range(6, len(payload), 5):  # metadata may be broken, the photo is there
                short = payload[:cut]
                data = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(short) + 2) + short + jpeg[2:]
                assert decode_bytes(data, where="x").size == as_opencv_has_it(data).size

    @pytest.mark.shared
    def test_real_photos(self, shared: Path) -> None:
        files = [file for file in sorted(shared.glob("data/*/images/**/*")) if file.is_file()]
        for file in files[::30]:
            np.testing.assert_array_equal(decode(file), as_opencv_has_it(file.read_bytes()))


def header_of(kind: str, side: int) -> bytes:
    """The beginning of a photo that claims to be this large."""
    if kind == "png":
        chunk = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        ihdr = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
        end = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
        return b"\x89PNG\r\n\x1a\n" + ihdr + end
    if kind == "jpeg":
        frame = JPEGS["4:2:0"].index(b"\xff\xc0")
        return JPEGS["4:2:0"][: frame + 5] + struct.pack(">HH", side, side) + JPEGS["4:2:0"][frame + 9 :]
    if kind == "bmp":
        whole = encoded(".bmp")
        return whole[:18] + struct.pack("<ii", side, -side) + whole[26:]
    if kind == "jp2":
        whole = encoded(".jp2")
        at = whole.index(b"ihdr") + 4
        return whole[:at] + struct.pack(">II", side, side) + whole[at + 8 :]
    whole = encoded(".tif")
    order = "<" if whole[:2] == b"II" else ">"
    first = struct.unpack_from(f"{order}I", whole, 4)[0]
    data = bytearray(whole)
    for entry in (first + 2 + 12 * number for number in range(8)):
        if struct.unpack_from(f"{order}H", whole, entry)[0] in (256, 257):
            struct.pack_into(f"{order}HII", data, entry + 2, 4, 1, side)
    return bytes(data)


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def ihdr(kind: int = 2, bits: int = 8, interlaced: int = 0, *, width: int = 21, height: int = 11) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, interlaced))


def rows(kind: int = 2, bits: int = 8, interlaced: int = 0, *, width: int = 21, height: int = 11) -> bytes:
    """The rows of a PNG, each after a filter's number; Adam7 where interlaced."""
    adam7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    pixel = bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    found = b""
    for x, y, right, down in adam7 if interlaced else [(0, 0, 1, 1)]:
        across = (len(range(x, width, right)) * pixel + 7) // 8
        for row in range(len(range(y, height, down)) if across else 0):
            found += bytes([row % 5]) + _RANDOM.integers(0, 256, across, np.uint8).tobytes()
    return found


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


ROWS, GREYS, END = rows(), rows(0), chunk(b"IEND")
WHOLE = zlib.compress(ROWS)
IDAT, PALETTE = chunk(b"IDAT", WHOLE), chunk(b"PLTE", bytes(range(30)))
TURNED = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
KINDS_OF_PNG = [
    (0, 1),
    (0, 2),
    (0, 4),
    (0, 8),
    (0, 16),
    (2, 8),
    (2, 16),
    (3, 1),
    (3, 4),
    (3, 8),
    (4, 8),
    (4, 16),
    (6, 16),
]
BAD_PNGS = {
    "too few rows": png(ihdr(), chunk(b"IDAT", zlib.compress(ROWS[:-9])), END),
    "a stream cut short": png(ihdr(), chunk(b"IDAT", WHOLE[:-60]), END),
    "no checksum of the stream": png(ihdr(), chunk(b"IDAT", WHOLE[:-4]), END),
    "a wrong checksum of the stream": png(ihdr(), chunk(b"IDAT", WHOLE[:-4] + b"abcd"), END),
    "no zlib": png(ihdr(), chunk(b"IDAT", b"ab" + WHOLE[2:]), END),
    "an unknown filter": png(ihdr(), chunk(b"IDAT", zlib.compress(b"\5" + ROWS[1:])), END),
    "an unknown filter in the last row": png(
        ihdr(), chunk(b"IDAT", zlib.compress(ROWS[:-64] + b"\6" + bytes(63))), END
    ),
    "nothing compressed": png(ihdr(), chunk(b"IDAT"), END),
    "no rows": png(ihdr(), END),
    "no end": png(ihdr(), IDAT),
    "no palette": png(ihdr(3), chunk(b"IDAT", zlib.compress(GREYS)), END),
    "a palette of 31 bytes": png(ihdr(3), chunk(b"PLTE", bytes(31)), chunk(b"IDAT", zlib.compress(GREYS)), END),
    "two palettes": png(ihdr(3), PALETTE, PALETTE, chunk(b"IDAT", zlib.compress(GREYS)), END),
    "a palette after the rows": png(ihdr(3), chunk(b"IDAT", zlib.compress(GREYS)), PALETTE, END),
    "3 bits": png(ihdr(bits=3), IDAT, END),
    "colours of another kind": png(ihdr(kind=7), IDAT, END),
    "another interlacing": png(ihdr(interlaced=2), IDAT, END),
    "no width": png(ihdr(width=0), IDAT, END),
    "a million columns": png(ihdr(width=1_000_001), IDAT, END),
    "two headers": png(ihdr(), ihdr(), IDAT, END),
    "text before the header": png(chunk(b"tEXt", b"a\0b"), ihdr(), IDAT, END),
    "an unknown critical chunk": png(ihdr(), chunk(b"ABCD"), IDAT, END),
    "a chunk without a name": png(ihdr(), chunk(b"a1?d"), IDAT, END),
    "rows with text between": png(
        ihdr(), chunk(b"IDAT", WHOLE[:99]), chunk(b"tEXt", b"a\0b"), chunk(b"IDAT", WHOLE[99:]), END
    ),
}
ODD_PNGS = {
    "rows beyond the last": png(ihdr(), chunk(b"IDAT", zlib.compress(ROWS + ROWS)), END),
    "a byte beyond the last row": png(ihdr(), chunk(b"IDAT", zlib.compress(ROWS + b"x")), END),
    "bytes after the stream": png(ihdr(), chunk(b"IDAT", WHOLE + bytes(200_000)), END),
    "chunks after the stream": png(ihdr(), IDAT, chunk(b"IDAT"), chunk(b"IDAT", b"abc"), END),
    "an end that holds bytes": png(ihdr(), IDAT, chunk(b"IEND", b"abc")),
    "a long tRNS": png(ihdr(), chunk(b"tRNS", bytes(9)), IDAT, END),
    "a tRNS of colours that can't be": png(ihdr(), chunk(b"tRNS", b"\xff" * 6), IDAT, END),
    "two tRNS": png(ihdr(), chunk(b"tRNS", bytes(6)), chunk(b"tRNS", bytes(6)), IDAT, END),
    "a tRNS beside alpha": png(ihdr(6), chunk(b"tRNS", bytes(6)), chunk(b"IDAT", zlib.compress(rows(6))), END),
    "a tRNS beyond the palette": png(
        ihdr(3), PALETTE, chunk(b"tRNS", bytes(20)), chunk(b"IDAT", zlib.compress(GREYS)), END
    ),
    "a tRNS before the palette": png(
        ihdr(3), chunk(b"tRNS", bytes(5)), PALETTE, chunk(b"IDAT", zlib.compress(GREYS)), END
    ),
    "a palette too small": png(ihdr(3), PALETTE, chunk(b"IDAT", zlib.compress(GREYS)), END),
    "a palette in grey": png(ihdr(0), PALETTE, chunk(b"IDAT", zlib.compress(GREYS)), END),
    "a broken palette that only suggests": png(ihdr(), chunk(b"PLTE", bytes(31)), IDAT, END),
    **{
        f"a broken {name.decode()}": png(ihdr(), chunk(name, b"x\0\0rubbish"), IDAT, END)
        for name in (b"gAMA", b"iCCP", b"cHRM", b"sRGB", b"zTXt", b"iTXt", b"pHYs", b"tIME", b"sBIT", b"eXIf", b"cICP")
    },
    "text with a wrong checksum": png(ihdr(), chunk(b"tEXt", b"a\0b")[:-1] + b"?", IDAT, END),
    "two orientations": png(ihdr(), chunk(b"eXIf", TURNED) * 2, IDAT, END),
    "an orientation after the rows": png(ihdr(), IDAT, chunk(b"eXIf", TURNED), END),
    "an animation": png(
        ihdr(),
        chunk(b"acTL", struct.pack(">II", 2, 0)),
        chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 21, 11, 0, 0, 1, 10, 0, 0)),
        IDAT,
        chunk(b"fcTL", struct.pack(">IIIIIHHBB", 1, 21, 11, 0, 0, 1, 10, 0, 0)),
        chunk(b"fdAT", b"\0\0\0\2" + zlib.compress(rows())),
        END,
    ),
}


class TestQuiet:
    """The libraries that decode write on stderr themselves, below Python: none of it may stand beside our line."""

    @pytest.mark.parametrize("name", BAD_PNGS)
    def test_a_png_that_can_not_be_decoded_is_one_line(self, name: str, capfd: pytest.CaptureFixture[str]) -> None:
        assert "damaged" in refused(BAD_PNGS[name])
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("name", ODD_PNGS)
    def test_oddities_of_a_png_cost_no_pixel_and_no_word(self, name: str, capfd: pytest.CaptureFixture[str]) -> None:
        found = decode_bytes(ODD_PNGS[name], where="x")
        assert capfd.readouterr().err == ""
        np.testing.assert_array_equal(found, as_opencv_has_it(ODD_PNGS[name]))

    @pytest.mark.parametrize("interlaced", [0, 1])
    @pytest.mark.parametrize(("kind", "bits"), KINDS_OF_PNG)
    def test_pngs_of_every_kind(self, kind: int, bits: int, interlaced: int, capfd: pytest.CaptureFixture[str]) -> None:
        palette = [chunk(b"PLTE", bytes(_RANDOM.integers(0, 256, 3 << bits, np.uint8)))] if kind == 3 else []
        for side in ((21, 11), (1, 1), (3, 40)):
            size = dict(zip(("width", "height"), side, strict=True))
            held = rows(kind, bits, interlaced, **size)
            head = [ihdr(kind, bits, interlaced, **size), *palette]
            whole = png(*head, chunk(b"IDAT", zlib.compress(held)), END)
            np.testing.assert_array_equal(decode_bytes(whole, where="x"), as_opencv_has_it(whole))
            for cut in (1, len(held) // 2):
                assert "damaged" in refused(png(*head, chunk(b"IDAT", zlib.compress(held[:-cut])), END))
        assert capfd.readouterr().err == ""

    def test_a_large_png_is_looked_through_in_pieces(self) -> None:
        image = _RANDOM.integers(0, 256, (700, 900, 3), np.uint8)
        data = encoded(".png", image)
        np.testing.assert_array_equal(decode_bytes(data, where="x"), image)
        stream = b"".join(bytes(part) for part in Png.parse(data).rows)
        bad = bytearray(zlib.decompress(stream))
        bad[600 * 2701] = 5
        assert "damaged" in refused(png(ihdr(width=900, height=700), chunk(b"IDAT", zlib.compress(bad)), END))

    def test_other_kinds_are_quiet(self, capfd: pytest.CaptureFixture[str]) -> None:
        adobe = JPEGS["4:2:0"][:2] + b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\x07" + JPEGS["4:2:0"][2:]
        whole = [JPEGS["4:2:0"].replace(b"JFIF\0\1", b"JFIF\0\7"), adobe, PROGRESSIVE, JPEGS["grey"]]
        whole += [encoded(suffix) for suffix in (".tif", ".webp", ".bmp", ".jp2", ".avif")]
        whole += [encoded(".tif", PHOTO, cv2.IMWRITE_TIFF_COMPRESSION, kind) for kind in (1, 8, 32773)]
        random = np.random.default_rng(1)
        for data in whole:
            refused(data)
            for length in (40, 400, len(data)):
                changed = np.frombuffer(data, np.uint8).copy()
                changed[random.integers(0, min(length, len(data)), 6)] ^= random.integers(1, 256, 6, np.uint8)
                refused(changed.tobytes())
                refused(changed.tobytes()[: len(data) // 2])
        assert capfd.readouterr().err == ""

    def test_a_command_says_its_own_line_alone(self, tmp_path: Path) -> None:
        names = ["too few rows", "no palette", "an unknown filter", "3 bits"]
        for number, name in enumerate(names):
            (tmp_path / f"{number}.png").write_bytes(BAD_PNGS[name])
        (tmp_path / "photos.csv").write_text("image_id,path\n" + "".join(f"p{n},{n}.png\n" for n in range(len(names))))
        command = [sys.executable, "-m", "whalereid", "check", "photos.csv", "--strict"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 2
        assert "0.png: the photo is cut short or damaged" in done.stdout
        assert "libpng" not in done.stdout + done.stderr
        bars = ("4 photos to read", "reading photos", "comparing photos")
        assert all(line.strip().startswith(bars) for line in done.stderr.splitlines() if line.strip()), done.stderr


class TestSize:
    @pytest.mark.parametrize("kind", ["png", "jpeg", "bmp", "jp2", "tiff"])
    def test_pixels_are_counted_before_they_are_decoded(self, kind: str) -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert "40000×40000 px decode to 4,800 MB, above the 1,000 MB" in refused(header_of(kind, 40_000))
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes

    def test_a_huge_file_is_not_read(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for name in ("huge.jpg", "photo.jpg"):
            (tmp_path / name).write_bytes(JPEGS["poor"])
        os.truncate(tmp_path / "huge.jpg", 20 * 10**9)
        with pytest.raises(WhalereidError, match=r"huge\.jpg: the file is 20,000 MB, .* --max-photo-mb"):
            read_photo(tmp_path / "huge.jpg")
        table = tmp_path / "photos.csv"
        table.write_text("image_id,path\na,huge.jpg\nb,photo.jpg\n")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert all(content_keys(Catalogue.read(table)))
        assert run(["check", "--catalogue", str(table)]) == 0
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000
        assert "huge.jpg: the file is 20,000 MB" in capsys.readouterr().out

    def test_the_bound_can_be_set(self, tmp_path: Path, monkeypatch, capsys) -> None:
        monkeypatch.setenv(MAX_PHOTO_MB, "0.05")
        assert "176×144 px decode to 0 MB, above the 0 MB" not in refused(JPEGS["4:2:0"])
        assert "176×144 px decode to 0.076 MB, above the 0.05 MB" in refused(JPEGS["4:2:0"])
        (tmp_path / "photo.jpg").write_bytes(JPEGS["4:2:0"])
        (tmp_path / "photos.csv").write_text("image_id,path\na,photo.jpg\n")
        assert run(["check", "--catalogue", str(tmp_path / "photos.csv"), "--max-photo-mb", "0.08"]) == 0
        assert "above the" not in capsys.readouterr().out
        for said in ("much", "0", "-3", "nan", "inf"):
            monkeypatch.setenv(MAX_PHOTO_MB, said)
            with pytest.raises(WhalereidError, match=f"{MAX_PHOTO_MB} is '{said}'; set it to a number of megabytes"):
                decode(tmp_path / "photo.jpg")
            assert run(["check", "--catalogue", str(tmp_path), "--max-photo-mb", said]) == 2


def network(**options: object) -> Embedder:
    torch.manual_seed(0)
    net = Embedder("lcnet_050", **({"image_size": 32, "neck": "none", "weights": "random"} | options))
    draw_and_settle(net, (32, 32), 0)
    net.mark_trained()
    return net


@pytest.fixture
def photos(tmp_path: Path) -> Catalogue:
    """Eight BMPs, all of one size."""
    folder = tmp_path / "photos"
    folder.mkdir()
    names = [f"p{number}" for number in range(8)]
    for number, name in enumerate(names):
        coarse = np.random.default_rng(number).integers(0, 256, (6, 5, 3), np.uint8)
        cv2.imwrite(str(folder / f"{name}.bmp"), cv2.resize(coarse, (40, 48)))
    table = pd.DataFrame({"image_id": names, "path": [f"{name}.bmp" for name in names]})
    table.to_csv(folder / "metadata.csv", index=False)
    return Catalogue.read(folder / "metadata.csv")


def swap(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


HOW = Extraction("fp32", workers=0)
QUIET = {"progress": False, "extraction": HOW}


class TestReplacedPhotos:
    @pytest.mark.parametrize("name", ["out.parquet", "out"])
    def test_embed_notices_files_that_were_swapped(self, name: str, photos: Catalogue, tmp_path: Path) -> None:
        out, net = tmp_path / name, network()
        embed(net, photos[:6], out=out, **QUIET)
        swap(photos.paths[2], photos.paths[4])
        with pytest.raises(WhalereidError, match=r"whose files, boxes or masks have changed since \(p2, p4\)"):
            embed(net, photos, out=out, **QUIET)
        swap(photos.paths[2], photos.paths[4])
        assert len(embed(net, photos, out=out, **QUIET)) == 8

    def test_a_catalogue_that_moves_keeps_its_vectors(self, photos: Catalogue, tmp_path: Path) -> None:
        out, net = tmp_path / "out.parquet", network()
        embed(net, photos[:6], out=out, **QUIET)
        shutil.move(photos.root, tmp_path / "elsewhere")
        moved = Catalogue.read(tmp_path / "elsewhere" / "metadata.csv")
        assert len(embed(net, moved, out=out, **QUIET)) == 8
        assert rank(out, moved, tmp_path) == 0

    @given(st.integers(1, 3_000_000), st.floats(0, 1, exclude_max=True))
    @settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_keys_are_of_the_whole_of_usual_files(self, tmp_path: Path, size: int, at: float) -> None:
        catalogue = Catalogue(pd.DataFrame({"image_id": ["a"], "path": ["a.jpg"]}), tmp_path)
        file = tmp_path / "a.jpg"
        file.write_bytes(bytes(size))
        before = content_keys(catalogue)
        place = int(at * size)
        with file.open("r+b") as opened:
            opened.seek(place)
            opened.write(b"\1")
        quarter = 1 << 18
        middle = (size - quarter) // 2
        looked_at = size <= 4 * quarter or place < quarter or place >= size - quarter
        looked_at |= middle <= place < middle + quarter
        assert (content_keys(catalogue) != before) == looked_at

    def test_rank_refuses_rows_that_lead_elsewhere(self, photos: Catalogue, tmp_path: Path, capsys) -> None:
        out = tmp_path / "out.parquet"
        embed(network(), photos, out=out, **QUIET)
        table = photos.frame
        assert rank(out, photos, tmp_path) == 0
        for change in ({"path": "p4.bmp"}, {"bbox": "[0, 0, 20, 20]"}, {"path": "none.bmp"}):
            (name, value), other = *change.items(), table.copy()
            other.loc[3, name] = value
            other.to_csv(photos.root / "other.csv", index=False)
            capsys.readouterr()
            assert rank(out, Catalogue.read(photos.root / "other.csv"), tmp_path, "other.csv") == 2
            said = capsys.readouterr().err
            assert "1 photos of " in said
            assert "(p3)" in said
            assert "embed this catalogue anew" in said
        shutil.copy(photos.paths[3], photos.root / "renamed.bmp")  # another path, but the photo that was embedded
        table.loc[3, "path"] = "renamed.bmp"
        table.to_csv(photos.root / "other.csv", index=False)
        assert rank(out, Catalogue.read(photos.root / "other.csv"), tmp_path, "other.csv") == 0

    def test_a_resumed_training_names_the_photo(self, tmp_path: Path) -> None:
        train = draw_photos(tmp_path)
        net = Embedder("resnet10t", image_size=32, weights="random")
        recipe = Recipe(epochs=1, batch_size=8)
        head = ElasticArcFace(net.dim, train.n_identities)
        how = {"recipe": recipe, "out": tmp_path / "run"}
        fit_quietly(net, head, train, **how)
        fit_quietly(net, head, train, resume=True, **how)
        shutil.copy(train.paths[5], train.paths[7])
        named = rf"was begun otherwise: the file or mask of photo {train.image_ids[7]} has changed; resume"
        with pytest.raises(WhalereidError, match=named):
            fit_quietly(net, head, train, resume=True, **how)


def rank(embeddings: Path, photos: Catalogue, folder: Path, name: str = "metadata.csv", *options: str) -> int:
    words = ["--catalogue", str(photos.root / name), "--out", str(folder / "ranking.csv"), "--queries", "all"]
    return run(["rank", "--embeddings", str(embeddings), *words, *options])


class TestWords:
    def test_rank_says_which_way_out_is_left_of_skipped_photos(self, photos: Catalogue, tmp_path: Path, capsys) -> None:
        photos.paths[3].write_bytes(b"no photo")
        out = tmp_path / "out.parquet"
        with pytest.warns(UserWarning, match="1 photos were left out"):
            embed(network(), photos, out=out, extraction=replace(HOW, on_error="skip"), progress=False)
        assert rank(out, photos, tmp_path) == 2
        said = capsys.readouterr().err
        assert "no vector: p3" in said
        assert "--missing skip" in said
        assert rank(out, photos, tmp_path, "metadata.csv", "--missing", "skip") == 0
        assert "1 photos have no vector, so are neither looked for nor found: p3" in capsys.readouterr().err
        ranking = pd.read_csv(tmp_path / "ranking.csv")
        assert set(ranking["query_id"]) == set(ranking["database_image_id"]) == set(photos.image_ids) - {"p3"}
        Embeddings.from_numpy(["else"], [[1.0]]).write(out)
        assert rank(out, photos, tmp_path, "metadata.csv", "--missing", "skip") == 2
        assert "no photo that is asked for has a vector" in capsys.readouterr().err

    def test_what_differs_in_a_transform_is_named(self, photos: Catalogue, tmp_path: Path) -> None:
        embed(network(), photos, out=tmp_path / "out.parquet", **QUIET)
        with pytest.raises(WhalereidError, match=r"transform image_size is \[32, 32\] there, \[48, 48\] now"):
            embed(network(image_size=48), photos, out=tmp_path / "out.parquet", **QUIET)

    def test_files_that_a_folder_holds_beside_photos_are_counted(self, tmp_path: Path, capsys) -> None:
        for animal in ("Ann", "Bo"):
            (tmp_path / animal).mkdir()
            for name in ("a.jpg", "b.jfif", "c.mpo"):
                (tmp_path / animal / name).write_bytes(JPEGS["4:2:0"])
        passed = ["1.gif", "5.mp4", "6.MOV", "7.avi"]
        for name in passed:
            (tmp_path / "Ann" / name).write_bytes(b"other")
        assert run(["check", "--catalogue", str(tmp_path)]) == 0
        said = capsys.readouterr()
        assert len(Catalogue.read(tmp_path)) == 6
        for told in ("1 .gif", "videos passed over: Ann/5.mp4, Ann/6.MOV, Ann/7.avi"):
            assert told in said.err + said.out
