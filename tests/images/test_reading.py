"""What a transform's steps show of the photos it makes."""

from __future__ import annotations

import albumentations as A
import cv2
import pytest
from albumentations.pytorch import ToTensorV2

from whalereid.errors import WhalereidError
from whalereid.images import IMAGENET_MEAN, IMAGENET_STD, TRAINING_TRANSFORMS, Framing, evaluation_transform
from whalereid.images.reading import Reading, read_transform

END = [A.Normalize(), ToTensorV2()]


@pytest.mark.parametrize("name", list(TRAINING_TRANSFORMS))
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("flip", [False, True])
def test_our_own_are_read_whole(name: str, antialias: bool, flip: bool) -> None:
    transform = TRAINING_TRANSFORMS[name]((24, 16), (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), flip=flip, antialias=antialias)
    expected = Reading(
        (24, 16), pytest.approx((0.1, 0.2, 0.3)), pytest.approx((0.4, 0.5, 0.6)), antialias, Framing(), flip
    )
    assert read_transform(transform) == expected


def test_a_frame_is_read_as_it_was_asked_for() -> None:
    framing = Framing("bicubic", 0.9, "center")
    for transform in (evaluation_transform(32, framing=framing), TRAINING_TRANSFORMS["strong"](32, framing=framing)):
        assert read_transform(transform).framing == framing
        assert read_transform(transform).antialias is True
    assert read_transform(A.Compose([A.Resize(8, 8, interpolation=cv2.INTER_NEAREST), *END])).framing is None


def test_the_winners_sets_sample_unless_asked_otherwise() -> None:
    assert read_transform(TRAINING_TRANSFORMS["whaledo"](32)).antialias is False
    assert read_transform(TRAINING_TRANSFORMS["strong"](32)).antialias is True
    assert read_transform(evaluation_transform(32, antialias=False)).antialias is False


def test_steps_of_others() -> None:
    area = A.Compose([A.Resize(32, 48, interpolation=cv2.INTER_AREA), *END])
    assert read_transform(area) == Reading((32, 48), IMAGENET_MEAN, IMAGENET_STD, True, Framing(), False)
    nested = A.Compose([A.Sequential([A.Resize(8, 8), A.OneOf([A.HorizontalFlip(), A.ToGray()])], p=1), *END])
    assert read_transform(nested) == Reading((8, 8), IMAGENET_MEAN, IMAGENET_STD, False, Framing(), True)
    scaled = A.Compose(
        [A.Resize(8, 8), A.Normalize(mean=(1, 1, 1), std=(2, 2, 2), max_pixel_value=127.5), ToTensorV2()]
    )
    assert read_transform(scaled).mean == pytest.approx((0.5, 0.5, 0.5))
    assert read_transform(scaled).std == pytest.approx((1, 1, 1))


def test_what_comes_by_chance_or_by_the_photo_is_not_read() -> None:
    assert read_transform(A.Compose([A.SmallestMaxSize(24), *END])).image_size is None
    crops = read_transform(A.Compose([A.RandomResizedCrop((24, 20)), *END]))
    assert (crops.image_size, crops.antialias) == ((24, 20), None)
    own = A.Compose([A.Resize(8, 8), A.Normalize(normalization="image"), ToTensorV2()])
    assert (read_transform(own).mean, read_transform(own).std) == (None, None)
    chosen = A.Compose([A.Resize(8, 8), A.OneOf([A.Normalize(), A.Normalize(mean=(0, 0, 0))], p=1), ToTensorV2()])
    assert read_transform(chosen).mean is None


def test_what_no_network_takes_is_refused() -> None:
    with pytest.raises(WhalereidError, match=r"makes \(3, 8, 8\) torch.uint8 of a photo.*A.Normalize"):
        read_transform(A.Compose([A.Resize(8, 8), ToTensorV2()]))
    with pytest.raises(WhalereidError, match=r"makes \(8, 8, 3\) float32 of a photo"):
        read_transform(A.Compose([A.Resize(8, 8), A.Normalize()]))
