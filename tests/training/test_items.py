"""What is trained on: labels from columns of their own, and mirroring where it does no harm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from training.drawing import GREY, draw_photos, fit_quietly, make_parts
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError, WhalereidWarning
from whalereid.images import TRAINING_TRANSFORMS, CrossViewPairs, PhotoDataset, class_names
from whalereid.training import FitOptions, Recipe
from whalereid.training.items import make_items
from whalereid.training.photos import sides_told_apart

QUICK = Recipe(epochs=2, batch_size=8, transform="plain")
FLANKS = ["identity", "viewpoint"]


def run_fit(train: Any, valid: Any, out: Path, n: int, **options: Any) -> Any:
    net, head = make_parts(n)
    return fit_quietly(net, head, train, valid, out=out, **{"recipe": QUICK} | options)


def held(run: Path) -> Any:
    return json.loads((run / "run.json").read_text())


def mirrored(items: PhotoDataset) -> bool:
    """Whether any of many draws of a lopsided photo is its mirror image."""
    plain = TRAINING_TRANSFORMS["plain"](32, GREY, GREY, flip=False)
    first = plain(image=items.read(0))["image"]
    seen = []
    for epoch in range(12):
        items.set_epoch(epoch)
        seen.append(bool(torch.allclose(items[0][0], first.flip(2), atol=0.05)))
    return any(seen)


class TestLabels:
    def test_classes_are_learned_and_animals_stay_animals(
        self, drawn: Catalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        n = len(class_names(drawn, FLANKS))
        assert n == 12
        run = run_fit(drawn, drawn, tmp_path / "run", n, labels_from=FLANKS, progress=True)
        said = capsys.readouterr().err
        assert "Leakage" in said  # the same animals and encounters lie in both parts
        assert "24 validation queries" in said  # looked for by identity, whatever the classes
        assert run.history["valid_loss"].notna().all()
        notes = held(tmp_path / "run")
        assert notes["train"]["labels_from"] == FLANKS
        assert notes["identities"] == list(drawn.identities)
        assert notes["classes"] == [list(name) for name in class_names(drawn, FLANKS)]

    def test_the_loss_can_choose_the_epoch(self, drawn: Catalogue, tmp_path: Path) -> None:
        run = run_fit(drawn, drawn, tmp_path / "run", 12, labels_from=FLANKS, recipe=QUICK.but(select_by="loss"))
        assert run.best_epoch == 1 + int(run.history["valid_loss"].to_numpy().argmin())

    def test_a_validation_without_the_column_has_no_loss(self, drawn: Catalogue, tmp_path: Path) -> None:
        plain = Catalogue(drawn.frame.drop(columns="viewpoint"), drawn.root)
        run = run_fit(drawn, plain, tmp_path / "run", 12, labels_from=FLANKS)
        assert run.history["valid_loss"].isna().all()
        assert run.history["valid_mAP@20"].notna().all()

    def test_photos_of_no_class_are_left_out(
        self, drawn: Catalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        views = drawn.column("viewpoint")
        views[:2] = None
        run_fit(drawn.assign(viewpoint=views), None, tmp_path / "run", 12, labels_from=FLANKS, progress=True)
        assert "2 photos of unknown identity and viewpoint are left out" in capsys.readouterr().err
        assert held(tmp_path / "run")["train"]["items"] == 22

    def test_a_resumed_training_learns_the_same(self, drawn: Catalogue, tmp_path: Path) -> None:
        run_fit(drawn, drawn, tmp_path / "run", 12, labels_from=FLANKS)
        again = run_fit(drawn, drawn, tmp_path / "run", 12, labels_from=FLANKS, resume=True)
        assert len(again.history) == 2
        with pytest.raises(WhalereidError, match=r"train labels_from was .*viewpoint"):
            run_fit(drawn, drawn, tmp_path / "run", 12, resume=True)
        other = drawn.assign(age=["old", "young"] * 12)
        with pytest.raises(WhalereidError, match="train labels_from was"):
            run_fit(other, drawn, tmp_path / "run", 12, labels_from=["identity", "age"], resume=True)

    def test_a_data_set_brings_its_own(self, drawn: Catalogue, tmp_path: Path) -> None:
        items = PhotoDataset(drawn, TRAINING_TRANSFORMS["plain"](32, GREY, GREY), labels_from=FLANKS)
        run = run_fit(items, drawn, tmp_path / "run", 12)
        assert run.history["valid_loss"].notna().all()
        assert held(tmp_path / "run")["train"]["labels_from"] == FLANKS
        with pytest.raises(WhalereidError, match=r"labels_from is \['identity'\], the data set's labels are from"):
            run_fit(items, drawn, tmp_path / "x", 12, labels_from="identity")
        pairs = CrossViewPairs(drawn, TRAINING_TRANSFORMS["plain"](32, GREY, GREY), "top", "left")
        with pytest.raises(WhalereidError, match="the data set's labels are from"):
            run_fit(pairs, drawn, tmp_path / "x", 12, labels_from=FLANKS)

    def test_labels_without_any_identity(self, drawn: Catalogue, tmp_path: Path) -> None:
        nameless = Catalogue(drawn.frame.drop(columns="identity").assign(herd=["a", "b"] * 12), drawn.root)
        run = run_fit(nameless, drawn, tmp_path / "run", 2, labels_from="herd")
        assert len(run.history) == 2

    @pytest.mark.parametrize(
        ("photos", "columns", "names"),
        [
            ({"viewpoint": "top", "identity": "a"}, FLANKS, r"all training photos are of one class \(a top\)"),
            ({"viewpoint": None}, FLANKS, "no photo has a known identity and viewpoint; fill the columns"),
            ({}, ["flank"], "no column 'flank'"),
        ],
    )
    def test_classes_that_cannot_be(
        self, drawn: Catalogue, tmp_path: Path, photos: dict[str, Any], columns: list[str], names: str
    ) -> None:
        with pytest.raises(WhalereidError, match=names):
            run_fit(drawn.assign(**photos), drawn, tmp_path / "run", 12, labels_from=columns)
        assert not (tmp_path / "run").exists()

    def test_too_small_a_head_for_the_classes(self, drawn: Catalogue, tmp_path: Path) -> None:
        with pytest.raises(WhalereidError, match="tells 6 identities apart, the training photos are of 12"):
            run_fit(drawn, drawn, tmp_path / "run", 6, labels_from=FLANKS)


class TestMirroring:
    @pytest.mark.parametrize(
        ("viewpoints", "flip", "expected"),
        [
            (["left", "right"], None, False),
            (["top", "left"], None, False),
            (["right", None], None, False),
            (["front-right", "back"], None, False),
            (["L", "R"], None, False),
            (["top", "front"], None, True),
            ([None, None], None, True),
            (["left", "right"], True, True),
            (["top", "front"], False, False),
        ],
    )
    def test_by_the_viewpoints_unless_asked(
        self, drawn: Catalogue, viewpoints: list[str | None], flip: bool | None, expected: bool
    ) -> None:
        net, _ = make_parts()
        photos = drawn.assign(viewpoint=viewpoints * 12)
        items, notes = make_items(photos, net, QUICK.but(flip=flip), FitOptions())
        assert mirrored(items) == expected
        assert "are mirrored" in notes[0] if expected else ("not mirrored" in notes[0] or "No photos" in notes[0])

    def test_without_viewpoints_photos_are_mirrored(self, drawn: Catalogue) -> None:
        assert sides_told_apart(Catalogue(drawn.frame.drop(columns="viewpoint"), drawn.root)) == []

    def test_it_is_said_and_written_down(
        self, drawn: Catalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run_fit(drawn, None, tmp_path / "sides", 6, progress=True)
        assert "Photos are not mirrored in training: left and right are told apart" in capsys.readouterr().err
        assert held(tmp_path / "sides")["train"]["flip"] is False
        run_fit(drawn.assign(viewpoint="top"), None, tmp_path / "top", 6, progress=True)
        assert "Half of the photos are mirrored in training" in capsys.readouterr().err
        assert held(tmp_path / "top")["train"]["flip"] is True
        with pytest.raises(WhalereidError, match=r"recipe flip was nothing, is now True"):
            run_fit(drawn, None, tmp_path / "sides", 6, recipe=QUICK.but(flip=True), resume=True)

    @pytest.mark.parametrize("flip", [False, True])
    def test_a_data_set_keeps_its_own(
        self, drawn: Catalogue, tmp_path: Path, flip: bool, capsys: pytest.CaptureFixture[str]
    ) -> None:
        items = PhotoDataset(drawn, TRAINING_TRANSFORMS["plain"](32, GREY, GREY, flip=flip))
        run_fit(items, None, tmp_path / "run", 6, progress=True)
        assert ("The data set mirrors photos, though left and right" in capsys.readouterr().err) == flip
        assert held(tmp_path / "run")["train"]["flip"] is flip
        with pytest.raises(WhalereidError, match=f"the recipe's flip={not flip}"):
            run_fit(items, None, tmp_path / "x", 6, recipe=QUICK.but(flip=not flip))


def test_leakage_is_a_warning_where_nothing_is_shown(tmp_path: Path) -> None:
    """The same animals and encounters lie in both parts."""
    photos = draw_photos(tmp_path / "drawn")
    with pytest.warns(WhalereidWarning, match="Leakage: "):
        fit_quietly(*make_parts(), photos[::2], photos[1::2], out=tmp_path / "run", recipe=QUICK, rules=())
