"""Tables, labels and ids: nothing that was written is lost on the way, and what fits nothing is refused."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import whalereid as wr
from whalereid.catalogue import Catalogue
from whalereid.cli.app import app
from whalereid.errors import WhalereidError
from whalereid.evaluation import Labels, Protocol
from whalereid.models import Preprocessing
from whalereid.ranking import Ranking, read_database, read_queries, read_tasks, tasks_from, write_tasks
from whalereid.splits import read_folds, write_folds

MISSING_WORDS = ["NA", "nan", "NaN", "None", "null", "N/A", "#N/A", "<NA>", "NaT", "none"]
NASTY = [
    *MISSING_WORDS,
    *("007", "7", "7.0", "1e5", "inf", "-inf", "True", "0x1F", "2017-08-07", "1,5", "a;b", "a\tb", 'a"b', "'", '""'),
    *(
        "=1+1",
        "+x",
        "@x",
        "-",
        "#",
        "//",
        "x\ry",
        "x\ny",
        "x\r\ny",
        "🐋",
        "اسم",
        "\u202ex",
        "e\u0301",
        "é",
        "ß",
        "\ufeffx",
    ),
    *("[1, 2]", "{}", "image_id", "path", "a" * 300, "\x1b[2J", "\x7f", "\u2028x"),
]
UNKNOWN = {"", "unknown", "____"}
names = st.one_of(
    st.sampled_from(NASTY), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
).map(str.strip)
ids = names.filter(bool)
identities = names.filter(lambda name: name.lower() not in UNKNOWN)
kinds = pytest.mark.parametrize("kind", ["csv", "parquet"])
few = settings(max_examples=25, deadline=None)


def run(*words: object) -> tuple[int, str]:
    shown = CliRunner().invoke(app, [str(word) for word in words])
    return shown.exit_code, f"{shown.output}{shown.stderr}{shown.exception}"


@st.composite
def tables(draw: st.DrawFn) -> Catalogue:
    image_ids = draw(st.lists(ids, min_size=2, max_size=6, unique=True))
    column = st.lists(identities, min_size=len(image_ids), max_size=len(image_ids))
    columns: dict[str, Any] = {name: draw(column) for name in ("identity", "encounter", "location")}
    frame = pd.DataFrame({"image_id": image_ids, "path": [f"{row}.jpg" for row in range(len(image_ids))], **columns})
    return Catalogue(frame)


@kinds
@few
@given(photos=tables())
def test_names_and_ids_survive_every_round_trip(kind: str, photos: Catalogue) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table.{kind}"
        photos.write(path)
        pd.testing.assert_frame_equal(Catalogue.read(path).frame, photos.frame)
        order = photos.image_ids[::-1].tolist()

        folds = pd.DataFrame({"image_id": photos.image_ids, "fold": np.arange(len(photos)) % 2})
        write_folds(folds, path := Path(folder) / f"folds.{kind}")
        pd.testing.assert_frame_equal(read_folds(path, photos), folds.astype({"image_id": "str"}))
        assert photos.join(path).column("fold").tolist() == folds["fold"].tolist()

        ranking = Ranking([order, order[:1]], [np.linspace(1, 0, len(order)), [0.5]], query_ids=order[:2])
        ranking.write(path := Path(folder) / f"ranking.{kind}")
        read = Ranking.read(path)
        assert read.query_ids.tolist() == order[:2]
        assert [row.tolist() for row in read.ids] == [order, order[:1]]
        assert wr.mean_average_precision(path, {order[0]: order, order[1]: order[:1]}) == 1

        vectors = wr.Embeddings.from_numpy(order, np.eye(len(order)))
        vectors.write(path := Path(folder) / "vectors.parquet")
        assert wr.Embeddings.read(path).ids.tolist() == order

        listed = pd.DataFrame({"query_id": order[0], "database_image_id": order})
        from whalereid.tables import write_table

        write_table(listed, path := Path(folder) / f"labels.{kind}")
        assert Labels.read(path).image_ids.tolist() == order
        assert read_database(path) == order
        write_table(listed.rename(columns={"database_image_id": "query_image_id"}).assign(query_id=order), path)
        assert read_queries(path) == (order, order)

        tasks = tasks_from(photos)
        write_tasks(tasks, path)
        assert read_tasks(path) == tasks


@few
@given(photos=tables(), data=st.data())
def test_a_protocol_survives_its_folder(photos: Catalogue, data: st.DataObject) -> None:
    protocol = Protocol.from_catalogue(photos.assign(identity=data.draw(identities)))
    with tempfile.TemporaryDirectory() as folder:
        protocol.write(Path(folder) / "p")
        read = Protocol.read(Path(folder) / "p")
    assert read.tasks == protocol.tasks
    ours, theirs = (one.labels.to_frame().sort_values(["query_id", "database_image_id"]) for one in (read, protocol))
    assert ours.to_numpy().tolist() == theirs.to_numpy().tolist()


@kinds
def test_an_animal_may_be_called_like_a_missing_value(kind: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"image_id": MISSING_WORDS, "path": MISSING_WORDS, "identity": MISSING_WORDS})
    frame["date"], frame["age"], frame["sex"] = "NA", ["NA"] * 9 + ["3"], ["NA"] * 9 + ["f"]
    frame["height"], frame["bbox"] = ["NA"] * 9 + ["3"], "NaN"
    frame.to_csv(tmp_path / "t.csv", index=False) if kind == "csv" else frame.to_parquet(tmp_path / "t.parquet")
    photos = Catalogue.read(tmp_path / f"t.{kind}")
    assert photos.column("identity").tolist() == photos.image_ids.tolist() == MISSING_WORDS
    assert photos.known("age").sum() == photos.known("height").sum() == 1
    assert not photos.known("date").any()
    assert not photos.known("bbox").any()
    assert photos.known("sex").all()  # a column of words: who knows
    (finding,) = [one for one in wr.audit(photos, photos=False).findings if "missing" in one.kind]
    assert (finding.kind, finding.severity) == ("missing-looking-identities", "warning")
    assert set(finding.offenders) == set(MISSING_WORDS)
    assert finding.examples[0] == "#N/A: 1 photo"


def test_folders_called_like_a_missing_value_are_animals(tmp_path: Path) -> None:
    for name in ("NA", "None", "nan", "Nanuq"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(b"")
    photos = Catalogue.read(tmp_path, layout="folders")
    assert photos.identities == ("NA", "Nanuq", "None", "nan")
    photos.write(tmp_path / "metadata.csv")
    assert Catalogue.read(tmp_path / "metadata.csv").identities == photos.identities


@kinds
@pytest.mark.parametrize("read", [Catalogue.read, Ranking.read, Labels.read, read_database])
def test_a_column_that_stands_twice_is_refused(read: Any, kind: str, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ["image_id", "path", "query_id", "database_image_id", "score", "identity", "identity"]
    (tmp_path / "t.csv").write_text(",".join(names) + "\na,a.jpg,a,b,1,x,y\n")
    pq.write_table(pa.table([pa.array([value]) for value in "aaab1xy"], names=names), tmp_path / "t.parquet")
    with pytest.raises(WhalereidError, match="two columns are called identity"):
        read(tmp_path / f"t.{kind}")


def test_columns_without_a_name_are_no_repeats(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("image_id,path,,\na,a.jpg,,\n")
    assert len(Catalogue.read(tmp_path / "t.csv")) == 1


DAYS = pd.to_datetime(["2017", "2018"])
NO_IDS = [
    [1.5, 2.0],
    [1e300, 2.0],
    [True, False],
    [1j, 2j],
    [b"a", b"b"],
    [["a"], ["b"]],
    pd.to_datetime(["2017", "2018"]),
]


@pytest.mark.parametrize("wrong", NO_IDS, ids=repr)
def test_what_is_no_text_is_no_id(wrong: Any) -> None:
    frame = pd.DataFrame({"image_id": pd.Series(wrong), "path": ["a", "b"], "fold": [0, 1], "score": [1.0, 0.5]})
    frame["query_id"] = frame["database_image_id"] = frame["image_id"]
    other = pd.DataFrame({"image_id": ["a", "b"], "path": ["a", "b"]})
    for call in (
        lambda: Catalogue(frame),
        lambda: Catalogue(other).join(frame),
        lambda: Ranking.from_frame(frame),
        lambda: Labels.from_frame(frame),
        lambda: wr.PredefinedFolds(frame),
        lambda: wr.Embeddings.from_numpy(list(wrong), np.eye(2)),
        lambda: Labels.of({"q": list(wrong)}),
        lambda: Ranking([list(wrong)], [[1, 0.5]]),
    ):
        with pytest.raises(WhalereidError, match="id"):
            call()


@pytest.mark.parametrize("wrong", [None, "", " ", float("nan"), "a\0b", "a\ud800"])
def test_nothing_is_no_id(wrong: Any) -> None:
    frame = pd.DataFrame({"image_id": pd.Series([wrong, "b"], dtype=object), "path": ["a", "b"], "score": [1.0, 0.5]})
    frame["query_id"] = frame["database_image_id"] = frame["image_id"]
    for call in (
        lambda: Catalogue(frame),
        lambda: Ranking.from_frame(frame),
        lambda: Labels.from_frame(frame),
        lambda: wr.Embeddings.from_numpy([wrong], np.eye(1)),
        lambda: Labels.of({"q": [wrong]}),
        lambda: Labels.of({wrong: ["q"]}),
        lambda: Ranking([["a"]], [[1]], query_ids=[wrong]),
    ):
        with pytest.raises(WhalereidError, match=r"id|NUL|Unicode"):
            call()


@pytest.mark.parametrize("given", [["7", "8"], [7, 8], [" 7", "8\t"]], ids=repr)
def test_ids_are_trimmed_text_everywhere(given: list[Any], tmp_path: Path) -> None:
    frame = pd.DataFrame({"image_id": given, "path": given, "fold": [0, 1], "score": [1.0, 0.5]})
    frame["query_id"] = frame["database_image_id"] = frame["image_id"]
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    for path in (tmp_path / "t.parquet", tmp_path / "t.csv"):
        photos, ranking, labels = Catalogue.read(path), Ranking.read(path), Labels.read(path)
        for held in (photos.image_ids, ranking.query_ids, ranking.database_ids, labels.query_ids, labels.image_ids):
            assert held.tolist() == ["7", "8"]
        assert read_folds(path, photos)["image_id"].tolist() == read_database(path) == ["7", "8"]
        assert photos.join(path).column("fold").tolist() == [0, 1]
        assert wr.mean_average_precision(path, path) == 1
    assert wr.Embeddings.from_numpy(given, np.eye(2)).ids.tolist() == ["7", "8"]


# ---------------------------------------------------------------------------------------------------------- labels

RANKED = Ranking([["002", "003"], ["003", "001"]], [[0.9, 0.8], [0.9, 0.8]], query_ids=["001", "002"])
SPELLINGS = [
    lambda image_id: image_id.lstrip("0"),
    lambda image_id: f"{image_id}.jpg",
    lambda image_id: f"{image_id}.JPEG",
    lambda image_id: f"00{image_id}",
    lambda image_id: f"{int(image_id)}.0",
]


@pytest.mark.parametrize("spell", SPELLINGS)
@pytest.mark.parametrize("column", ["query_id", "database_image_id"])
def test_labels_that_write_ids_another_way_are_refused_with_what_they_mean(
    spell: Any, column: str, tmp_path: Path
) -> None:
    labels = pd.DataFrame({"query_id": ["001", "002"], "database_image_id": ["002", "003"]})
    labels.loc[1, column] = spell(labels.loc[1, column])
    labels.to_csv(tmp_path / "labels.csv", index=False)
    RANKED.write(tmp_path / "ranking.csv")
    words = rf"labels.csv, row 2, column {column}: {labels.loc[1, column]!r} .*'00[23]' is"
    for call in (wr.evaluate, lambda labels, ranking: wr.mean_average_precision(ranking, labels)):
        with pytest.raises(WhalereidError, match=words):
            call(tmp_path / "labels.csv", RANKED)
    code, said = run("evaluate", tmp_path / "ranking.csv", "--labels", tmp_path / "labels.csv")
    assert code != 0
    assert f"row 2, column {column}" in said


def test_case_and_spaces_tell_no_animals_apart_either() -> None:
    ranking = Ranking([["Photo 1"]], [[0.9]], query_ids=["Q"])
    for labels in ({"Q": {"photo1"}}, {"Q": {"PHOTO  1"}}, {"Q": {"photo 01"}}):
        with pytest.raises(WhalereidError, match="Photo 1"):
            wr.mean_average_precision(ranking, labels)


def test_ids_that_are_there_are_right_as_they_are() -> None:
    """Photos 7 and 007 are two where the catalogue, or the ranking, has both."""
    ranking = Ranking([["007"]], [[0.9]], query_ids=["q"])
    photos = Catalogue(pd.DataFrame({"image_id": ["7", "007", "q"], "path": list("abc")}))
    bare = wr.Bootstrap(resamples=0)
    assert wr.evaluate({"q": {"7"}}, ranking, catalogue=photos, bootstrap=bare)["mAP@20"] == 0
    assert wr.evaluate({"q": {"7", "007"}}, ranking, catalogue=photos, bootstrap=bare)["mAP@20"] == 0.5
    both = Ranking([["007", "7"]], [[0.9, 0.8]], query_ids=["q"])
    assert wr.mean_average_precision(both, {"q": {"7"}}) == 0.5
    with pytest.raises(WhalereidError, match=r"'7'.*'007'.*the photos' catalogue if they are two"):
        wr.evaluate({"q": {"7"}}, ranking)


ONCE = {
    "p00": ["p00.jpg", "P00", "p 00", "p0", "p000", "images/p00", "./p00.PNG", "ｐ00"],
    "007": ["7", "7.0", "07", "007.tif"],
    "ann/007": ["ann/7", "007", "7.jpg", "photos/ann/007", "Ann\\007"],
}


@pytest.mark.parametrize(("right", "written"), [(right, one) for right, some in ONCE.items() for one in some])
@pytest.mark.parametrize("column", ["query_id", "database_image_id"])
def test_one_id_that_is_written_another_way_beside_right_ones_is_refused(
    right: str, written: str, column: str, tmp_path: Path
) -> None:
    """Also where the same id stands rightly in another row: the two are one photo, unless a catalogue has both."""
    others = ["x1", "x2", "x3"]
    ranking = Ranking([others, [right, "x1"]], [[0.9, 0.8, 0.7], [0.9, 0.8]], query_ids=[right, "x3"])
    rows = {"query_id": [(right, "x1"), (written, "x2"), ("x3", right)]}
    rows["database_image_id"] = [("x3", right), ("x3", "x1"), (right, "x1"), ("x3", written)]
    labels = pd.DataFrame(rows[column], columns=["query_id", "database_image_id"])
    labels.to_csv(tmp_path / "labels.csv", index=False)
    row = 2 if column == "query_id" else 4
    for call in (wr.evaluate, lambda labels, ranking: wr.mean_average_precision(ranking, labels)):
        with pytest.raises(WhalereidError) as refused:
            call(tmp_path / "labels.csv", ranking)
        said = str(refused.value)
        assert f"labels.csv, row {row}, column {column}: {written!r} is not in the ranking, but {right!r} is" in said
        assert "\n" not in said
    labels[column] = labels[column].replace(written, f"{right} ")  # spaces around are nobody's
    assert wr.mean_average_precision(ranking, labels) > 0


def test_ids_that_are_like_no_other_count_as_not_found() -> None:
    """A ranking shows only its best: other photos may well be relevant, and other queries may not have been asked."""
    ranking = Ranking([["a1", "b1"]], [[0.9, 0.8]], query_ids=["q"])
    report = wr.evaluate({"q": {"a1", "c9"}, "r": {"b1"}}, ranking, bootstrap=wr.Bootstrap(resamples=0))
    assert report["mAP@20"] == 0.25
    assert any("no ranking: 1 query (r)" in note for note in report.notes)
    assert wr.mean_average_precision(ranking, {"q": {"ann/1", "bo/1", "a1"}}) == pytest.approx(1 / 3)
    listed = Ranking([["ann/1", "bo/1"]], [[0.9, 0.8]], query_ids=["q"])  # two end so: which of them 1 is can't be told
    assert wr.mean_average_precision(listed, {"q": {"ann/1", "1"}}) == 0.5


@pytest.mark.parametrize("number", [1, np.int64(1), np.uint8(1), True])
def test_labels_of_numbers_are_refused(number: Any) -> None:
    """They are rows or codes as likely as ids, and would be found nowhere; a table's column of digits is ids."""
    ranking = Ranking([["a", "b"], ["a"]], [[0.9, 0.8], [0.5]], query_ids=["q", "r"])
    for labels in (
        [{number}, {number}],
        [["a"], np.array([number])],
        [{"a"}, ("a", number)],
        {"q": {number}},
        {"q": {"a"}, number: {"a"}},
    ):
        for call in (
            lambda labels: wr.mean_average_precision(ranking, labels),
            lambda labels: wr.evaluate(labels, ranking, bootstrap=wr.Bootstrap(resamples=0)),
            lambda labels: Labels.of(labels, ["q", "r"]),
        ):
            with pytest.raises(WhalereidError, match=r"ids are text|an id is text"):
                call(labels)
    for pairs in ((["q"], [number]), ([number], ["a"]), (np.array([1]), np.array([2]))):
        with pytest.raises(WhalereidError, match=r"ids are text|no id"):
            Labels(*pairs)
    with pytest.raises(WhalereidError, match="ids are text"):
        Labels.from_codes(["q"], [number], np.array([0]), np.array([0]))


