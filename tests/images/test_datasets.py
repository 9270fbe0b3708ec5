"""Data sets: what they yield, that workers and order don't matter, and what happens to photos that can't be read."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from albumentations.pytorch import ToTensorV2
from torch.utils.data import DataLoader, get_worker_info

from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.images import (
    TRAINING_TRANSFORMS,
    CrossViewPairs,
    PhotoDataset,
    collate,
    evaluation_transform,
    read_photo,
)
from whalereid.images.transforms import WhiteCorner

PLAIN = evaluation_transform(16)
STRONG = TRAINING_TRANSFORMS["strong"](16)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """24 photos of 5 animals and one unknown, seen from the top, the left and the right."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    rows = []
    for i in range(24):
        name = f"p{i:02d}.png"
        height, width = (20, 30) if i % 3 else (30, 20)
        small = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / name), cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST))
        rows.append((name[:-4], name, ["anni", "bo", "cleo", "dag", "eli", "unknown"][i % 6]))
    frame = pd.DataFrame(rows, columns=["image_id", "path", "identity"])
    frame["viewpoint"] = ["top", "top", "left", "right"] * 6  # i % 4, so that not everyone is seen from everywhere
    return Catalogue(frame, folder)


def damaged(photos: Catalogue, folder: Path) -> Catalogue:
    """The same photos, two of them unreadable: p03 is text, p08 is gone."""
    for path in photos.paths:
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "p03.png").write_text("no photo")
    (folder / "p08.png").unlink()
    return Catalogue(photos.frame, folder, source="photos.csv")


def everything(loader: DataLoader) -> dict[int, torch.Tensor]:
    return {int(row): image.clone() for images, _, rows in loader for image, row in zip(images, rows, strict=True)}


class TestPhotoDataset:
    def test_items(self, photos: Catalogue) -> None:
        dataset = PhotoDataset(photos, PLAIN)
        assert len(dataset) == 24
        assert dataset.identities == ("anni", "bo", "cleo", "dag", "eli")
        for i in range(24):
            image, label, row = dataset[i]
            assert (type(label), type(row), row) == (int, int, i)
            assert label == (i % 6 if i % 6 < 5 else -1)
            assert torch.equal(image, PLAIN(image=read_photo(photos.paths[i]))["image"])

    def test_it_is_a_sequence(self, photos: Catalogue) -> None:
        dataset = PhotoDataset(photos, PLAIN)
        assert torch.equal(dataset[-1][0], dataset[23][0])
        assert dataset[-1][2] == 23
        with pytest.raises(IndexError):
            dataset[24]
        assert len(list(dataset)) == 24

    def test_labels_index_the_identities_given(self, photos: Catalogue) -> None:
        dataset = PhotoDataset(photos[:6], PLAIN, identities=["zoe", "cleo", "anni"])
        assert [item[1] for item in dataset] == [2, -1, 1, -1, -1, -1]

    def test_portrait(self, photos: Catalogue) -> None:
        turned = PhotoDataset(photos, evaluation_transform((30, 20)), portrait=True)
        wide = read_photo(photos.paths[1])
        assert wide.shape == (20, 30, 3)
        expected = evaluation_transform((30, 20))(image=np.ascontiguousarray(np.rot90(wide, k=-1)))["image"]
        assert torch.equal(turned[1][0], expected)

    def test_bbox_is_cut_out_where_known(self, photos: Catalogue) -> None:
        boxes = ["[0, 0, 10, 12]", None, "", float("nan"), (5, 5, 10, 10)] + [None] * 19
        dataset = PhotoDataset(photos.assign(bbox=pd.Series(boxes, dtype=object)), PLAIN)
        for i in range(5):
            box = {0: (0, 0, 10, 12), 4: (5, 5, 10, 10)}.get(i)
            assert torch.equal(dataset[i][0], PLAIN(image=read_photo(photos.paths[i], box))["image"])

    def test_a_bbox_outside_its_photo_names_both(self, photos: Catalogue) -> None:
        dataset = PhotoDataset(photos.assign(bbox=["500 500 10 10"] + [None] * 23), PLAIN)
        with pytest.raises(WhalereidError, match=r"p00\.png: bbox \(500, 500, 10, 10\) lies outside"):
            dataset[0]

    def test_a_path_that_leaves_the_root_is_refused_at_once(self, photos: Catalogue) -> None:
        frame = photos.frame
        frame.loc[4, "path"] = "../p04.png"
        with pytest.raises(WhalereidError, match="photo 'p04'"):
            PhotoDataset(Catalogue(frame, photos.root), PLAIN)

    @pytest.mark.parametrize(
        ("options", "message"),
        [({"on_error": "ignore"}, "on_error is 'ignore'; choose from raise, skip"), ({"seed": -1}, "seed is -1")],
    )
    def test_options_that_cannot_be(self, photos: Catalogue, options: dict, message: str) -> None:
        with pytest.raises(WhalereidError, match=message):
            PhotoDataset(photos, PLAIN, **options)
        with pytest.raises(WhalereidError, match="an albumentations transform is needed"):
            PhotoDataset(photos, lambda image: image)

    def test_an_empty_catalogue(self, photos: Catalogue) -> None:
        assert len(PhotoDataset(photos[[]], PLAIN)) == 0


