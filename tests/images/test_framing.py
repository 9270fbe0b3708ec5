"""Photos are framed as timm's own transform does it, whatever their shape."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import timm.data
from PIL import Image

from images.test_transforms import photo
from whalereid.errors import WhalereidError
from whalereid.images import TRAINING_TRANSFORMS, Framing, evaluation_transform
from whalereid.images.framing import CROP_MODES, INTERPOLATIONS
from whalereid.models import Preprocessing

SHAPES = [(90, 60), (60, 91), (301, 200), (40, 300), (31, 30), (128, 96), (8, 128)]
MEAN, STD = (0.5, 0.4, 0.3), (1 / 255,) * 3  # so that differences are in steps of a pixel


@pytest.mark.parametrize(("interpolation", "mode"), [*product(INTERPOLATIONS, CROP_MODES)])
def test_a_frame_is_timms(interpolation: str, mode: str) -> None:
    for shape, share, size in product(SHAPES, (1.0, 0.875, 1.15), ((64, 64), (96, 48))):
        image = photo(*shape)
        theirs = timm.data.create_transform(
            (3, *size), interpolation=interpolation, crop_pct=share, crop_mode=mode, mean=MEAN, std=STD
        )(Image.fromarray(image))
        ours = evaluation_transform(size, MEAN, STD, framing=Framing(interpolation, share, mode))(image=image)["image"]
        assert ours.shape == theirs.shape
        difference = (ours - theirs).abs()  # Pillow and torch round alike, but for a step here and there
        assert difference.max() <= 4, (shape, share, size)
        assert difference.mean() < 0.6, (shape, share, size)


def test_a_photo_as_long_as_a_rope_takes_no_more_memory() -> None:
    rope = np.full((1, 200_000, 3), 100, np.uint8)
    for mode in CROP_MODES:
        framed = evaluation_transform(64, MEAN, STD, framing=Framing(crop_mode=mode))(image=rope)["image"]
        assert framed.shape == (3, 64, 64)


def test_without_averaging_it_is_sampled() -> None:
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[::2] = 255
    sampled = evaluation_transform(32, (0, 0, 0), (1, 1, 1), antialias=False, framing=Framing("bicubic"))(image=stripes)
    averaged = evaluation_transform(32, (0, 0, 0), (1, 1, 1), framing=Framing("bicubic"))(image=stripes)
    assert (averaged["image"] - 0.5).abs().max() < 0.03
    assert not np.allclose(sampled["image"], averaged["image"], atol=0.01)


def test_training_frames_as_embedding_does() -> None:
    look = Preprocessing(48, interpolation="bicubic", crop_pct=0.9, crop_mode="center")
    image = photo(90, 60)
    plain = TRAINING_TRANSFORMS["plain"](look.image_size, look.mean, look.std, flip=False, framing=look.framing)
    np.testing.assert_array_equal(plain(image=image)["image"], look.transform()(image=image)["image"])
    assert not np.allclose(plain(image=image)["image"], evaluation_transform(48)(image=image)["image"], atol=0.1)


def test_a_framing_that_is_noted_comes_back_and_the_usual_one_is_noted_as_ever() -> None:
    usual = Preprocessing((64, 32))
    assert set(usual.to_dict()) == {"image_size", "mean", "std", "portrait", "antialias"}
    other = Preprocessing((64, 32), interpolation="bicubic", crop_pct=0.9, crop_mode="center")
    for look in (usual, other):
        assert Preprocessing.from_dict(look.to_dict()) == look


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("interpolation", "lanczos", "interpolation is 'lanczos'; choose from bilinear, bicubic"),
        ("interpolation", None, "interpolation is None; choose"),
        ("crop_pct", 0, r"crop_pct is 0; give a number from 0.1 to 1.5"),
        ("crop_pct", 2, "crop_pct is 2"),
        ("crop_pct", float("nan"), "crop_pct is nan"),
        ("crop_mode", "Center", "crop_mode is 'Center'; choose from squash, center, border"),
        ("crop_mode", [], "crop_mode is"),
    ],
)
def test_framings_that_cannot_be(name: str, value: object, words: str) -> None:
    for make in (Framing, Preprocessing):
        with pytest.raises(WhalereidError, match=words):
            make(**{name: value})  # type: ignore[operator]