HEADERS = {"ranking": "query_id,database_image_id,score\n", "labels": "query_id,database_image_id\n"}


@kinds
def test_a_table_of_a_header_alone_is_refused(kind: str, tmp_path: Path) -> None:
    from whalereid.tables import write_table

    def put(name: str, columns: str, *rows: tuple[Any, ...]) -> Path:
        write_table(pd.DataFrame(list(rows), columns=columns.strip().split(",")), path := tmp_path / f"{name}.{kind}")
        return path

    no_ranking, no_labels = (put(f"no-{name}", columns) for name, columns in HEADERS.items())
    ranking = put("ranking", HEADERS["ranking"], ("a", "b", 0.5), ("b", "a", 0.5))
    labels = put("labels", HEADERS["labels"], ("a", "b"))
    others = put("others", HEADERS["labels"], ("x", "b"), ("y", "a"))
    Catalogue(pd.DataFrame({"image_id": list("ab"), "path": list("ab"), "identity": "x"})).write(tmp_path / "t.csv")
    table = tmp_path / "t.csv"
    for empty, words in (
        (no_ranking, (no_ranking, "--labels", labels)),
        (no_ranking, (ranking, no_ranking, "--labels", labels)),
        (no_ranking, (no_ranking, "--labels", labels, "--catalogue", table)),
        (no_ranking, (no_ranking, "--catalogue", table)),
        (no_ranking, (ranking, no_ranking, "--catalogue", table)),
        (no_ranking, (ranking, "--catalogue", table, "--open-set", "--validation", no_ranking)),
        (no_labels, (ranking, "--labels", no_labels)),
        (no_labels, (ranking, "--labels", no_labels, "--catalogue", table)),
        (others, (ranking, "--labels", others)),
    ):
        code, said = run("evaluate", *words, "--resamples", 0)
        assert code != 0, words
        assert f"{empty}: " in said, said
    for what in (no_ranking, pd.DataFrame(columns=["query_id", "database_image_id", "score"]), Ranking([], [])):
        for call in (lambda what: wr.mean_average_precision(what, labels), lambda what: wr.evaluate(labels, what)):
            with pytest.raises(WhalereidError, match="nothing to score"):
                call(what)
    for what in (no_labels, {}, {"a": set()}, [set(), ()], pd.DataFrame(columns=["query_id", "database_image_id"])):
        for call in (lambda what: wr.mean_average_precision(ranking, what), lambda what: wr.evaluate(what, ranking)):
            with pytest.raises(WhalereidError, match="relevant photo"):
                call(what)


