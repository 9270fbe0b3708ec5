from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from whalereid.decoding import crop, decode, decode_bytes, upright_size
from whalereid.errors import WhalereidError

PHOTO = cv2.resize(np.random.default_rng(0).integers(0, 256, (6, 5, 3)).astype(np.uint8), (60, 72))


def encoded(suffix: str, image: np.ndarray = PHOTO, *options: int) -> bytes:
    done, data = cv2.imencode(suffix, image, list(options))
    assert done
    return bytes(data)


FORMATS = {
    "jpeg": encoded(".jpg"),
    "progressive": encoded(".jpg", PHOTO, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarts": encoded(".jpg", PHOTO, cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
    "png": encoded(".png"),
    "webp": encoded(".webp"),
    "tiff": encoded(".tif"),
    "bmp": encoded(".bmp"),
}
EXIF_TURNED = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x112, 3, 1, 6, 0, 0)  # orientation 6: turn clockwise


def with_segment(jpeg: bytes, payload: bytes) -> bytes:
    """A JPEG with one more metadata segment."""
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + jpeg[2:]


def with_chunk(png: bytes, kind: bytes, payload: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + payload))
    return png[:33] + struct.pack(">I", len(payload)) + kind + payload + checksum + png[33:]


@pytest.mark.parametrize("name", FORMATS)
def test_whole_photos_decode(name: str) -> None:
    image = decode_bytes(FORMATS[name], where="x")
    assert image.shape == PHOTO.shape
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - PHOTO).mean() < 12


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.95, -2])
def test_photos_cut_short_are_refused_by_name(name: str, kept: float, capfd: pytest.CaptureFixture[str]) -> None:
    data = FORMATS[name]
    part = data[: int(len(data) * kept)] if kept > 0 else data[:kept]
    with pytest.raises(WhalereidError, match=r"^a\.jpg: .*(cut short|can't be decoded|is not a photo)") as error:
        decode_bytes(part, where="a.jpg")
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_a_thumbnail_does_not_make_up_for_the_end() -> None:
    inner = b"Exif\0\0" + FORMATS["jpeg"]  # has an end-of-image mark of its own
    data = with_segment(FORMATS["jpeg"], inner)
    assert decode_bytes(data, where="x").shape == PHOTO.shape
    with pytest.raises(WhalereidError, match="cut short"):
        decode_bytes(data[: len(data) - 400], where="x")


def test_a_copy_stopped_half_way_is_refused() -> None:
    data = FORMATS["jpeg"]  # copying programs often reserve the whole length first
    with pytest.raises(WhalereidError, match="cut short"):
        decode_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2), where="x")


def test_cameras_may_append_to_a_jpeg() -> None:
    assert decode_bytes(FORMATS["jpeg"] + b"\0maker's notes" * 9, where="x").shape == PHOTO.shape


def test_a_damaged_png_is_refused_quietly(capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(FORMATS["png"])
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(WhalereidError, match="damaged"):
        decode_bytes(bytes(data), where="x")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "data", [with_segment(FORMATS["jpeg"], b"Exif\0\0" + EXIF_TURNED), with_chunk(FORMATS["png"], b"eXIf", EXIF_TURNED)]
)
def test_photos_are_turned_upright(data: bytes) -> None:
    image = decode_bytes(data, where="x")
    assert np.abs(image.astype(int) - cv2.rotate(PHOTO, cv2.ROTATE_90_CLOCKWISE)).mean() < 12


def test_grey_alpha_and_16_bits_stay() -> None:
    grey, deep = PHOTO[..., 0], PHOTO.astype(np.uint16) * 257
    alpha = np.dstack([PHOTO, 255 - grey])
    np.testing.assert_array_equal(decode_bytes(encoded(".png", grey), where="x"), grey)
    np.testing.assert_array_equal(decode_bytes(encoded(".png", deep), where="x"), deep)
    np.testing.assert_array_equal(decode_bytes(encoded(".png", alpha), where="x"), alpha)
    turned = decode_bytes(with_chunk(encoded(".png", alpha), b"eXIf", EXIF_TURNED), where="x")
    np.testing.assert_array_equal(turned, cv2.rotate(alpha, cv2.ROTATE_90_CLOCKWISE))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"image_id,path\n" * 20, "is not a photo"),
        (b"\xff\xd8\xff", "cut short"),
        (b"II*\0" + bytes(100), "cut short"),
    ],
)
def test_what_is_no_photo_is_named(data: bytes, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WhalereidError, match=rf"^b\.jpg: .*{message}"):
        decode_bytes(data, where="b.jpg")
    assert capfd.readouterr() == ("", "")


