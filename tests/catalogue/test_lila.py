"""LILA's two archives: each thing that is publicly said of them, held to a tree that is written after it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from catalogue import lila
from catalogue.conftest import drawn
from catalogue.lila import BELUGAS, QUERIES, write_test_archive, write_training_archive
from whalereid.catalogue import Catalogue, audit
from whalereid.embeddings import Embeddings
from whalereid.errors import WhalereidError
from whalereid.evaluation import Bootstrap, Labels, Protocol, evaluate
from whalereid.ranking import Ensemble, Member

# -------------------------------------------------------------------------------------------- beluga.coco, training


def with_photos(folder: Path) -> Path:
    """Put a photo of the right size at every name."""
    content = json.loads((folder / "annotations/instances_train2022.json").read_text())
    for number, image in enumerate(content["images"]):
        pixels = drawn(number, image["height"], image["width"])
        assert cv2.imwrite(str(folder / "images/train2022" / image["file_name"]), pixels)
    return folder


@pytest.mark.parametrize("plain", [False, True], ids=["as Wild Me exports", "what public code reads"])
@pytest.mark.parametrize("unpacked", ["beluga.coco", "beluga/beluga.coco"], ids=["by tar", "by wildlife-datasets"])
def test_the_training_archive(tmp_path: Path, unpacked: str, *, plain: bool) -> None:
    write_training_archive(tmp_path / unpacked, plain=plain)
    photos = Catalogue.read(tmp_path)
    assert photos.image_ids.tolist() == ["train0000", "train0001", "train0002"]
    assert photos.column("path").tolist() == [f"images/train2022/{k + 1:012d}_{k}.jpg" for k in range(3)]
    assert photos.column("identity").fillna("nobody").tolist() == ["whale001", "nobody", "whale001"]
    assert photos.column("viewpoint").tolist() == ["top", "left", "right"]
    assert photos.column("date").fillna("never").tolist() == ["2017-08-07 20:38:36", "never", "never"]
    assert set(photos.column("species")) == {"beluga_whale"}
    assert photos.notes[0] == "identities were taken from the annotations' 'name'"


def test_a_box_that_fills_the_photo_hides_nothing(tmp_path: Path) -> None:
    """Boxes and outlines are rounded otherwise than photos, and reach up to a pixel beyond them."""
    photos = Catalogue.read(with_photos(write_training_archive(tmp_path / "beluga.coco")))
    assert {"mask", "segmentation", "segmentation_bbox", "individual_ids", "review_ids"}.isdisjoint(photos.columns)
    assert photos.column("width").tolist() == [388, 506, 1200]
    assert [round(box[2]) for box in photos.column("bbox")] == [389, 506, 1200]
    assert "beyond" not in str(audit(photos))


def test_numbers_tell_photos_beyond_ten_thousand(tmp_path: Path) -> None:
    """Ids have four digits, and more where they must."""
    many = pd.concat([BELUGAS] * 4000, ignore_index=True)
    photos = Catalogue.read(write_training_archive(tmp_path / "beluga.coco", many, plain=True))
    assert photos.image_ids[[0, 9_999, 10_000]].tolist() == ["train0000", "train9999", "train10000"]


def test_val_and_test_may_be_missing(tmp_path: Path) -> None:
    folder = write_training_archive(tmp_path / "beluga.coco")
    for part in ("val", "test"):
        (folder / f"annotations/instances_{part}2022.json").unlink()
        (folder / f"images/{part}2022").rmdir()
    assert len(Catalogue.read(folder)) == 3


def test_a_photo_named_out_of_step_keeps_its_own_name(tmp_path: Path) -> None:
    """Only where every name says ``k + 1`` and ``k`` is it known to be the competition's photo k."""
    folder = write_training_archive(tmp_path / "beluga.coco")
    path = folder / "annotations/instances_train2022.json"
    path.write_text(path.read_text().replace("000000000003_2.jpg", "000000000003_7.jpg"))
    assert Catalogue.read(folder).image_ids.tolist() == ["000000000001_0", "000000000002_1", "000000000003_7"]


@pytest.mark.shared
def test_the_whole_training_set_is_the_competitions(shared: Path, tmp_path: Path) -> None:
    """Its real table, exported as LILA has it, says the same of every photo; encounters come from the real one."""
    real = pd.read_csv(shared / "data/whaledo/metadata.csv")
    belugas = pd.DataFrame({"name": real["whale_id"], "date": real["timestamp"], "viewpoint": real["viewpoint"]})
    belugas["viewpoint"] = belugas["viewpoint"].replace("top", "up")
    ours = Catalogue.read(
        write_training_archive(tmp_path / "beluga.coco", belugas.assign(height=real["height"], width=real["width"]))
    )
    theirs = Catalogue.read(shared / "data/whaledo")
    assert (len(ours), ours.n_identities) == (5902, 788)
    assert ours.image_ids.tolist() == theirs.image_ids.tolist()
    for column in ("identity", "viewpoint"):
        assert ours.column(column).tolist() == theirs.column(column).tolist()
    assert (ours.dates() == theirs.dates()).all()
    assert ours.join(real[["image_id", "encounter_id"]]).column("encounter").nunique() == 1617


