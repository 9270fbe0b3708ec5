"""Photos of telephones and cameras: HEIC, AVIF, raw files, and what claims to be large."""

from __future__ import annotations

import builtins
import io
import os
import resource
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_files import SCENE, dng, heic, pillow, tiff
from whalereid.catalogue import Catalogue
from whalereid.decoding import MAX_PHOTO_MB, PHOTO_SUFFIXES, RAW_SUFFIXES, VIDEO_SUFFIXES, advice, decode_bytes
from whalereid.decoding.boxes import Boxes
from whalereid.decoding.suffixes import raw_doubles
from whalereid.decoding.tiff import Tiff
from whalereid.errors import WhalereidError
from whalereid.images import PhotoDataset, evaluation_transform, read_photo

# How a photo lies in the file, by its EXIF orientation: what turns it upright.
UPRIGHT = {
    1: lambda image: image,
    2: lambda image: cv2.flip(image, 1),
    3: lambda image: cv2.rotate(image, cv2.ROTATE_180),
    4: lambda image: cv2.flip(image, 0),
    5: lambda image: cv2.transpose(image),
    6: lambda image: cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE),
    7: lambda image: cv2.flip(cv2.transpose(image), -1),
    8: lambda image: cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def off(image: np.ndarray, other: np.ndarray) -> float:
    """How far two photos are apart, in grey levels of 8 bits."""
    assert image.shape == other.shape
    scale = 257 if image.dtype == np.uint16 else 1
    return float(np.abs(image.astype(float) / scale - other).mean())


def refused(data: bytes, name: str = "a.heic") -> str:
    """What a photo is refused with; nothing where it is decoded."""
    said = ""
    try:
        decode_bytes(data, where=name)
    except WhalereidError as error:
        said = str(error)
    assert not said or said.startswith(f"{name}: ")
    assert "\n" not in said
    return said


def exif_of(orientation: int) -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[0x112] = orientation
    return exif.tobytes()


class TestHeic:
    @pytest.mark.parametrize("tiles", [{}, {"tile_size": 64}])
    def test_pixels(self, tiles: dict[str, int], tmp_path: Path) -> None:
        data = heic(cv2.resize(SCENE, (224, 160)), **tiles)
        image = decode_bytes(data, where="x")
        assert image.dtype == np.uint8
        assert off(image, cv2.resize(SCENE, (224, 160))) < 6
        (tmp_path / "IMG_1.HEIC").write_bytes(data)
        np.testing.assert_array_equal(read_photo(tmp_path / "IMG_1.HEIC"), image[..., ::-1])

    @pytest.mark.parametrize(
        ("mode", "image", "shape"),
        [
            ("L", SCENE[..., 0].copy(), (80, 112)),
            ("BGRA", np.dstack([SCENE, SCENE[..., 1]]).copy(), (80, 112, 4)),
            ("BGR;16", SCENE.astype(np.uint16) * 257, (80, 112, 3)),
        ],
    )
    def test_grey_transparent_and_deep_ones(self, mode: str, image: np.ndarray, shape: tuple[int, ...]) -> None:
        found = decode_bytes(heic(image, mode), where="x")
        assert found.shape == shape
        assert off(found, image / (257 if image.dtype == np.uint16 else 1)) < 8

    @pytest.mark.parametrize("orientation", UPRIGHT)
    def test_orientation_is_heeded_once(self, orientation: int) -> None:
        import pillow_heif
        from PIL import Image

        boxed = pillow_heif.from_pillow(Image.fromarray(SCENE[..., ::-1].copy()))
        out = io.BytesIO()
        boxed.save(out, exif=exif_of(orientation), quality=90, chroma=444)  # in its boxes, and in EXIF
        assert off(decode_bytes(out.getvalue(), where="x"), UPRIGHT[orientation](SCENE)) < 6

    @pytest.mark.parametrize("tiles", [{}, {"tile_size": 64}])
    @pytest.mark.parametrize("kept", [0.01, 0.3, 0.6, 0.95, 0.999])
    def test_a_photo_cut_short_is_refused(self, tiles: dict[str, int], kept: float, capfd) -> None:
        data = heic(cv2.resize(SCENE, (224, 160)), **tiles)
        assert "cut short or damaged" in refused(data[: int(len(data) * kept)])
        assert capfd.readouterr() == ("", "")

    @given(st.floats(0, 0.95), st.integers(16, 400))
    @settings(deadline=None, max_examples=60)
    def test_a_hole_of_zeros_is_found(self, at: float, length: int) -> None:
        data = bytearray(NOISY)
        start = NOISY.index(b"mdat") + 16 + int(at * (len(data) - NOISY.index(b"mdat") - 40 - length))
        data[start : start + length] = bytes(length)
        assert "damaged" in refused(bytes(data))

    @given(st.lists(st.tuples(st.floats(0, 0.99), st.integers(0, 255)), min_size=1, max_size=9), st.floats(0.01, 1))
    @settings(deadline=None, max_examples=120)
    def test_other_bytes_anywhere_give_a_photo_or_one_line(
        self, changes: list[tuple[float, int]], first: float
    ) -> None:
        data = bytearray(NOISY)
        for at, value in changes:
            data[int(at * first * len(data))] = value
        refused(bytes(data))