def test_a_photo_of_absurd_size_is_refused() -> None:
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    bomb = with_chunk(b"\x89PNG\r\n\x1a\n" + b"\0" * 25 + FORMATS["png"][-12:], b"IDAT", zlib.compress(bytes(100)))
    bomb = (
        bomb[:8]
        + struct.pack(">I", 13)
        + b"IHDR"
        + header
        + struct.pack(">I", zlib.crc32(b"IHDR" + header))
        + bomb[33:]
    )
    with pytest.raises(WhalereidError, match="x: 40000×40000 px decode to 4,800 MB, above the 1,000 MB"):
        decode_bytes(bomb, where="x")


def test_files(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(FORMATS["jpeg"])
    (tmp_path / "empty.jpg").touch()
    os.mkfifo(tmp_path / "pipe.jpg")
    assert decode(tmp_path / "photo.jpg").shape == PHOTO.shape
    for name, message in {
        "none.jpg": "no such file",
        "empty.jpg": "the file is empty",
        "pipe.jpg": "is not a file",
        "": "is not a file",
    }.items():
        with pytest.raises(WhalereidError, match=message):
            decode(tmp_path / name)


def test_opencv_speaks_again_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WhalereidError):
        decode_bytes(FORMATS["bmp"][:-9], where="x")
    cv2.imdecode(np.frombuffer(FORMATS["bmp"][:-9], np.uint8), cv2.IMREAD_COLOR)
    assert "ERROR" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("box", "part"),
    [
        ((10, 20, 30, 40), PHOTO[20:60, 10:40]),
        ((10.5, 20.2, 30, 40), PHOTO[20:61, 10:41]),
        ((-5, -5, 10, 10), PHOTO[:5, :5]),
        ((50, 60, 999, 999), PHOTO[60:, 50:]),
    ],
)
def test_boxes_cut_out(box: tuple[float, float, float, float], part: np.ndarray) -> None:
    np.testing.assert_array_equal(crop(PHOTO, box, where="x"), part)


@pytest.mark.parametrize("box", [(60, 0, 5, 5), (0, 72, 5, 5), (-5, 0, 5, 5), (1e9, 0, 1, 1)])
def test_boxes_that_miss_are_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(WhalereidError, match=r"a\.jpg: bbox .* lies outside the photo of 60×72 px"):
        crop(PHOTO, box, where="a.jpg")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("turned", [False, True])
def test_the_size_is_that_of_the_upright_photo(tmp_path: Path, name: str, turned: bool) -> None:
    data = FORMATS[name]
    if turned and data.startswith(b"\xff\xd8"):
        data = with_segment(data, b"Exif\0\0" + EXIF_TURNED)
    if turned and data.startswith(b"\x89PNG"):
        data = with_chunk(data, b"eXIf", EXIF_TURNED)
    (tmp_path / "photo").write_bytes(data)
    height, width = decode(tmp_path / "photo").shape[:2]
    assert upright_size(tmp_path / "photo") == (width, height)


def test_the_size_of_a_jpeg_needs_its_header_alone(tmp_path: Path) -> None:
    thumbnails = with_segment(with_segment(FORMATS["jpeg"], bytes(60_000)), bytes(65_000))
    (tmp_path / "long.jpg").write_bytes(with_segment(thumbnails, bytes(65_000)))
    assert upright_size(tmp_path / "long.jpg") == (60, 72)
    (tmp_path / "cut.jpg").write_bytes(FORMATS["jpeg"][:700])
    assert upright_size(tmp_path / "cut.jpg") == (60, 72)
    (tmp_path / "other.jpg").write_bytes(
        with_segment(FORMATS["jpeg"], b"Exif\0\0" + EXIF_TURNED.replace(b"\6", b"\x20"))
    )
    assert upright_size(tmp_path / "other.jpg") == (60, 72)


@pytest.mark.parametrize(
    "data", [None, b"", b"x" * 99, FORMATS["jpeg"][:20], FORMATS["png"][:60], FORMATS["webp"][:60]]
)
def test_the_size_of_what_is_no_photo_is_refused(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "photo.jpg"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(WhalereidError, match=r"photo\.jpg"):
        upright_size(path)
