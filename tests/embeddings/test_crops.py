"""Embeddings of cropped photos: noted, never mixed with others, and told apart by the masks that decide them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.embeddings.conftest import Counting, embed, network

from whalereid.catalogue import Catalogue
from whalereid.embeddings import Embeddings, raw_pixels
from whalereid.embeddings.photo_keys import check_photos
from whalereid.errors import WhalereidError
from whalereid.images import Crop, read_photo

QUIET: dict[str, Any] = {"progress": False, "workers": 0, "precision": "fp32"}
SQUARE, OTHER = "[[10, 10, 40, 10, 40, 40, 10, 40]]", "[[12, 12, 30, 12, 30, 40, 12, 40]]"


@pytest.fixture
def masked(photos: Catalogue) -> Catalogue:
    """p00 to p05 with a mask, of these p03 to p05 with a box too; the others with neither."""
    frame = photos.frame
    frame["mask"] = [SQUARE] * 6 + [None] * 6
    frame["bbox"] = pd.Series([None] * 3 + [(5, 5, 40, 40)] * 3 + [None] * 6, dtype=object)
    return Catalogue(frame, photos.root, source="t.csv")


def test_photos_are_cut_as_asked(net: Counting, masked: Catalogue) -> None:
    crop = Crop(0.1, "grey")
    made = embed(net, masked, crop=crop, **QUIET)
    prepare = net.preprocessing.transform()
    for row in range(12):
        box, mask = masked.column("bbox")[row], masked.column("mask")[row]
        pixels = read_photo(
            masked.paths[row],
            box if isinstance(box, tuple) else None,
            mask=mask if isinstance(mask, str) else None,
            crop=crop,
        )
        alone = net(prepare(image=pixels)["image"][None]).detach().numpy()
        np.testing.assert_allclose(made.vectors[row], alone[0], rtol=1e-3, atol=1e-3)
    assert made.provenance["crop"] == {"pad": 0.1, "background": "grey"}


def test_the_usual_crop_is_not_noted(net: Counting, masked: Catalogue, tmp_path: Path) -> None:
    assert "crop" not in embed(net, masked, out=tmp_path / "e.parquet", **QUIET).provenance
    embed(net, masked, crop=Crop(0.0, "keep"), out=tmp_path / "e.parquet", **QUIET)  # nothing to do
    assert net.images == 12


@pytest.mark.parametrize("name", ["e.parquet", "e"])
@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize(("then", "now"), [(Crop(), Crop(0.1)), (Crop(0.1), Crop()), (Crop(0.1), Crop(0.1, "blur"))])
def test_vectors_of_another_crop_are_never_mixed_in(
    masked: Catalogue, tmp_path: Path, name: str, finished: bool, then: Crop, now: Crop
) -> None:
    net, out = network(), tmp_path / name
    if finished:
        embed(net, masked[:8], crop=then, out=out, **QUIET)
    else:
        net.stop_at = 4
        with pytest.raises(KeyboardInterrupt):
            embed(net, masked, crop=then, out=out, batch_size=2, **QUIET)
        net.stop_at = -1
    with pytest.raises(WhalereidError, match="holds embeddings made otherwise: crop ") as refused:
        embed(net, masked, crop=now, out=out, **QUIET)
    which = "pad is" if then.pad != now.pad else 'background is "keep" there, "blur" now'
    assert which in str(refused.value)
    assert len(embed(net, masked, crop=then, out=out, **QUIET)) == 12
    made = embed(net, masked, crop=now, out=out, force=True, **QUIET)
    assert Crop.from_dict(made.provenance.get("crop")) == now


def test_masks_that_changed_are_noticed_where_they_decide(masked: Catalogue, tmp_path: Path) -> None:
    net, keep, hide = network(), tmp_path / "keep.parquet", tmp_path / "hide.parquet"
    embed(net, masked, out=keep, **QUIET)
    embed(net, masked, crop=Crop(background="blur"), out=hide, **QUIET)
    frame = masked.frame
    frame.loc[4, "mask"] = OTHER  # of a photo with a box
    boxed = Catalogue(frame, masked.root)
    embed(net, boxed, out=keep, **QUIET)
    check_photos(keep, boxed)
    with pytest.raises(WhalereidError, match=r"whose files, boxes or masks have changed since \(p04\)"):
        embed(net, boxed, crop=Crop(background="blur"), out=hide, **QUIET)
    with pytest.raises(WhalereidError, match=r"1 photos of .*their path, bbox or mask has changed \(p04\)"):
        check_photos(hide, boxed)
    frame.loc[1, "mask"] = OTHER  # of one that is cut by it
    other = Catalogue(frame, masked.root)
    with pytest.raises(WhalereidError, match=r"have changed since \(p01\)"):
        embed(net, other, out=keep, **QUIET)
    with pytest.raises(WhalereidError, match=r"mask has changed \(p01\)"):
        check_photos(keep, other)
    for path in (keep, hide):
        check_photos(path, masked)


def test_a_picture_of_a_mask_that_changed_is_noticed(photos: Catalogue, tmp_path: Path) -> None:
    height, width = read_photo(photos.paths[0]).shape[:2]
    mask = np.zeros((height, width), np.uint8)
    mask[5:30, 5:30] = 1
    cv2.imwrite(str(photos.root / "m.png"), mask)
    table, net, out = photos[:3].assign(mask=["m.png", None, None]), network(), tmp_path / "e.parquet"
    embed(net, table, out=out, **QUIET)
    cv2.imwrite(str(photos.root / "n.png"), mask)
    moved = table.assign(mask=["n.png", None, None])  # the same mask by another name
    check_photos(out, moved)
    assert net.images == 3
    embed(net, moved, out=out, **QUIET)
    assert net.images == 3
    cv2.imwrite(str(photos.root / "m.png"), np.roll(mask, 4, axis=0))
    with pytest.raises(WhalereidError, match=r"have changed since \(p00\)"):
        embed(net, table, out=out, **QUIET)


def test_embeddings_from_before_there_were_crops_are_gone_on_with(photos: Catalogue, tmp_path: Path) -> None:
    """Their keys and provenance are what is written today of photos without masks, to the letter."""
    import hashlib

    net, out = network(), tmp_path / "e.parquet"
    boxed = photos.assign(bbox=pd.Series([(5, 5, 30, 30)] + [None] * 11, dtype=object))
    embed(net, boxed[:6], out=out, **QUIET)
    keys = pq.read_schema(out).metadata[b"whalereid-photo-keys"].decode()
    data = photos.paths[0].read_bytes()
    box = "(5.0, 5.0, 30.0, 30.0)"
    place = hashlib.blake2b(json.dumps(["p00.png", box]).encode(), digest_size=4).hexdigest()
    content = hashlib.blake2b(box.encode() + f"{len(data)} ".encode() + data, digest_size=4).hexdigest()
    assert keys[:16] == place + content
    assert set(Embeddings.read_header(out).provenance) == {
        "network", "fingerprint", "trained_on", "transform", "flip", "precision", "whalereid",
    }  # fmt: skip
    assert len(embed(net, boxed, out=out, **QUIET)) == 12
    assert net.images == 12


def test_no_masks_no_background_to_hide(net: Counting, photos: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(WhalereidError, match="hides what is outside the masks, and no photo has one"):
        embed(net, photos, crop=Crop(background="grey"), out=tmp_path / "e.parquet", **QUIET)
    assert not (tmp_path / "e.parquet").exists()
    assert net.images == 0


def test_photos_without_a_mask_are_counted(
    net: Counting, masked: Catalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    embed(net, masked, crop=Crop(background="grey"), **QUIET | {"progress": True})
    assert "6 of 12 photos have no mask; they keep their background.\n" in capsys.readouterr().err


def test_raw_pixels_are_cut_too(masked: Catalogue) -> None:
    plain, grey = raw_pixels(masked), raw_pixels(masked, crop=Crop(background="grey"))
    assert "crop" not in plain.provenance
    assert grey.provenance["crop"] == {"pad": 0.0, "background": "grey"}
    differ = (plain.vectors != grey.vectors).any(axis=1)
    assert differ[3:6].all()
    assert not differ[6:].any()
    cut = cv2.resize(read_photo(masked.paths[0], mask=SQUARE), (16, 32), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(plain.vectors[0], cut.reshape(-1) / 255 - 0.5, atol=1e-6)


def test_strangers_may_note_a_crop_of_their_own(photos: Catalogue, tmp_path: Path) -> None:
    theirs = Embeddings.from_numpy(photos.image_ids, np.eye(12), {"crop": "centre"})
    theirs.write(tmp_path / "theirs.parquet")
    check_photos(tmp_path / "theirs.parquet", photos)


@pytest.mark.parametrize("noted", ["blur", {"pad": 7, "background": "keep"}, [1]])
def test_a_note_that_was_tampered_with(net: Counting, photos: Catalogue, tmp_path: Path, noted: object) -> None:
    out = tmp_path / "e.parquet"
    embed(net, photos, out=out, **QUIET)
    table = pq.read_table(out)
    notes = dict(table.schema.metadata)
    notes[b"whalereid"] = json.dumps(json.loads(notes[b"whalereid"]) | {"crop": noted}).encode()
    pq.write_table(table.replace_schema_metadata(notes), out)
    with pytest.raises(WhalereidError, match=r"e\.parquet: (crop|pad)"):
        check_photos(out, photos)
    with pytest.raises(WhalereidError, match="made otherwise: crop"):
        embed(net, photos, out=out, **QUIET)