def test_labels_of_other_photos_are_refused() -> None:
    ranking = Ranking([["cow1", "cow2"]], [[0.9, 0.8]], query_ids=["q"])
    with pytest.raises(WhalereidError, match=r"no photo of the labels is listed.*'whale[12]'"):
        wr.evaluate({"q": {"whale1", "whale2"}}, ranking)
    photos = Catalogue(pd.DataFrame({"image_id": ["cow1", "cow2", "q", "cow9"], "path": list("abcd")}))
    with pytest.raises(WhalereidError, match="nearest is 'cow1'"):
        wr.evaluate({"q": {"cow10"}}, ranking, catalogue=photos)
    report = wr.evaluate({"q": {"cow9", "whale1"}}, ranking, catalogue=photos, bootstrap=wr.Bootstrap(resamples=0))
    assert report["mAP@20"] == 0
    assert any("whale1" in note for note in report.notes)
    with pytest.raises(WhalereidError, match="the nearest in the ranking 'q'"):
        wr.mean_average_precision(ranking, {"qq": {"cow1"}})


# ------------------------------------------------------------------------------------------------------- the dates


@few
@given(
    days=st.lists(
        st.dates(pd.Timestamp("1990-01-01").date(), pd.Timestamp("2030-01-01").date()), min_size=1, max_size=9
    ),
    written=st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y 08:05"]),
    data=st.data(),
)
def test_every_part_of_a_table_reads_its_dates_alike(days: list[Any], written: str, data: st.DataObject) -> None:
    ids = [str(row) for row in range(len(days))]
    photos = Catalogue(pd.DataFrame({"image_id": ids, "path": ids, "date": [day.strftime(written) for day in days]}))
    dates = photos.dates()
    right = np.array(days, "datetime64[D]")
    read = ~np.isnat(dates)
    assert read.all() or not read.any()
    assert (dates[read].astype("datetime64[D]") == right[read]).all()
    rows = data.draw(st.lists(st.sampled_from(range(len(days))), min_size=1, unique=True))
    with tempfile.TemporaryDirectory() as folder:
        photos[rows].write(Path(folder) / "t.csv")
        again = Catalogue.read(Path(folder) / "t.csv").dates()
    for part in (photos[rows], photos.subset([ids[row] for row in rows]), photos[rows].assign(fold=0)):
        np.testing.assert_array_equal(part.dates(), dates[rows])
    np.testing.assert_array_equal(again, dates[rows])