NOISY = heic(np.random.default_rng(0).integers(0, 256, (80, 112, 3), np.uint8))


class TestAvif:
    @pytest.mark.parametrize("orientation", UPRIGHT)
    def test_orientation_is_heeded_once(self, orientation: int) -> None:
        data = pillow("AVIF", exif=exif_of(orientation), quality=95)
        assert off(decode_bytes(data, where="x"), UPRIGHT[orientation](SCENE)) < 6

    @pytest.mark.parametrize("bits", [8, 10, 12])
    def test_deep_ones_are_as_bright(self, bits: int) -> None:
        deep = SCENE if bits == 8 else (SCENE.astype(np.uint32) * (2**bits - 1) // 255).astype(np.uint16)
        done, data = cv2.imencode(".avif", deep, [cv2.IMWRITE_AVIF_DEPTH, bits])
        assert done
        assert off(decode_bytes(bytes(data), where="x"), SCENE) < 6

    def test_one_cut_short_is_refused(self, capfd) -> None:
        data = pillow("AVIF")
        for kept in (0.1, 0.5, 0.9, 0.99):
            assert "cut short or damaged" in refused(data[: int(kept * len(data))])
        assert capfd.readouterr() == ("", "")


class TestRaw:
    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("orientation", [1, 3, 6, 8])
    def test_pixels_and_orientation(self, order: str, orientation: int, tmp_path: Path) -> None:
        upright = UPRIGHT[orientation](SCENE)
        image = decode_bytes(dng(orientation=orientation, order=order), where="a.dng")
        assert image.shape == upright.shape
        assert image.dtype == np.uint8
        seen, meant = (cv2.resize(one, (7, 7), interpolation=cv2.INTER_AREA) for one in (image, upright))
        assert np.corrcoef(seen.ravel(), meant.ravel())[0, 1] > 0.85  # a camera's colours aren't a screen's
        assert abs(np.corrcoef(cv2.rotate(seen, cv2.ROTATE_180).ravel(), meant.ravel())[0, 1]) < 0.5
        (tmp_path / "a.DNG").write_bytes(dng())
        assert read_photo(tmp_path / "a.DNG").shape == SCENE.shape

    def test_they_are_known_by_what_they_hold_and_by_their_suffix(self) -> None:
        assert decode_bytes(dng(), where="renamed.tif").shape == SCENE.shape
        small = pillow("TIFF", SCENE[:40, :56])  # a raw file whose sensor nobody knows has a small picture in front
        assert decode_bytes(small, where="a.tif").shape == (40, 56, 3)
        assert "is not a raw file that LibRaw" in refused(small, "a.nef")
        assert decode_bytes(pillow("JPEG"), where="a.nef").shape == SCENE.shape  # by another name

    @pytest.mark.parametrize("beginning", [b"IIRO", b"IIU\0", b"FUJIFILMCCD-RAW ", b"II\x1a\0\0\0HEAPCCDR", b"FOVb"])
    def test_broken_ones_of_every_maker(self, beginning: bytes, capfd) -> None:
        for data in (beginning, beginning + bytes(300), beginning + b"\xff" * 300):
            assert refused(data, "a.jpg")
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("kept", [0.02, 0.3, 0.9, 0.999])
    def test_one_cut_short_is_refused_quietly(self, kept: float, capfd) -> None:
        data = dng()
        assert "cut short" in refused(data[: int(kept * len(data))], "a.dng") or kept < 0.1
        assert refused(data[: int(kept * len(data))], "a.dng")
        assert capfd.readouterr() == ("", "")

    def test_a_large_one_is_refused_before_it_is_unpacked(self) -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert "60000×40000 px decode to 7,200 MB" in refused(dng(width=60_000, height=40_000), "a.dng")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes

    @given(st.lists(st.tuples(st.floats(0, 0.99), st.integers(0, 255)), min_size=1, max_size=5))
    @settings(deadline=None, max_examples=60)
    def test_other_bytes_in_its_header_give_a_photo_or_one_line(self, changes: list[tuple[float, int]]) -> None:
        data = bytearray(dng())
        for at, value in changes:
            data[int(at * 600)] = value
        refused(bytes(data), "a.dng")


class TestExtras:
    @pytest.mark.parametrize(
        ("module", "extra", "data", "name"),
        [("pillow_heif", "heif", heic(), "a.heic"), ("rawpy", "raw", dng(), "a.dng")],
    )
    def test_without_an_extra_one_line_names_it(
        self, module: str, extra: str, data: bytes, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        really = builtins.__import__

        def without(wanted: str, *rest: Any) -> Any:
            if wanted.partition(".")[0] == module:
                raise ImportError(wanted)
            return really(wanted, *rest)

        monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.setattr(builtins, "__import__", without)
        assert f"`pip install 'whalereid[{extra}]'` reads it" in refused(data, name)

    def test_neither_is_loaded_for_other_photos(self) -> None:
        code = "import sys; from whalereid.decoding import decode; decode(sys.argv[1]); print(*sys.modules)"
        path = Path(__file__).parents[1] / "docs/images/architecture.png"
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
        assert not {"pillow_heif", "rawpy", "PIL"} & set(done.stdout.split())


def large(kind: str, side: int = 40_000) -> bytes:
    """A small file that claims to be large."""
    if kind in ("avif", "heic"):
        data = bytearray(pillow("AVIF") if kind == "avif" else heic())
        at = data.index(b"ispe") + 8
        data[at : at + 8] = struct.pack(">II", side, side)
        return bytes(data)
    if kind == "webp":  # a canvas around a small frame
        inside = pillow("WEBP")[12:]
        canvas = b"VP8X" + struct.pack("<IB3x", 10, 0x02) + (side - 1).to_bytes(3, "little") * 2
        return b"RIFF" + struct.pack("<I", 4 + len(canvas) + len(inside)) + b"WEBP" + canvas + inside
    if kind == "j2k":
        whole = pillow("JPEG2000")
        data = bytearray(whole[whole.index(b"\xff\x4f\xff\x51") :])
        data[8:16] = struct.pack(">II", side, side)
        return bytes(data)
    if kind == "bigtiff":
        entries = b"".join(
            struct.pack("<HHQQ", tag, 4, 1, value)
            for tag, value in ((256, side), (257, side), (258, 8), (259, 1), (262, 2), (273, 8), (277, 3), (279, 9))
        )
        return b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, 8) + entries + bytes(8)
    if kind == "tile":
        return tiff([(256, 4, 100), (257, 4, 100), (258, 3, [8, 8, 8]), (277, 3, 3), (322, 4, side), (323, 4, side)])
    if kind == "deep tiff":  # 16 bits a channel count twice
        return tiff([(256, 4, 20_000), (257, 4, 20_000), (258, 3, [16, 16, 16]), (277, 3, 3)])
    data = bytearray(bytes(cv2.imencode(".bmp", SCENE)[1]))
    return bytes(data[:14]) + struct.pack("<IHHHH", 12, side, side, 1, 24) + bytes(90)  # bmp of OS/2


@pytest.mark.parametrize("kind", ["avif", "heic", "webp", "j2k", "bigtiff", "tile", "deep tiff", "bmp"])
def test_pixels_are_counted_before_they_are_decoded(kind: str, capfd) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = refused(large(kind), "a.tif")
    assert "above the 1,000 MB that a photo may take" in said, said
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["AVIF", "WEBP", "TIFF", "JPEG2000", "heic", "dng"])
def test_the_bound_holds_for_every_kind(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"heic": heic, "dng": dng}[kind]() if kind.islower() else pillow(kind)
    assert not refused(data, "a.x")
    monkeypatch.setenv(MAX_PHOTO_MB, "0.01")
    assert "112×80 px decode to 0.02" in refused(data, "a.x")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\0\0\0\x18ftypmp42" + bytes(90), "is a video, not a photo; take frames of it"),
        (b"\0\0\0\x14ftypqt  " + bytes(90), "is a video"),
        (b"RIFF\0\0\0\0AVI " + bytes(90), "is a video"),
        (b"\x1a\x45\xdf\xa3" + bytes(90), "is a video"),
        (b"GIF89a" + bytes(90), "is a GIF"),
        (b"P6\n30000 30000\n255\n" + bytes(90), "is not a photo"),
        (b"#?RADIANCE\n" + bytes(90), "is not a photo"),
        (b"\0\0\0\x18ftypheic", "cut short or damaged"),
        (b"\0\0\0\x18ftypavif", "cut short or damaged"),
        (b"RIFF\x10\0\0\0WEBPVP8X", "cut short or damaged"),
        (b"BM", "cut short or damaged"),
    ],
)
def test_what_is_no_photo_is_named(data: bytes, says: str, capfd) -> None:
    assert says in refused(data)
    assert capfd.readouterr() == ("", "")


