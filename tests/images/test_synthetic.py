"""Rendered belugas: one truth for all views, a complete layout, the same for a seed, and not answerable by pixels."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from whalereid import (
    Catalogue,
    Embedder,
    Embeddings,
    Ensemble,
    Extraction,
    Member,
    embed,
    mean_average_precision,
    read_photo,
)
from whalereid.errors import WhalereidError
from whalereid.images.synthetic import Beluga, Encounter, SurveyDay, dataset, render_dataset
from whalereid.ranking import rank_tasks, tasks_from

# SHA-256 of the tables of n_identities=4, n_unseen=3, seed=11: the same on every platform.
TABLES = "154132c592f01328df1e2de9b765340b9bf7646102a31bca164cd6941ae06f3b"
COMPETITION = ["image_id", "path", "height", "width", "viewpoint", "date", "timestamp", "whale_id", "encounter_id"]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / "belugas"
    render_dataset(folder, n_identities=4, n_unseen=3, seed=11, progress=False)
    return folder


def tables(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.csv")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def pixels(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "images").iterdir()}


def still(beluga: Beluga, viewpoint: str, seed: int = 0, height: int = 400, width: int = 150) -> np.ndarray:
    """A photo in flat light and clear water."""
    day = SurveyDay(
        np.array([0.1, 0.3, 0.4], np.float32), light=(0, 0), ambient=1, exposure=1, contrast=1, ripple=0, sharpness=0
    )
    met = Encounter(day, depth=0, pitch=0, bend=0, roll=0)
    size = {"height": height, "width": width} if viewpoint == "top" else {"height": width, "width": height}
    return beluga.photo(viewpoint, met, np.random.default_rng(seed), **size)


def marked(beluga: Beluga, along: float, angle: float) -> Beluga:
    """The same animal with plain skin and one red mark: `angle` degrees to the left of the back's midline."""
    skin = np.full_like(beluga.skin, 200)
    row, column = int(along * skin.shape[0]), int((angle / 360 + 0.5) * skin.shape[1])
    skin[row - 8 : row + 8, column - 8 : column + 8] = (255, 0, 0)
    return Beluga(skin, beluga.width, beluga.above, beluga.below, beluga.plan, beluga.flipper)


def red(photo: np.ndarray) -> np.ndarray:
    """Where it is red: (n, 2) rows and columns, as shares of height and width."""
    r, g, b = np.moveaxis(photo.astype(int), 2, 0)
    return np.argwhere((r > g + 60) & (r > b + 60)) / photo.shape[:2]


# ------------------------------------------------------------------------------------------------ one animal


@pytest.mark.parametrize(
    ("angle", "seen_from"),
    [(0, {"top"}), (45, {"top", "left"}), (-45, {"top", "right"}), (110, {"left"}), (-110, {"right"}), (180, set())],
)
def test_a_mark_shows_in_the_views_that_face_it(angle, seen_from):
    animal = marked(Beluga.draw(np.random.default_rng(0)), 0.5, angle)
    shown = {view: len(red(still(animal, view))) for view in ("top", "left", "right")}
    assert {view for view, n in shown.items() if n > 60} == seen_from, shown


def test_marks_lie_where_they_belong_in_each_view():
    animal = Beluga.draw(np.random.default_rng(1))
    near_head = marked(animal, 0.3, 45)
    top, left = red(still(near_head, "top")).mean(axis=0), red(still(near_head, "left")).mean(axis=0)
    assert top[0] < 0.45  # the head points up
    assert top[1] < 0.5  # the left flank is on the left
    assert left[1] < 0.45  # from the left the head points left
    assert left[0] < 0.5  # the back is above
    right = red(still(marked(animal, 0.3, -45), "right")).mean(axis=0)
    assert right[1] > 0.55
    assert right[0] < 0.5


def test_left_and_right_flank_differ():
    animal = Beluga.draw(np.random.default_rng(2))
    half = animal.skin.shape[1] // 2
    right, left = animal.skin[:, :half].astype(int), animal.skin[:, half:][:, ::-1].astype(int)
    assert np.abs(right - left).mean() > 5


def test_photos_of_one_animal_resemble_each_other_more_than_others():
    flat = {
        (i, k): still(Beluga.draw(np.random.default_rng(i)), "top", seed=k).astype(float)
        for i in (3, 4)
        for k in (0, 1)
    }
    same = np.abs(flat[3, 0] - flat[3, 1]).mean()
    other = np.abs(flat[3, 0] - flat[4, 1]).mean()
    assert same < other