# ---------------------------------------------------------------------------------------------------- other refusals


@pytest.mark.parametrize(
    "call",
    [
        lambda photos: photos.filter(identity=7),
        lambda photos: photos.filter(identity=None),
        lambda photos: photos.filter(fold=1j),
        lambda photos: photos[[0.5]],
        lambda photos: photos[[1j]],
        lambda photos: photos.assign(height=[1j, 2 + 1j]),
        lambda photos: photos.assign(width=["1+2j", "3"]),
        lambda photos: photos.assign(identity=[["a"], ["b"]]),
        lambda photos: photos.assign(identity=[b"a", b"b"]),
        lambda photos: photos.assign(fold=[1j, 0]),
        lambda photos: wr.PredefinedFolds(photos.frame.assign(fold=[1j, 0])),
        lambda photos: Ranking.from_frame(pd.DataFrame({"query_id": "q", "database_image_id": "a", "score": [1j]})),
        lambda photos: photos.subset([None]),
        lambda photos: wr.evaluation_transform(32, mean=float("nan"), std=(1, 1, 1)),
        lambda photos: wr.evaluation_transform(32, mean=(0, 0, 0), std=(1, float("nan"), 1)),
        lambda photos: wr.evaluation_transform(32, std=(True, True, True)),
        lambda photos: wr.evaluation_transform(32, std=[0.5, np.True_, 0.5]),
        lambda photos: wr.evaluation_transform(32, mean=(0, False, 0.5)),
        lambda photos: wr.evaluation_transform(32, mean=np.zeros(3, bool)),
        lambda photos: wr.evaluation_transform(32, mean=("0", "0", "0")),
        lambda photos: wr.TRAINING_TRANSFORMS["plain"](32, std=(True, 1, 1)),
        lambda photos: Preprocessing((32, 32), (True, 0, 0), (1, 1, 1)),
        lambda photos: Preprocessing((32, 32), (0, 0, 0), (1, 1, np.True_)),
        lambda photos: Preprocessing((32, 32), (0, 0, 0), (1, 1, 0)),
        lambda photos: Preprocessing((32, True), (0, 0, 0), (1, 1, 1)),
        lambda photos: Preprocessing(std=(True, True, True)),
        lambda photos: Preprocessing(mean=(0, 0, np.False_)),
        lambda photos: wr.Bootstrap(resamples=1),
    ],
)
def test_what_is_silently_something_else_is_refused(call: Any) -> None:
    photos = Catalogue(
        pd.DataFrame({"image_id": ["a", "b"], "path": ["a", "b"], "identity": ["x", "y"], "fold": [0, 1]})
    )
    with pytest.raises(WhalereidError):
        call(photos)


