"""Transforms: what each does to pixels, how often, and that the winner's set is the winner's."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
from collections.abc import Iterator

import albumentations as A
import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from whalereid.errors import WhalereidError
from whalereid.images import IMAGENET_MEAN, IMAGENET_STD, TRAINING_TRANSFORMS, evaluation_transform
from whalereid.images.resizing import Shrink
from whalereid.images.transforms import Transform, WhiteCorner

NAMES = list(TRAINING_TRANSFORMS)


def photo(height: int = 90, width: int = 60, seed: int = 0) -> np.ndarray:
    """Soft colours with detail: (height, width, 3) uint8."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 216, (6, 5, 3), dtype=np.uint8)
    fine = rng.integers(0, 40, (height, width, 3), dtype=np.uint8)
    return cv2.add(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), fine)


def draws(transform: Transform, image: np.ndarray, times: int) -> Iterator[np.ndarray]:
    for seed in range(times):
        transform.set_random_state(np.random.default_rng(seed), random.Random(seed))
        yield transform(image=image)["image"]


def test_evaluation_is_resize_and_normalise() -> None:
    image = photo(90, 60)
    tensor = evaluation_transform((128, 96))(image=image)["image"]
    larger = cv2.resize(image, (96, 128), interpolation=cv2.INTER_LINEAR)
    expected = (larger / 255 - IMAGENET_MEAN) / IMAGENET_STD
    assert tensor.dtype == torch.float32
    assert tensor.shape == (3, 128, 96)
    np.testing.assert_allclose(tensor.numpy().transpose(1, 2, 0), expected, atol=1e-5)


def test_evaluation_takes_its_mean_and_std() -> None:
    tensor = evaluation_transform(64, mean=(0.5, 0.5, 0.5), std=(0.5, 0.25, 0.125))(
        image=np.full((64, 64, 3), 255, "u1")
    )
    np.testing.assert_allclose(tensor["image"][:, 0, 0], [1, 2, 4], atol=1e-6)


@pytest.mark.parametrize("shape", [(256, 256), (256, 16), (16, 256)])
def test_shrinking_averages_along_each_side(shape: tuple[int, int]) -> None:
    stripes = np.zeros((*shape, 3), np.uint8)
    stripes[::2] = 255  # every other row white: the average is grey
    if shape[0] < shape[1]:
        stripes = np.zeros((*shape, 3), np.uint8)
        stripes[:, ::2] = 255
    shrunk = evaluation_transform(32, mean=(0, 0, 0), std=(1, 1, 1))(image=stripes)["image"]
    np.testing.assert_allclose(shrunk, 0.5, atol=0.03)
    # As the winner did it: a bilinear sample, which agrees with OpenCV's and is not the average here.
    sampled = evaluation_transform(32, mean=(0, 0, 0), std=(1, 1, 1), antialias=False)(image=photo(256, 256))["image"]
    expected = cv2.resize(photo(256, 256), (32, 32), interpolation=cv2.INTER_LINEAR) / 255
    np.testing.assert_allclose(sampled.numpy().transpose(1, 2, 0), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(300, 200), (97, 230), (33, 31), (40, 300), (300, 8)])
def test_shrinking_agrees_with_pillow(shape: tuple[int, int]) -> None:
    image = photo(*shape)
    shrunk = Shrink(32, 30)(image=image)["image"]
    size = min(shape[1], 30), min(shape[0], 32)
    expected = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
    assert np.abs(shrunk.astype(int) - expected).max() <= 1
    image.flags.writeable = False
    for view in (image, image[:, ::-1], np.asfortranarray(image)):
        again = Shrink(32, 30)(image=view)["image"]
        assert again.flags["C_CONTIGUOUS"]
        np.testing.assert_array_equal(again, Shrink(32, 30)(image=np.ascontiguousarray(view))["image"])
    assert Shrink(400, 400)(image=image)["image"] is image


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [32, (48, 32), np.int64(32)])
def test_training_gives_a_finite_tensor_of_the_size(name: str, size: int | tuple[int, int]) -> None:
    transform = TRAINING_TRANSFORMS[name](size)
    height, width = size if isinstance(size, tuple) else (size, size)
    for shape in ((8, 8), (8, 300), (300, 8), (90, 60)):
        for tensor in draws(transform, photo(*shape), 10):
            assert isinstance(tensor, torch.Tensor)
            assert tensor.shape == (3, height, width)
            assert tensor.dtype == torch.float32
            assert torch.isfinite(tensor).all()


@pytest.mark.parametrize("name", NAMES)
def test_training_leaves_the_photo_as_it_was(name: str) -> None:
    image = photo()
    before = image.copy()
    list(draws(TRAINING_TRANSFORMS[name](32), image, 20))
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("name", NAMES)
def test_flip_is_an_even_toss_or_off(name: str) -> None:
    with_flip = TRAINING_TRANSFORMS[name].steps(32)
    assert "flip" in with_flip
    image = photo(32, 32)
    mirrored = sum(np.array_equal(out, image[:, ::-1]) for out in draws(with_flip["flip"], image, 400))
    assert 160 < mirrored < 240
    assert list(TRAINING_TRANSFORMS[name].steps(32, flip=False)) == [step for step in with_flip if step != "flip"]
    assert not any(isinstance(t, A.HorizontalFlip) for t in TRAINING_TRANSFORMS[name](32, flip=False).transforms)