class TestDrawing:
    def test_seed_epoch_and_row_decide_alone(self, photos: Catalogue) -> None:
        first, again = PhotoDataset(photos, STRONG, seed=5), PhotoDataset(photos, STRONG, seed=5)
        forward = [first[i][0] for i in range(24)]
        backward = [again[i][0] for i in reversed(range(24))][::-1]
        for a, b in zip(forward, backward, strict=True):
            assert torch.equal(a, b)
        again.set_epoch(1)
        assert again.epoch == 1
        assert sum(not torch.equal(a, again[i][0]) for i, a in enumerate(forward)) > 20
        other = PhotoDataset(photos, STRONG, seed=6)
        assert sum(not torch.equal(a, other[i][0]) for i, a in enumerate(forward)) > 20
        again.set_epoch(0)
        assert torch.equal(again[7][0], forward[7])

    def test_equal_photos_in_two_rows_are_drawn_apart(self, photos: Catalogue) -> None:
        frame = photos.frame.assign(path="p00.png")
        dataset = PhotoDataset(Catalogue(frame, photos.root), STRONG)
        assert len(torch.unique(torch.stack([dataset[i][0] for i in range(24)]).flatten(1), dim=0)) > 20

    @pytest.mark.parametrize("cross", [False, True])
    def test_workers_and_order_do_not_matter(self, photos: Catalogue, cross: bool) -> None:
        dataset = CrossViewPairs(photos, STRONG) if cross else PhotoDataset(photos, STRONG)
        expected = {}
        for epoch in (0, 1):
            dataset.set_epoch(epoch)
            expected[epoch] = everything(DataLoader(dataset, batch_size=5, collate_fn=collate))
        workers = DataLoader(
            dataset, batch_size=3, shuffle=True, num_workers=2, collate_fn=collate, persistent_workers=True
        )
        for epoch in (1, 0, 1):  # workers that live on hear of each new epoch
            dataset.set_epoch(epoch)
            found = everything(workers)
            assert found.keys() == expected[epoch].keys()
            assert all(torch.equal(found[row], expected[epoch][row]) for row in found)
        assert not all(torch.equal(expected[0][row], expected[1][row]) for row in expected[0])

    @pytest.mark.slow
    def test_workers_that_are_spawned(self, photos: Catalogue, tmp_path: Path) -> None:
        """Where a worker starts from nothing, as on macOS and Windows: all it gets is the pickled data set."""
        dataset = CrossViewPairs(damaged(photos, tmp_path), STRONG, on_error="skip")
        dataset.set_epoch(1)
        expected = everything(DataLoader(dataset, collate_fn=collate))
        skipped = dataset.skipped
        assert skipped
        again = CrossViewPairs(dataset.catalogue, STRONG, on_error="skip")
        loader = DataLoader(
            again, num_workers=1, collate_fn=collate, persistent_workers=True, multiprocessing_context="spawn"
        )
        everything(loader)
        again.set_epoch(1)
        found = everything(loader)
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[row], expected[row]) for row in found)
        assert {image_id for image_id, _ in skipped} <= {image_id for image_id, _ in again.skipped}

    def test_steps_of_a_transform_draw_apart(self, photos: Catalogue) -> None:
        """Seeded by albumentations' own set_random_seed, both coins would always fall alike."""
        coins = A.Compose([WhiteCorner(p=0.5), A.ToGray(p=0.5), ToTensorV2()])
        dataset = PhotoDataset(photos, coins)
        seen = Counter()
        for epoch in range(20):
            dataset.set_epoch(epoch)
            for image, _, _ in dataset:
                seen[bool((image[:, 0, 0] == 255).all()), bool((image[0] == image[1]).all())] += 1
        assert all(90 < seen[corner, grey] < 150 for corner in (False, True) for grey in (False, True))

    def test_torchs_and_numpys_own_seeds_do_not_matter(self, photos: Catalogue) -> None:
        dataset = PhotoDataset(photos, STRONG)
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002
        before = dataset[3][0]
        torch.manual_seed(1)
        np.random.seed(1)  # noqa: NPY002
        assert torch.equal(before, dataset[3][0])
        state = torch.get_rng_state()
        dataset[4]
        assert torch.equal(state, torch.get_rng_state())

    def test_an_epoch_below_zero(self, photos: Catalogue) -> None:
        with pytest.raises(WhalereidError, match="epoch is -1"):
            PhotoDataset(photos, PLAIN).set_epoch(-1)

    def test_workers_keep_opencv_to_one_thread(self, photos: Catalogue) -> None:
        class Threads(PhotoDataset):
            def __getitem__(self, index: int) -> tuple[torch.Tensor, int, int]:
                super().__getitem__(index)
                assert get_worker_info() is not None
                return torch.zeros(1), cv2.getNumThreads(), index

        before = cv2.getNumThreads()
        loader = DataLoader(Threads(photos, PLAIN), num_workers=1, multiprocessing_context="fork")
        assert {int(label) for _, label, _ in loader} == {1}
        assert cv2.getNumThreads() == before

    def test_pickles_small_and_whole(self, photos: Catalogue) -> None:
        dataset = PhotoDataset(photos, STRONG, seed=9)
        dataset.set_epoch(3)
        again = pickle.loads(pickle.dumps(dataset))
        assert torch.equal(again[2][0], dataset[2][0])