def test_train_says_what_the_folds_leave_out_and_what_is_empty(tmp_path: Path) -> None:
    photos = Catalogue(
        pd.DataFrame({"image_id": list("abcd"), "path": list("abcd"), "identity": list("xyxy")}), root=tmp_path
    )
    photos.write(tmp_path / "metadata.csv")
    folds = pd.DataFrame({"image_id": list("abc"), "fold": [0, 0, 0]})
    folds.to_csv(tmp_path / "folds.csv", index=False)
    options = ("--folds", tmp_path / "folds.csv", "--fold", 0, "--out", tmp_path / "run")
    code, said = run("train", "--catalogue", tmp_path / "metadata.csv", *options)
    assert code != 0
    assert "1 of 4 photos are left out of every fold." in said
    assert "the training part is empty: --fold 0 leaves no photo to train on" in said
    assert not (tmp_path / "run").exists()


def test_every_command_says_what_was_taken_for_what(tmp_path: Path) -> None:
    frame = pd.DataFrame({"image_id": list("abcd"), "path": list("abcd"), "identity": list("xyxy")})
    Catalogue(frame.assign(date=["3/4/2017", "25/4/2017"] * 2)).write(tmp_path / "t.csv")
    wr.Embeddings.from_numpy(list("abcd"), np.eye(4)).write(tmp_path / "e.parquet")
    wr.Embedder("resnet10t", weights="random").save(tmp_path / "net")
    ranked = ("rank", "--catalogue", tmp_path / "t.csv", "--embeddings", tmp_path / "e.parquet")
    for words in (
        ("check", "--catalogue", tmp_path / "t.csv", "--no-photos"),
        ("split", "--catalogue", tmp_path / "t.csv"),
        (*ranked, "--out", tmp_path / "r.csv"),
        ("evaluate", tmp_path / "r.csv", "--catalogue", tmp_path / "t.csv"),
        ("embed", "--catalogue", tmp_path / "t.csv", "--model", tmp_path / "net", "--out", tmp_path / "e2"),
        ("train", "--catalogue", tmp_path / "t.csv", "--out", tmp_path / "run"),
    ):
        assert "column date: 4 dates read with the day first, as 25/4/2017 shows" in run(*words)[1], words