def test_plain_is_evaluation_or_its_mirror_image() -> None:
    image = photo()
    plain = evaluation_transform(32)(image=image)["image"]
    for out in draws(TRAINING_TRANSFORMS["plain"](32), image, 20):
        assert torch.allclose(out, plain, atol=0.03) or torch.allclose(out, plain.flip(2), atol=0.03)


def test_the_winners_steps_in_their_order() -> None:
    steps = TRAINING_TRANSFORMS["whaledo"].steps(512)
    assert list(steps) == ["resize", "flip", "sharpen, grey or CLAHE", "shift, scale, rotate", "colour"]
    assert list(TRAINING_TRANSFORMS["whaledo-corner"].steps(512)) == ["white corner", *steps]
    transform = TRAINING_TRANSFORMS["whaledo"](512)
    assert [type(t).__name__ for t in transform.transforms] == [
        "Resize",
        "HorizontalFlip",
        "OneOf",
        "Affine",
        "ColorJitter",
        "Normalize",
        "ToTensorV2",
    ]


def test_the_winners_resize_is_a_bilinear_sample() -> None:
    image = photo(300, 200)
    resized = TRAINING_TRANSFORMS["whaledo"].steps((64, 48))["resize"](image=image)["image"]
    np.testing.assert_array_equal(resized, cv2.resize(image, (48, 64), interpolation=cv2.INTER_LINEAR))