# ------------------------------------------------------------------------------------------- beluga-id-test, the test


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """12 photos of 4 whales, the first of whom training knows; test0007 is there twice."""
    return write_test_archive(tmp_path / "beluga-id-test", lila.table_of(12), (3, 9))


def test_the_test_archive(archive: Path) -> None:
    photos = Catalogue.read(archive)
    assert len(pd.read_csv(archive / "private_test_metadata.csv")) == 13
    assert photos.image_ids.tolist() == [f"test{number:04d}" for number in range(12)]
    assert photos.column("path").iloc[7] == "code-execution/images/test0007.jpg"
    assert photos.column("identity").tolist() == [name for name in ("whale000", "32", "33", "34") for _ in range(3)]
    assert photos.column("viewpoint").tolist() == ["left", *["top"] * 10, "left"]
    assert photos.column("timestamp").nunique() == 1
    assert "encounter" not in photos.columns
    assert photos.notes == (
        "rows that repeat another exactly, left out: 1",
        "of 4 animals, 1 are in the training photos, too, and go by their names there",
    )
    first, second = photos.scenarios
    assert first.query_ids == ("scenario01-test0000", "scenario01-test0001", "scenario01-test0002")
    assert (len(second.query_ids), len(second.database_images)) == (9, 12)
    assert set(first.query_images) < set(first.database_images)  # its own photo is among those looked through


def test_what_is_not_known_of_the_test_archive_may_be_missing(archive: Path) -> None:
    """Sizes and dates needn't be there, nor the folder that photos are said to be in."""
    path = archive / "private_test_metadata.csv"
    table = pd.read_csv(path)
    table["path"] = "test/" + table["image_id"] + ".jpg"
    table.drop(columns=["height", "width", "date", "original_image_id"]).to_csv(path, index=False)
    assert Catalogue.read(archive).column("path").iloc[0] == "code-execution/images/test0000.jpg"


def test_what_the_competition_ran_on_may_lie_beside(archive: Path) -> None:
    """Its runtime had the list of scenarios and a table without names in the same folder."""
    code = archive / "code-execution"
    rows = [f"scenario{n:02d},queries/scenario{n:02d}.csv,databases/scenario{n:02d}.csv" for n in (1, 2)]
    (code / "query_scenarios.csv").write_text("\n".join(["scenario_id,queries_path,database_path", *rows]))
    table = pd.read_csv(archive / "private_test_metadata.csv")[["image_id", "path", "viewpoint", "date"]]
    table.drop_duplicates().to_csv(code / "metadata.csv", index=False)
    assert Catalogue.read(archive).n_identities == 4
    assert Catalogue.read(archive.parent).n_identities == 4


def test_unpacked_without_a_folder_of_its_own(archive: Path, tmp_path: Path) -> None:
    """The zip has none: unpacked into ``data``, it lies there beside the training archive."""
    data = tmp_path / "data"
    shutil.move(archive, data)
    write_training_archive(data / "beluga.coco")
    assert Catalogue.read(data).image_ids[0] == "test0000"
    assert Catalogue.read(data / "beluga.coco").image_ids[0] == "train0000"


@pytest.mark.parametrize("name", ["beluga.coco.tar.gz", "beluga-id-test.zip"])
def test_what_is_still_packed_is_to_be_unpacked(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"packed")
    with pytest.raises(WhalereidError, match="is an archive; unpack it"):
        Catalogue.read(tmp_path / name)


def test_the_ten_scenarios_are_scored_by_the_archives_labels(tmp_path: Path) -> None:
    """As many photos and queries as the real ones have; the query's own photo, in its database, counts for nothing."""
    folder = write_test_archive(tmp_path / "beluga-id-test", lila.table_of(3401), QUERIES, known=300)
    photos = Catalogue.read(folder)
    assert len(photos) == 3401
    assert tuple(len(scenario.query_ids) for scenario in photos.scenarios) == QUERIES
    assert [scenario.name for scenario in photos.scenarios] == [f"scenario{n:02d}" for n in range(1, 11)]
    labels = Labels.read(folder / "private_test_labels.csv")
    implied = Labels.implied(photos, photos.scenarios).to_frame()
    pairs = ["query_id", "database_image_id"]
    pd.testing.assert_frame_equal(
        labels.to_frame()[pairs].sort_values(pairs, ignore_index=True),
        implied[pairs].sort_values(pairs, ignore_index=True),
    )
    assert len(labels.query_ids) == sum(QUERIES) == 4419
    report = evaluate(Protocol(photos.scenarios, photos, labels), knowing(photos), bootstrap=Bootstrap(resamples=0))
    assert report.counts["queries"] == 4419
    assert report["mAP@20"] == pytest.approx(1)


def knowing(photos: Catalogue) -> Ensemble:
    """Vectors that know who is who, and nothing of the photo."""
    whales = np.random.default_rng(0).normal(size=(photos.n_identities, 64)).astype(np.float32)
    return Ensemble([Member("knowing", Embeddings.from_numpy(photos.image_ids, whales[photos.labels()]))])
