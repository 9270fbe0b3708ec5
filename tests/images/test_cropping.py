"""Crops: what is cut out, how much around it, and what becomes of the background."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.images import Crop, CrossViewPairs, PhotoDataset, collate, evaluation_transform, read_photo

PLAIN = evaluation_transform(16)
PHOTO = cv2.resize(np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8), (64, 48))
MASK = np.zeros((48, 64), np.uint8)
MASK[10:30, 20:40] = 1
BOX = (20.0, 10.0, 20.0, 20.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "a.png"), PHOTO[..., ::-1])
    return tmp_path / "a.png"


class TestCrop:
    def test_pad_is_a_share_of_the_longer_side(self, path: Path) -> None:
        wide = read_photo(path, (20, 20, 20, 10), crop=Crop(pad=0.25))
        np.testing.assert_array_equal(wide, PHOTO[15:35, 15:45])
        whole = read_photo(path, (20, 20, 20, 10), crop=Crop(pad=1))  # of what is beyond the photo nothing is made up
        np.testing.assert_array_equal(whole, PHOTO[0:48, 0:60])
        np.testing.assert_array_equal(read_photo(path, crop=Crop(pad=1)), PHOTO)

    def test_a_mask_alone_cuts_by_its_bounds(self, path: Path) -> None:
        np.testing.assert_array_equal(read_photo(path, mask=MASK), PHOTO[10:30, 20:40])
        np.testing.assert_array_equal(read_photo(path, mask=MASK, crop=Crop(pad=0.1)), PHOTO[8:32, 18:42])
        cv2.imwrite(str(path.parent / "mask.png"), MASK * 255)
        np.testing.assert_array_equal(read_photo(path, mask=path.parent / "mask.png"), PHOTO[10:30, 20:40])

    def test_a_box_counts_before_a_mask(self, path: Path) -> None:
        np.testing.assert_array_equal(read_photo(path, (0, 0, 30, 30), mask=MASK), PHOTO[:30, :30])
        # which isn't even read where it decides nothing
        np.testing.assert_array_equal(read_photo(path, (0, 0, 30, 30), mask=path.parent / "no.png"), PHOTO[:30, :30])

    def test_grey(self, path: Path) -> None:
        for box, mask in ((None, MASK), (BOX, MASK)):
            cut = read_photo(path, box, mask=mask, crop=Crop(0.2, "grey"))
            expected = np.where(MASK[..., None] > 0, PHOTO, 128)[6:34, 16:44]
            np.testing.assert_array_equal(cut, expected)

    def test_blur_leaves_the_animal_and_shows_nothing_of_it_elsewhere(self, path: Path) -> None:
        cut = read_photo(path, BOX, mask=MASK, crop=Crop(0.2, "blur"))
        inside = MASK[6:34, 16:44] > 0
        np.testing.assert_array_equal(cut[inside], PHOTO[6:34, 16:44][inside])
        bright, dark = PHOTO.copy(), PHOTO.copy()
        bright[MASK > 0], dark[MASK > 0] = 255, 0
        shown = []
        for pixels in (bright, dark):
            cv2.imwrite(str(path), pixels[..., ::-1])
            shown.append(read_photo(path, BOX, mask=MASK, crop=Crop(0.2, "blur"))[~inside])
        np.testing.assert_array_equal(*shown)

    def test_blur_hides_what_was_there(self, tmp_path: Path) -> None:
        """Stripes of 8 px behind an animal become one shade; the background's colour stays."""
        stripes = np.zeros((400, 600, 3), np.uint8)
        stripes[:, np.arange(600) // 8 % 2 == 0] = (200, 100, 50)
        mask = np.zeros((400, 600), np.uint8)
        mask[150:250, 200:400] = 1
        cv2.imwrite(str(tmp_path / "a.png"), stripes[..., ::-1])
        cut = read_photo(tmp_path / "a.png", (0, 0, 600, 400), mask=mask, crop=Crop(background="blur"))
        outside = cut[mask == 0].astype(float)
        assert outside.std(axis=0).max() < 8
        np.testing.assert_allclose(outside.mean(axis=0), [100, 50, 25], atol=4)

    @pytest.mark.parametrize("background", ["blur", "grey"])
    @pytest.mark.parametrize("shape", [(9, 2000), (2000, 9), (48, 64), (700, 900)])
    def test_any_shape_and_a_mask_that_covers_all(
        self, tmp_path: Path, background: str, shape: tuple[int, int]
    ) -> None:
        photo = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
        cv2.imwrite(str(tmp_path / "a.png"), photo[..., ::-1])
        crop = Crop(background=background)
        np.testing.assert_array_equal(read_photo(tmp_path / "a.png", mask=np.ones(shape, bool), crop=crop), photo)
        mask = np.zeros(shape, np.uint8)
        mask[:8, :8] = 1
        cut = read_photo(tmp_path / "a.png", (0, 0, shape[1], shape[0]), mask=mask, crop=crop)
        assert cut.shape == photo.shape
        np.testing.assert_array_equal(cut[:8, :8], photo[:8, :8])

    def test_turning_comes_after_the_crop(self, path: Path) -> None:
        cut = read_photo(path, (10, 10, 40, 20), mask=MASK, crop=Crop(background="grey"))
        turned = read_photo(path, (10, 10, 40, 20), True, mask=MASK, crop=Crop(background="grey"))
        np.testing.assert_array_equal(turned, np.rot90(cut, k=-1))
        high = np.zeros_like(MASK)
        high[5:45, 20:30] = 1
        assert read_photo(path, mask=high, portrait=True).shape == (40, 10, 3)  # high already, whatever the photo

    def test_masks_are_of_the_upright_photo(self, tmp_path: Path) -> None:
        from PIL import Image

        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(PHOTO).save(tmp_path / "a.png", exif=exif)
        upright = np.rot90(PHOTO, k=-1)
        mask = np.zeros(upright.shape[:2], np.uint8)
        mask[5:25, 30:45] = 1
        np.testing.assert_array_equal(read_photo(tmp_path / "a.png", mask=mask), upright[5:25, 30:45])
        with pytest.raises(WhalereidError, match="is 64×48 px, the photo 48×64 px"):
            read_photo(tmp_path / "a.png", mask=MASK)

    def test_grey_photos_transparency_and_16_bits(self, tmp_path: Path) -> None:
        alpha = np.full((48, 64), 255, np.uint8)
        for name, pixels in (
            ("grey", PHOTO[..., 0]),
            ("clear", np.dstack([PHOTO, alpha])),
            ("deep", PHOTO.astype(np.uint16) * 257),
        ):
            cv2.imwrite(str(tmp_path / f"{name}.png"), pixels)
            cut = read_photo(tmp_path / f"{name}.png", mask=MASK, crop=Crop(0.2, "grey"))
            assert cut.shape == (28, 28, 3)
            assert cut.dtype == np.uint8
            assert (cut[MASK[6:34, 16:44] == 0] == 128).all()

    def test_refusals_name_the_photo(self, path: Path) -> None:
        tiny = np.zeros_like(MASK)
        tiny[10:13, 20:40] = 1
        for options, says in (
            ({"bbox": (100, 0, 20, 20), "crop": Crop(1)}, "lies outside the photo"),  # though the pad would reach it
            ({"mask": tiny, "crop": Crop(1)}, r"bbox \(20, 10, 20, 3\) is 20×3 px"),
            ({"mask": MASK[:40]}, "is 64×40 px, the photo 64×48 px"),
            ({"mask": MASK * 0}, "has no pixel"),
            ({"mask": [[1, 2, 3]]}, "three corners"),
            (
                {"bbox": (45, 35, 15, 10), "mask": MASK, "crop": Crop(0, "grey")},
                "no pixel in bbox \\(45, 35, 15, 10",
            ),
            ({"mask": "no.png"}, "its mask no.png: no such file"),
        ):
            with pytest.raises(WhalereidError, match=says) as refused:
                read_photo(path, **options)
            assert str(path) in str(refused.value)
            assert "\n" not in str(refused.value)

    @pytest.mark.parametrize(
        ("noted", "says"),
        [
            ({"pad": 0.1}, "isn't noted"),
            ([], "isn't noted"),
            ("blur", "isn't noted"),
            ({"pad": "0.1", "background": "keep"}, "pad"),
            ({"pad": 1e9, "background": "keep"}, "pad"),
            ({"pad": 0, "background": "paint"}, "background"),
            ({"pad": 0, "background": "keep", "more": 1}, "isn't noted"),
        ],
    )
    def test_notes_that_are_none(self, noted: Any, says: str) -> None:
        with pytest.raises(WhalereidError, match=says):
            Crop.from_dict(noted)

    def test_notes(self) -> None:
        crop = Crop(0.1, "blur")
        assert Crop.from_dict(crop.to_dict()) == crop
        assert crop.noted() == {"crop": {"pad": 0.1, "background": "blur"}}
        assert Crop.from_dict(None) == Crop() == Crop.of(None)
        assert Crop().noted() == {}  # as files say that were written before there were crops
        assert hash(Crop(0.1)) == hash(Crop(0.1, "keep"))

    @pytest.mark.parametrize("pad", [-0.1, 1.1, float("nan"), float("inf"), True])
    def test_pads_that_can_not_be(self, pad: Any) -> None:
        with pytest.raises(WhalereidError, match="pad is"):
            Crop(pad)


@pytest.fixture
def photos(tmp_path: Path) -> Catalogue:
    """Six photos of two animals: of the first a mask, of the second a box and a mask, of the third a box, then none."""
    rng = np.random.default_rng(2)
    for row in range(6):
        cv2.imwrite(str(tmp_path / f"p{row}.png"), cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (64, 48)))
    cv2.imwrite(str(tmp_path / "mask.png"), MASK)
    square = "[[20, 10, 40, 10, 40, 30, 20, 30]]"
    frame = pd.DataFrame({"image_id": [f"p{row}" for row in range(6)], "path": [f"p{row}.png" for row in range(6)]})
    frame["identity"] = ["anni", "bo"] * 3
    frame["viewpoint"] = ["top", "top", "left", "left", "top", "left"]
    frame["bbox"] = pd.Series([None, (5, 5, 50, 30), (5, 5, 30, 30), None, None, None], dtype=object)
    frame["mask"] = ["mask.png", square, None, None, None, None]
    return Catalogue(frame, tmp_path, source="t.csv")