def test_the_winners_choice_of_three_is_even() -> None:
    step = TRAINING_TRANSFORMS["whaledo"].steps(64)["sharpen, grey or CLAHE"]
    image = photo(64, 64)
    counts = {"same": 0, "grey": 0, "other": 0}
    for out in draws(step, image, 1200):
        if np.array_equal(out, image):
            counts["same"] += 1
        elif np.ptp(out, axis=2).max() == 0:
            counts["grey"] += 1
            np.testing.assert_array_equal(out[:, :, 0], cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
        else:
            counts["other"] += 1
    assert 540 < counts["same"] < 660  # half
    assert 155 < counts["grey"] < 245  # a sixth
    sharpen, grey, clahe = step.transforms
    assert (type(sharpen), type(grey), type(clahe)) == (A.Sharpen, A.ToGray, A.CLAHE)
    assert (sharpen.alpha, sharpen.lightness, sharpen.method) == ((0.2, 0.5), (0.5, 1.0), "kernel")
    assert (clahe.clip_limit, clahe.tile_grid_size) == ((1, 4), (8, 8))
    np.testing.assert_allclose(step.transforms_ps, 1 / 3)


def test_the_winners_affine_is_that_of_the_albumentations_of_2022() -> None:
    """One scale for both sides, rotation about the middle, shifts as shares of the sides, borders reflected."""
    step = TRAINING_TRANSFORMS["whaledo"].steps((400, 200))["shift, scale, rotate"]
    scales, angles, shifts = [], [], []
    for seed in range(500):
        step.set_random_state(np.random.default_rng(seed), random.Random(seed))
        matrix = step.get_params_dependent_on_data({"shape": (400, 200, 3)}, {})["matrix"]
        (a, b), (c, d) = matrix[:2, :2]
        assert a == pytest.approx(d)  # no shear, and the same scale along both sides
        assert b == pytest.approx(-c)
        scale, angle = np.hypot(a, b), np.degrees(np.arctan2(b, a))
        middle = matrix @ (100, 200, 1)
        shift = (middle[:2] - (100, 200)) / (200, 400)
        old = cv2.getRotationMatrix2D((100, 200), angle, scale)
        old[:, 2] += shift * (200, 400)
        corners = np.array([[0, 0, 1], [200, 0, 1], [0, 400, 1], [200, 400, 1]]).T
        np.testing.assert_allclose(matrix[:2] @ corners, old @ corners, atol=1e-6)
        scales.append(scale)
        angles.append(angle)
        shifts.append(shift)
    for values, limit in ((np.array(scales) - 1, 0.2), (np.array(angles), 4), (np.array(shifts), 0.25)):
        assert np.abs(values).max() <= limit + 0.005 * limit + 0.003
        assert values.max() > 0.95 * limit  # and all of the range is used
        assert values.min() < -0.95 * limit
        assert abs(values.mean()) < 0.1 * limit
    changed = sum(not np.array_equal(out, photo()) for out in draws(step, photo(), 400))
    assert 160 < changed < 240
    for out in draws(step, np.full((64, 64, 3), 255, np.uint8), 40):
        assert out.min() == 255  # no black borders


def test_the_winners_colours() -> None:
    step = TRAINING_TRANSFORMS["whaledo"].steps(64)["colour"]
    assert step.p == 0.5
    for name, centre, reach in [("brightness", 1, 0.1), ("contrast", 1, 0.1), ("saturation", 1, 0.1), ("hue", 0, 0.2)]:
        assert getattr(step, name) == pytest.approx((centre - reach, centre + reach))
    assert isinstance(step, A.ColorJitter)


@pytest.mark.parametrize("shape", [(8, 8), (40, 60), (463, 150), (150, 463), (333, 77)])
def test_the_white_corner_is_the_winners(shape: tuple[int, int]) -> None:
    image = photo(*shape)
    by_hand = image.copy()
    legs_x, legs_y = int(shape[1] * 0.3), int(shape[0] * 0.25)
    for row in range(legs_y):  # https://github.com/drivendataorg/wheres-whale-do, 1st place: step of width per row
        for column in range(legs_x - int(legs_x / legs_y * row)):
            by_hand[row, column] = 255
    painted = WhiteCorner(p=1)(image=image)["image"]
    np.testing.assert_array_equal(painted, by_hand)
    assert (painted[0, : int(shape[1] * 0.3)] == 255).all()
    assert (painted[int(shape[0] * 0.25) :] == image[int(shape[0] * 0.25) :]).all()


def test_the_white_corner_comes_half_of_the_time_and_before_the_flip() -> None:
    black = np.zeros((64, 64, 3), np.uint8)
    outs = list(draws(TRAINING_TRANSFORMS["whaledo-corner"].steps(64)["white corner"], black, 400))
    assert 160 < sum(out.any() for out in outs) < 240
    transform = A.Compose(list(TRAINING_TRANSFORMS["whaledo-corner"].steps(64).values())[:3])
    sides = {(bool(out[0, 0, 0]), bool(out[0, -1, 0])) for out in draws(transform, black, 100)}
    assert sides == {(False, False), (True, False), (False, True)}


def test_steps_draw_apart_from_each_other() -> None:
    """Of independent coin tosses all four outcomes come up: the transform has one stream, not one alike per step."""
    transform = TRAINING_TRANSFORMS["whaledo-corner"](32, flip=False)
    seen = set()
    for seed in range(60):
        transform.set_random_state(np.random.default_rng(seed), random.Random(seed))
        out = transform(image=photo(32, 32))["image"]
        corner = bool((out[:, 0, 0] > 2).all())
        grey = bool(torch.allclose(out[0] * 0.229 + 0.485, out[1] * 0.224 + 0.456, atol=1e-3))
        seen.add((corner, grey))
    assert seen == {(False, False), (False, True), (True, False), (True, True)}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_state_gives_the_same_pixels_also_after_pickling(name: str) -> None:
    transform = TRAINING_TRANSFORMS[name](32)
    again = pickle.loads(pickle.dumps(transform))
    for a, b in zip(draws(transform, photo(), 8), draws(again, photo(), 8), strict=True):
        assert torch.equal(a, b)
    different = torch.stack(list(draws(transform, photo(), 8)))
    assert len(torch.unique(different.flatten(1), dim=0)) > 1


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(WhalereidError, match=r"'mild'; choose from plain, strong, whaledo, whaledo-corner\."):
        TRAINING_TRANSFORMS["mild"]
    assert "mild" not in TRAINING_TRANSFORMS


@pytest.mark.parametrize("size", [0, -1, (32,), (32, 32, 3), (32, 0), (32.5, 32), "big", ("3", "4"), None, 32.0])
def test_a_size_that_cannot_be(size: object) -> None:
    with pytest.raises(WhalereidError, match="image size"):
        evaluation_transform(size)  # type: ignore[arg-type]
    with pytest.raises(WhalereidError, match="image size"):
        TRAINING_TRANSFORMS["plain"](size)  # type: ignore[arg-type]


@pytest.mark.parametrize(("mean", "std"), [((0.5,), (1, 1, 1)), ((0, 0, 0), (1, 1, 0)), ((0, 0, np.nan), (1, 1, 1))])
def test_a_normalisation_that_cannot_be(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    with pytest.raises(WhalereidError, match="three numbers"):
        evaluation_transform(32, mean, std)


def test_importing_and_using_them_warns_of_nothing_and_asks_no_network() -> None:
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise AssertionError('asked the network')\n"
        "socket.getaddrinfo = refuse\n"
        "import numpy as np\n"
        "from whalereid.images import TRAINING_TRANSFORMS, evaluation_transform\n"
        "image = np.full((40, 30, 3), 99, np.uint8)\n"
        "evaluation_transform(32)(image=image)\n"
        "for make in TRAINING_TRANSFORMS.values():\n"
        "    transform = make(32)\n"
        "    for _ in range(30): transform(image=image)\n"
    )
    run = [sys.executable, "-W", "error", "-c", code]
    environment = {"PATH": "", "HOME": "/nonexistent"}
    result = subprocess.run(run, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