class TestHostileHeaders:
    """Headers that would keep a reader busy, or fill its memory."""

    def test_items_of_endless_pieces(self) -> None:
        item = struct.pack(">HHHH", 1, 0, 0, 65535)  # as many pieces as can be, none of which takes a byte
        located = struct.pack(">IBBH", 0, 0, 0, 60_000) + item * 60_000
        box = struct.pack(">I", 8 + len(located)) + b"iloc" + located
        meta = struct.pack(">I", 12 + len(box)) + b"meta" + bytes(4) + box
        found = Boxes.parse(b"\0\0\0\x10ftypheicmif1" + meta).items
        assert sum(len(item.pieces) for item in found) <= 1 << 17

    def test_tags_of_endless_values(self) -> None:
        tag = struct.pack("<HHII", 273, 4, 3_000_000, 8)
        data = b"II*\0" + struct.pack("<IH", 8, 4000) + tag * 4000 + bytes(13_000_000)
        found = Tiff.parse(data)
        assert found is not None
        assert sum(len(values) for tags in found.pages for values in tags.values()) <= 1 << 20

    def test_pages_in_a_circle(self) -> None:
        found = Tiff.parse(
            b"II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 330, 4, 1, 8) + struct.pack("<I", 8)
        )
        assert found is not None
        assert len(found.pages) == 1

    @given(st.binary(max_size=300))
    @settings(max_examples=200)
    def test_any_bytes(self, data: bytes) -> None:
        for head in (
            b"II*\0",
            b"MM\0+",
            b"\0\0\0\x10ftypavif",
            b"\0\0\0\x10ftypheic",
            b"RIFF1234WEBP",
            b"BM",
            b"\xff\x4f\xff\x51",
        ):
            refused(head + data, "a.jpg")