class TestUnreadable:
    @pytest.mark.parametrize("workers", [0, 2])
    def test_raise_names_the_file_in_one_line(self, photos: Catalogue, tmp_path: Path, workers: int) -> None:
        dataset = PhotoDataset(damaged(photos, tmp_path), PLAIN)
        loader = DataLoader(dataset, batch_size=4, num_workers=workers, collate_fn=collate)
        with pytest.raises(WhalereidError) as raised:
            list(loader)
        assert str(raised.value).startswith(str(tmp_path / "p03.png") + ": ")
        assert "\n" not in str(raised.value)
        assert dataset.skipped == []

    @pytest.mark.parametrize("workers", [0, 2])
    def test_skip_drops_and_lists(self, photos: Catalogue, tmp_path: Path, workers: int) -> None:
        dataset = PhotoDataset(damaged(photos, tmp_path), PLAIN, on_error="skip")
        loader = DataLoader(dataset, batch_size=4, num_workers=workers, collate_fn=collate)
        assert dataset.skipped == []
        found = everything(loader)
        assert sorted(found) == [row for row in range(24) if row not in (3, 8)]
        assert [image_id for image_id, _ in dataset.skipped] == ["p03", "p08"]
        assert dataset.skipped[0][1].startswith(str(tmp_path / "p03.png"))
        assert "no such file" in dataset.skipped[1][1]
        everything(loader)
        assert len(dataset.skipped) == 2  # once each, however often they were met

    def test_a_photo_that_came_back_says_so(self, photos: Catalogue, tmp_path: Path) -> None:
        dataset = PhotoDataset(damaged(photos, tmp_path), PLAIN, on_error="skip")
        assert dataset[8] is None
        (tmp_path / "p08.png").write_bytes(photos.paths[8].read_bytes())
        assert dataset.skipped == [("p08", f"{tmp_path / 'p08.png'}: couldn't be read at the time; it can now.")]

    def test_a_batch_of_nothing_but_skipped_photos_is_empty(self, photos: Catalogue, tmp_path: Path) -> None:
        catalogue = damaged(photos, tmp_path)[[3, 8, 1]]
        loader = DataLoader(PhotoDataset(catalogue, PLAIN, on_error="skip"), batch_size=2, collate_fn=collate)
        (images, labels, rows), (_, _, last) = list(loader)
        assert len(images) == len(labels) == len(rows) == 0
        assert labels.dtype == rows.dtype == torch.int64
        assert last.tolist() == [2]

    def test_of_a_pair_the_bad_photo_is_listed(self, photos: Catalogue, tmp_path: Path) -> None:
        dataset = CrossViewPairs(damaged(photos, tmp_path), PLAIN, on_error="skip")
        items = [dataset[i] for i in range(len(dataset))]
        assert any(item is None for item in items)
        for i, item in enumerate(items):
            assert (item is None) == bool({int(dataset.rows[i]), dataset.partner_row(i)} & {3, 8})
        assert {image_id for image_id, _ in dataset.skipped} <= {"p03", "p08"}
        assert dataset.skipped