def test_what_the_animal_does_not_own_varies():
    animal, rng = Beluga.draw(np.random.default_rng(5)), np.random.default_rng(6)
    days = [SurveyDay.draw(rng) for _ in range(2)]
    first, second = (animal.photo("top", Encounter.draw(day, rng), rng, height=300, width=110) for day in days)
    corners = [photo[:20, :20].reshape(-1, 3).mean(axis=0) for photo in (first, second)]
    assert np.abs(corners[0] - corners[1]).max() > 5  # another water
    assert (first != second).mean() > 0.9


def test_drawing_is_a_matter_of_the_generator_alone():
    day = SurveyDay.draw(np.random.default_rng(7))
    photos = []
    for _ in range(2):
        rng = np.random.default_rng(8)
        photos.append(Beluga.draw(rng).photo("left", Encounter.draw(day, rng), rng, height=90, width=300))
    assert (photos[0] == photos[1]).all()
    assert photos[0].shape == (90, 300, 3)
    assert photos[0].dtype == np.uint8


def test_an_unknown_viewpoint_is_refused():
    rng = np.random.default_rng(0)
    met = Encounter.draw(SurveyDay.draw(rng), rng)
    with pytest.raises(WhalereidError, match=r"'below'.*top, left, right"):
        Beluga.draw(rng).photo("below", met, rng, height=50, width=50)


# ------------------------------------------------------------------------------------------------- the data set


def test_the_layout_is_complete(rendered):
    table = pd.read_csv(rendered / "metadata.csv")
    assert list(table.columns) == [*COMPETITION, "split"]
    assert not table.isna().any().any()
    assert table["image_id"].is_unique
    assert set(table["viewpoint"]) == {"top", "left", "right"}
    for row in table.itertuples():
        photo = cv2.imread(str(rendered / row.path))
        assert photo.shape == (row.height, row.width, 3)
        assert (row.height > row.width) == (row.viewpoint == "top")
        assert row.timestamp.startswith(row.date)
    assert table.groupby("encounter_id")["date"].nunique().eq(1).all()
    assert table.groupby("encounter_id")["whale_id"].nunique().eq(1).all()
    assert (table.groupby("whale_id")["date"].nunique() == table.groupby("whale_id")["encounter_id"].nunique()).all()


def test_it_reads_as_a_catalogue(rendered):
    photos = Catalogue.read(rendered)
    assert photos.n_identities == 7
    assert photos.filter(split="train").n_identities == 4
    assert len(photos.scenarios) == 6
    assert photos.known("date").all()


def test_scenarios_ask_for_unseen_animals_across_encounters(rendered):
    table = pd.read_csv(rendered / "metadata.csv").set_index("image_id")
    labels = pd.read_csv(rendered / "labels.csv").groupby("query_id")["database_image_id"].agg(set)
    train = table[table["split"] == "train"]
    views, years = set(), set()
    for scenario in pd.read_csv(rendered / "query_scenarios.csv").itertuples():
        queries = pd.read_csv(rendered / scenario.queries_path).set_index("query_id")["query_image_id"]
        database = pd.read_csv(rendered / scenario.database_path)["database_image_id"]
        assert database.is_unique
        asked, held = table.loc[queries], table.loc[database]
        assert not set(asked["whale_id"]) & set(train["whale_id"])
        assert not set(held["whale_id"]) & set(train["whale_id"])
        views.add((frozenset(asked["viewpoint"]), frozenset(held["viewpoint"])))
        years.add(not set(asked["date"].str[:4]) & set(held["date"].str[:4]))
        for query_id, image_id in queries.items():
            assert query_id == f"{scenario.scenario_id}-{image_id}"
            query, others = table.loc[image_id], held.drop(image_id, errors="ignore")
            relevant = others[others["whale_id"] == query["whale_id"]]
            assert labels[query_id] == set(relevant.index)
            assert query["encounter_id"] not in set(others["encounter_id"])
    top, lateral = frozenset(["top"]), frozenset(["left", "right"])
    assert {(top, top), (lateral, top), (top, lateral), (top | lateral, top | lateral)} == views
    assert True in years