def as_read(photos: Catalogue, row: int, crop: Crop) -> torch.Tensor:
    box, mask = photos.column("bbox")[row], photos.column("mask")[row]
    mask = None if not isinstance(mask, str) else photos.root / mask if mask.endswith("png") else mask
    pixels = read_photo(photos.paths[row], box if isinstance(box, tuple) else None, mask=mask, crop=crop)
    return PLAIN(image=pixels)["image"]


@pytest.mark.parametrize("crop", [Crop(), Crop(0.2), Crop(background="grey"), Crop(0.1, "blur")])
def test_data_sets_cut_their_photos(photos: Catalogue, crop: Crop) -> None:
    dataset = PhotoDataset(photos, PLAIN).cropped(crop)
    assert dataset.crop == crop
    for row in range(6):
        assert torch.equal(dataset[row][0], as_read(photos, row, crop))
    for workers in (1, 2):
        loader = DataLoader(dataset, batch_size=2, num_workers=workers, collate_fn=collate)
        assert torch.equal(torch.cat([images for images, _, _ in loader]), torch.stack([item[0] for item in dataset]))
    assert torch.equal(pickle.loads(pickle.dumps(dataset))[0][0], dataset[0][0])


def test_a_cropped_data_set_is_another(photos: Catalogue) -> None:
    dataset = PhotoDataset(photos, PLAIN, labels_from=["identity", "viewpoint"], seed=4, on_error="skip")
    before = dataset[0][0]
    other = dataset.cropped(Crop(0.3, "grey"))
    other.set_epoch(3)
    photos.paths[5].unlink()
    assert other[5] is None
    assert (dataset.epoch, dataset.skipped) == (0, [])
    assert torch.equal(dataset[0][0], before)
    assert not torch.equal(other[0][0], before)
    assert (other.labels == dataset.labels).all()
    assert (other.classes, other.seed, len(other)) == (dataset.classes, 4, 6)