class TestWorkers:
    @pytest.fixture
    def photos(self, tmp_path: Path) -> Catalogue:
        files = {"a.heic": heic(tile_size=64), "b.dng": dng(), "c.avif": pillow("AVIF"), "d.webp": pillow("WEBP")}
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        names = list(files)
        return Catalogue(pd.DataFrame({"image_id": names, "path": names, "identity": "one"}), tmp_path)

    @pytest.mark.parametrize("start", ["fork", "spawn"])
    def test_processes_read_what_this_one_read(self, photos: Catalogue, start: str) -> None:
        from torch.utils.data import DataLoader

        dataset = PhotoDataset(photos, evaluation_transform(32))
        here = [dataset[row][0] for row in range(4)]  # its libraries have run before the fork
        loader = DataLoader(dataset, batch_size=None, num_workers=2, multiprocessing_context=start, timeout=120)
        for image, (found, _, _) in zip(here, loader, strict=True):
            assert bool((image == found).all())

    def test_threads(self, photos: Catalogue) -> None:
        here = [read_photo(path) for path in photos.paths]
        with ThreadPoolExecutor(8) as pool:
            for row, image in enumerate(pool.map(read_photo, photos.paths * 8)):
                np.testing.assert_array_equal(image, here[row % 4])

    @pytest.mark.parametrize("threads", [None, "2"])
    def test_the_environment_is_left_as_it_was(self, threads: str | None, tmp_path: Path) -> None:
        (tmp_path / "a.dng").write_bytes(dng())
        code = "import os; from whalereid.decoding import decode; decode('a.dng'); print(os.getenv('OMP_NUM_THREADS'))"
        env = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
        env |= {"OMP_NUM_THREADS": threads} if threads else {}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == str(threads)


def test_suffixes() -> None:
    assert {".heic", ".avif", ".cr3", ".dng", ".tif", ".jpg"} <= PHOTO_SUFFIXES
    assert not PHOTO_SUFFIXES & VIDEO_SUFFIXES
    assert "ffmpeg" in (advice(".MOV") or "")
    assert advice(".jpg") is None
    paths = [PurePath(name) for name in ("x/1.NEF", "x/1.jpg", "x/1.mp4", "y/1.nef", "x/2.nef", "x/2.cr2", "x/2.mp4")]
    assert raw_doubles(paths) == [PurePath("x/1.NEF")]
    assert all(suffix == suffix.lower() for suffix in RAW_SUFFIXES)