def test_the_same_seed_gives_the_same_tables_everywhere_and_the_same_pixels_here(rendered, tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "ThreadPoolExecutor", lambda: ThreadPoolExecutor(max_workers=1))  # before: several
    render_dataset(tmp_path / "again", n_identities=4, n_unseen=3, seed=11, progress=False)
    assert pixels(tmp_path / "again") == pixels(rendered)
    assert tables(tmp_path / "again") == tables(rendered) == TABLES
    render_dataset(tmp_path / "again", n_identities=4, n_unseen=3, seed=12, progress=False)  # replaces it
    assert not set(pixels(tmp_path / "again").values()) & set(pixels(rendered).values())
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_more_unseen_animals_leave_the_others_as_they_were(rendered, tmp_path):
    more = render_dataset(tmp_path / "more", n_identities=4, n_unseen=4, seed=11, progress=False).frame
    here = Catalogue.read(rendered).frame
    kept = more[more["identity"].isin(set(here["identity"]))]
    assert len(kept) == len(here)
    for (_, ours), (_, theirs) in zip(here.groupby("identity"), kept.groupby("identity"), strict=True):
        photos = [
            {(folder / path).read_bytes() for path in part["path"]}
            for folder, part in ((rendered, ours), (tmp_path / "more", theirs))
        ]
        assert photos[0] == photos[1]


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "metadata.csv").write_text("image_id,path\n")
    with pytest.raises(WhalereidError, match="already holds something else"):
        render_dataset(tmp_path, n_identities=2, n_unseen=2, progress=False)
    assert (tmp_path / "metadata.csv").read_text() == "image_id,path\n"


def test_a_failure_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dataset, "_write_tables", full)
    with pytest.raises(WhalereidError, match="disk is full"):
        render_dataset(tmp_path / "belugas", n_identities=2, n_unseen=2, progress=False)
    assert not (tmp_path / "belugas" / "images").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name != "belugas"] == []
    monkeypatch.undo()
    render_dataset(tmp_path / "belugas", n_identities=2, n_unseen=2, progress=False)
    assert json.loads((tmp_path / "belugas" / "rendered.json").read_text())["n_unseen"] == 2


@pytest.mark.parametrize("wrong", [{"n_identities": 1}, {"n_unseen": 0}, {"seed": -1}])
def test_numbers_too_small_are_refused(tmp_path, wrong):
    with pytest.raises(WhalereidError, match=next(iter(wrong))):
        render_dataset(tmp_path / "belugas", **({"progress": False} | wrong))
    assert not (tmp_path / "belugas").exists()


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The scenarios of a set of the default size; who is trained on plays no part in them."""
    folder = tmp_path_factory.mktemp("difficulty") / "belugas"
    return render_dataset(folder, n_identities=2, seed=1, progress=False)


def score(photos: Catalogue, ids: np.ndarray, vectors: np.ndarray) -> float:
    ensemble = Ensemble([Member("any", Embeddings.from_numpy(ids, vectors))])
    ranking = rank_tasks(ensemble, photos, tasks_from(photos), k=20)
    return mean_average_precision(ranking, photos.root / "labels.csv", k=20)


@pytest.mark.slow
def test_pixels_do_not_answer_who_it_is(unseen):
    test = unseen.filter(split="test")
    full = [cv2.resize(read_photo(path, portrait=True), (48, 128), interpolation=cv2.INTER_AREA) for path in test.paths]
    scores = {}
    for height, width in ((16, 6), (32, 12), (64, 24), (32, 32)):
        colour = np.stack([cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA) for photo in full])
        for name, pixels in {"colour": colour, "grey": colour.mean(axis=3, keepdims=True)}.items():
            centred = pixels - pixels.mean(axis=(1, 2), keepdims=True)
            mirrored = centred + centred[:, :, ::-1]
            for how, prepared in {"raw": pixels, "centred": centred, "mirrored": mirrored}.items():
                vectors = prepared.reshape(len(test), -1).astype(np.float32)
                scores[height, width, name, how] = score(unseen, test.image_ids, vectors)
    assert max(scores.values()) < 0.35, scores
    assert min(scores.values()) > 0  # it is measured at all


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["test_resnet", "test_efficientnet"])
def test_an_untrained_network_does_not_know_who_it_is(unseen, backbone):
    torch.manual_seed(0)
    net = Embedder(backbone, neck="bn", image_size=(128, 48), portrait=True, weights="random").eval()
    test = unseen.filter(split="test")
    found = embed(net, test, extraction=Extraction(flip=True, workers=0), progress=False)
    assert score(unseen, test.image_ids, found.vectors) < 0.35