class TestCrossViewPairs:
    def test_viewpoints_are_found_however_they_are_written(self, photos: Catalogue) -> None:
        dataset = CrossViewPairs(photos, PLAIN, anchor=" UP ", partner=["Left", "right "])
        assert dataset.anchor == ("top",)
        assert dataset.partner == ("left", "right")
        assert dataset.rows.tolist() == CrossViewPairs(photos, PLAIN).rows.tolist()

    def test_anchors_and_partners_by_brute_force(self, photos: Catalogue) -> None:
        rng = np.random.default_rng(1)
        for _ in range(20):
            catalogue = photos.assign(
                identity=rng.choice(["a", "b", "c", "d", "unknown"], 24),
                viewpoint=rng.choice(["top", "left", "right", "front"], 24, p=[0.5, 0.15, 0.15, 0.2]),
            )
            who, view = catalogue.column("identity"), catalogue.column("viewpoint")
            possible = {
                i: {j for j in range(24) if who[j] == who[i] and view[j] in ("left", "right")}
                for i in range(24)
                if view[i] == "top" and isinstance(who[i], str)
            }
            possible = {i: partners for i, partners in possible.items() if partners}
            dataset = CrossViewPairs(catalogue, PLAIN)
            assert dataset.rows.tolist() == sorted(possible)
            assert dataset.identities == tuple(sorted({who[i] for i in possible}))
            seen: dict[int, set[int]] = {i: set() for i in possible}
            for epoch in range(60):
                dataset.set_epoch(epoch)
                for index, row in enumerate(dataset.rows.tolist()):
                    seen[row].add(dataset.partner_row(index))
            assert seen == possible  # every partner has its turn, nobody else

    def test_items(self, photos: Catalogue) -> None:
        dataset = CrossViewPairs(photos, PLAIN)
        for index, (images, label, row) in enumerate(dataset):
            assert images.shape == (2, 3, 16, 16)
            assert (type(label), type(row), row) == (int, int, dataset.rows[index])
            partner = dataset.partner_row(index)
            for image, which in zip(images, (row, partner), strict=True):
                assert torch.equal(image, PLAIN(image=read_photo(photos.paths[which]))["image"])
            assert dataset.identities[label] == photos.column("identity")[row] == photos.column("identity")[partner]
        assert index == len(dataset) - 1

    def test_partners_are_drawn_evenly(self, photos: Catalogue) -> None:
        catalogue = photos.assign(identity="anni")
        dataset = CrossViewPairs(catalogue, PLAIN)
        counts: Counter[int] = Counter()
        for epoch in range(200):
            dataset.set_epoch(epoch)
            counts.update(dataset.partner_row(index) for index in range(len(dataset)))
        assert len(counts) == 12
        expected = 200 * len(dataset) / 12
        assert all(0.75 * expected < n < 1.25 * expected for n in counts.values())

    def test_fixed_partners_stay_while_augmentation_goes_on(self, photos: Catalogue) -> None:
        fixed = CrossViewPairs(photos, STRONG).fix_partners()
        drawn = CrossViewPairs(photos, STRONG)
        n = range(len(fixed))
        at_first = [fixed.partner_row(i) for i in n]
        assert at_first == [drawn.partner_row(i) for i in n]
        before = fixed[0][0]
        changed = 0
        for epoch in range(1, 6):
            fixed.set_epoch(epoch)
            drawn.set_epoch(epoch)
            assert [fixed.partner_row(i) for i in n] == at_first
            changed += [drawn.partner_row(i) for i in n] != at_first
            assert torch.equal(fixed[0][0][0], drawn[0][0][0])  # the anchor's augmentation is the same either way
        assert changed == 5
        assert not torch.equal(before, fixed[0][0])

    def test_both_photos_are_augmented_independently(self, photos: Catalogue) -> None:
        same = photos.assign(identity="anni", path="p00.png")
        dataset = CrossViewPairs(same, STRONG)
        assert sum(torch.equal(*images) for images, _, _ in dataset) < len(dataset) / 2

    def test_names_of_viewpoints(self, photos: Catalogue) -> None:
        assert len(CrossViewPairs(photos, PLAIN, "Up", ["LEFT", "right"])) == len(CrossViewPairs(photos, PLAIN))
        lateral = CrossViewPairs(photos, PLAIN, anchor=("left", "right"), partner="top")
        assert set(photos.column("viewpoint")[lateral.rows]) == {"left", "right"}
        one = CrossViewPairs(photos.assign(identity="anni"), PLAIN, anchor="left", partner="right")
        assert set(photos.column("viewpoint")[one.rows]) == {"left"}

    def test_labels_index_the_identities_given(self, photos: Catalogue) -> None:
        everyone = ("anni", "bo", "cleo", "dag", "eli", "zoe")
        dataset = CrossViewPairs(photos, PLAIN, identities=everyone)
        assert dataset.identities == everyone
        for _, label, row in dataset:
            assert everyone[label] == photos.column("identity")[row]

    def test_portrait_turns_both(self, photos: Catalogue) -> None:
        dataset = CrossViewPairs(photos, evaluation_transform((30, 20)), portrait=True)
        images, _, row = dataset[0]
        for image, which in zip(images, (row, dataset.partner_row(0)), strict=True):
            upright = read_photo(photos.paths[which], portrait=True)
            assert upright.shape == (30, 20, 3)
            assert torch.equal(image, evaluation_transform((30, 20))(image=upright)["image"])

    def test_no_pairs_lists_the_viewpoints_there_are(self, photos: Catalogue) -> None:
        with pytest.raises(WhalereidError, match=r"of front and of left or right.*top \(12\), left \(6\), right"):
            CrossViewPairs(photos, PLAIN, anchor="front")
        with pytest.raises(WhalereidError, match="no pairs; viewpoints of its photos: top"):
            CrossViewPairs(photos.filter(viewpoint="top"), PLAIN)
        with pytest.raises(WhalereidError, match="none known"):
            CrossViewPairs(photos.assign(viewpoint=None), PLAIN)

    def test_no_viewpoint_column(self, photos: Catalogue) -> None:
        bare = Catalogue(photos.frame.drop(columns="viewpoint"), photos.root)
        with pytest.raises(WhalereidError, match="no column 'viewpoint'"):
            CrossViewPairs(bare, PLAIN)

    def test_a_viewpoint_cannot_be_both(self, photos: Catalogue) -> None:
        with pytest.raises(WhalereidError, match="viewpoint left is both anchor and partner"):
            CrossViewPairs(photos, PLAIN, anchor=("top", "left"), partner=("left", "right"))
        with pytest.raises(WhalereidError, match="at least one viewpoint"):
            CrossViewPairs(photos, PLAIN, anchor=())


@pytest.mark.shared
def test_pairs_of_the_competitions_table(shared: Path) -> None:
    """280 whales of 788 are seen from the top and from a side; the photos themselves aren't needed to count."""
    catalogue = Catalogue.read(shared / "data" / "whaledo")
    dataset = CrossViewPairs(catalogue, PLAIN)
    seen = catalogue.frame.groupby("identity")["viewpoint"].agg(set)
    both = {whale for whale, views in seen.items() if "top" in views and views & {"left", "right"}}
    assert set(dataset.identities) == both
    assert len(dataset) == int(
        (catalogue.column("identity").isin(both) & (catalogue.column("viewpoint") == "top")).sum()
    )
    assert 788 - len(both) == 508  # the classes that the winner's paired networks never saw a photo of
