"""Training on cropped photos: noted in RUN, the same in validation, and heeded by a resumed training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from training.drawing import draw_photos, fit_quietly, make_parts
from whalereid.catalogue import Catalogue
from whalereid.embeddings import Extraction
from whalereid.errors import WhalereidError
from whalereid.images import Crop, PhotoDataset
from whalereid.training import FitOptions, Recipe, crop_of, fit

RECIPE = Recipe(epochs=1, batch_size=8, transform="plain")
MASK = "[[4, 4, 28, 4, 28, 28, 4, 28]]"


@pytest.fixture
def masked(tmp_path: Path) -> Catalogue:
    """24 photos of 32 px, all but two with a mask."""
    photos = draw_photos(tmp_path / "drawn")
    return photos.assign(mask=[None, None] + [MASK] * 22)


def fitted(masked: Catalogue, out: Path, **options: Any) -> Any:
    return fit_quietly(*make_parts(), masked, masked, recipe=RECIPE, out=out, **options)


def notes(out: Path) -> dict[str, Any]:
    noted: dict[str, Any] = json.loads((out / "run.json").read_text())
    return noted


def test_the_run_notes_its_crop(masked: Catalogue, tmp_path: Path) -> None:
    fitted(masked, tmp_path / "usual")
    assert "crop" not in notes(tmp_path / "usual")["train"]
    assert crop_of(tmp_path / "usual") == Crop()
    fitted(masked, tmp_path / "grey", crop=Crop(0.1, "grey"))
    assert notes(tmp_path / "grey")["train"]["crop"] == {"pad": 0.1, "background": "grey"}
    assert crop_of(tmp_path / "grey") == Crop(0.1, "grey")
    assert crop_of(tmp_path / "nothing there") == Crop()


def test_what_is_seen_in_training_and_validation(
    masked: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def noting(net: Any, photos: Any, *, extraction: Extraction) -> Any:
        from whalereid.embeddings import embed_as_is

        seen.append(extraction.crop)
        return embed_as_is(net, photos, extraction=extraction)

    monkeypatch.setattr("whalereid.training.validation.embed_as_is", noting)
    fitted(masked, tmp_path / "run", crop=Crop(0.1, "blur"))
    assert seen
    assert set(seen) == {Crop(0.1, "blur")}


@pytest.mark.parametrize(("then", "now"), [(None, Crop(0.1)), (Crop(0.1), None), (Crop(0.1), Crop(0.1, "blur"))])
def test_a_resumed_training_heeds_it(masked: Catalogue, tmp_path: Path, then: Crop | None, now: Crop | None) -> None:
    fitted(masked, tmp_path / "run", crop=then)
    with pytest.raises(WhalereidError, match="was begun otherwise: train crop"):
        fitted(masked, tmp_path / "run", crop=now, resume=True)
    fitted(masked, tmp_path / "run", crop=then, resume=True)


def test_a_resumed_training_heeds_the_masks_that_decide(masked: Catalogue, tmp_path: Path) -> None:
    frame = masked.frame
    frame["bbox"] = pd.Series([(2, 2, 28, 28)] * 23 + [None], dtype=object)
    boxed = Catalogue(frame, masked.root)
    for name, crop in (("keep", Crop()), ("grey", Crop(background="grey"))):
        fitted(boxed, tmp_path / name, crop=crop)
    frame.loc[5, "mask"] = "[[4, 4, 20, 4, 20, 28, 4, 28]]"
    other = Catalogue(frame, masked.root)
    fitted(other, tmp_path / "keep", resume=True)  # the box decides
    named = f"the file or mask of photo {boxed.image_ids[5]} has changed"
    with pytest.raises(WhalereidError, match=named):
        fitted(other, tmp_path / "grey", crop=Crop(background="grey"), resume=True)
    frame.loc[23, "mask"] = "[[4, 4, 20, 4, 20, 28, 4, 28]]"  # which decides: there is no box
    with pytest.raises(WhalereidError, match=f"mask of photo {boxed.image_ids[23]} has changed"):
        fitted(Catalogue(frame, masked.root), tmp_path / "keep", resume=True)


def test_a_data_set_brings_its_own(masked: Catalogue, tmp_path: Path) -> None:
    from whalereid.images import evaluation_transform

    net, head = make_parts()
    look = net.preprocessing
    items = PhotoDataset(masked, evaluation_transform(look.image_size, look.mean, look.std)).cropped(Crop(0.2))
    with pytest.raises(WhalereidError, match=r"crop is .*the data set's photos are cut by .*say it to the data set"):
        fit_quietly(net, head, items, recipe=RECIPE, out=tmp_path / "run", crop=Crop(0.1))
    for crop in (None, Crop(0.2)):
        fit_quietly(*make_parts(), items, recipe=RECIPE, out=tmp_path / "run", crop=crop, force=crop is not None)
        assert crop_of(tmp_path / "run") == Crop(0.2)


def test_masks_that_are_lacking(masked: Catalogue, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare, grey = masked.assign(mask=None), Crop(background="grey")
    for train, valid in ((bare, masked), (masked, bare)):
        with pytest.raises(WhalereidError, match="no photo has one"):
            fit_quietly(*make_parts(), train, valid, recipe=RECIPE, out=tmp_path / "run", crop=grey)
        assert not (tmp_path / "run").exists()
    options = FitOptions(workers=0, crop=grey)
    fit(*make_parts(), masked, masked[:8], recipe=RECIPE, out=tmp_path / "run", options=options)
    said = capsys.readouterr().err
    assert "2 of 24 photos have no mask; they keep their background." in said
    assert "Validation: 2 of 8 photos have no mask" in said


def test_pictures_of_masks_are_looked_for_first(masked: Catalogue, tmp_path: Path) -> None:
    lacking = masked.assign(mask=["none.png"] + [None] * 23)
    with pytest.raises(WhalereidError, match=r"1 of 1 pictures of masks are not there: .*none\.png"):
        fitted(lacking, tmp_path / "run")
    boxed = lacking.assign(bbox=pd.Series([(2, 2, 28, 28)] * 24, dtype=object))
    fitted(boxed, tmp_path / "run")  # where it isn't used it need not be there


@pytest.mark.parametrize("noted", ["blur", {"pad": "x", "background": "keep"}, {"pad": 0.1}, [], 7])
def test_a_note_that_was_tampered_with(masked: Catalogue, tmp_path: Path, noted: object) -> None:
    fitted(masked, tmp_path / "run")
    written = notes(tmp_path / "run")
    written["train"]["crop"] = noted
    (tmp_path / "run/run.json").write_text(json.dumps(written))
    with pytest.raises(WhalereidError, match=r"run\.json: (crop|pad)"):
        crop_of(tmp_path / "run")
    written["train"] = noted
    (tmp_path / "run/run.json").write_text(json.dumps(written))
    if not isinstance(noted, dict):
        with pytest.raises(WhalereidError, match=r"run\.json: isn't what .* what was trained on"):
            crop_of(tmp_path / "run")
    (tmp_path / "run/run.json").write_text("{")
    with pytest.raises(WhalereidError, match=r"run\.json: isn't what"):
        crop_of(tmp_path / "run")