def test_pairs_are_cut_too(photos: Catalogue) -> None:
    pairs = CrossViewPairs(photos, PLAIN, "top", "left").fix_partners().cropped(Crop(0.1, "grey"))
    assert pairs.fixed
    images, _, row = pairs[0]
    assert torch.equal(images[0], as_read(photos, row, pairs.crop))
    assert torch.equal(images[1], as_read(photos, pairs.partner_row(0), pairs.crop))


def test_a_background_to_hide_needs_masks(photos: Catalogue) -> None:
    crop = Crop(background="blur")
    assert crop.check(photos) == "4 of 6 photos have no mask; they keep their background."
    assert Crop(0.1).check(photos.assign(mask=None)) == ""
    assert crop.check(photos[:2]) == ""
    assert crop.check(photos[[]]) == ""
    for bare in (photos.assign(mask=None), photos[2:], Catalogue(photos.frame.drop(columns="mask"), photos.root)):
        with pytest.raises(WhalereidError, match=r"no photo has one; add a column 'mask' .*--background keep"):
            PhotoDataset(bare, PLAIN).cropped(crop)


def test_which_masks_count(photos: Catalogue) -> None:
    assert Crop(0.5).masked(photos).tolist() == [True, False, False, False, False, False]
    assert Crop(background="grey").masked(photos).tolist() == [True, True, False, False, False, False]
    frame = photos.frame
    frame.loc[1, "mask"] = "../m.png"
    outside = Catalogue(frame, photos.root, source="t.csv")
    with pytest.raises(WhalereidError, match=r"mask of photo 'p1'.*leaves the table's folder"):
        PhotoDataset(outside, PLAIN)
