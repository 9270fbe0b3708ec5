"""Labels, queries and rankings that don't fit their photos: refused, where a score of 0 would be a lie."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.case import Case
from hostile.tables import _put
from hostile.world import ANIMALS, EVALUATE

SCORE = "evaluate ranking.csv --labels bad.csv --resamples 0"
HEAD = "query_id,database_image_id\n"
WRITTEN_OTHERWISE: dict[str, Callable[[str], str]] = {
    "with .jpg": lambda i: f"{i}.jpg",
    "with .png": lambda i: f"{i}.PNG",
    "in capitals": str.upper,
    "with a zero before": lambda i: f"0{i}",
    "without the letter": lambda i: i[1:],
    "with a folder": lambda i: f"images/{i}",
    "as floats": lambda i: f"{i[1:]}.0",
}
BROKEN: dict[str, str] = {
    "empty": "",
    "only a header": HEAD,
    "no such column": "query,photo\np00,p01\n",
    "a pair twice": HEAD + "p00,p01\np00,p01\n",
    "an empty query": HEAD + ",p01\n",
    "an empty photo": HEAD + "p00,\n",
    "a column twice": "query_id,database_image_id,query_id\np00,p01,p00\n",
    "of other photos": HEAD + "x1,y1\nx2,y2\n",
    "the query as its own match": HEAD + "p00,p00\n",
    "one cell": "x",
    "a row too long": HEAD + "p00,p01,p02\n",
}
RANKINGS: dict[str, str] = {
    "empty": "",
    "only a header": "query_id,database_image_id,score\n",
    "a score of text": "query_id,database_image_id,score\np00,p01,high\n",
    "a score of nan": "query_id,database_image_id,score\np00,p01,nan\n",
    "an infinite score": "query_id,database_image_id,score\np00,p01,inf\n",
    "an imaginary score": "query_id,database_image_id,score\np00,p01,1+2j\n",
    "a date as score": "query_id,database_image_id,score\np00,p01,2020-01-01\n",
    "True as score": "query_id,database_image_id,score\np00,p01,True\n",
    "an empty score": "query_id,database_image_id,score\np00,p01,\n",
    "a pair twice": "query_id,database_image_id,score\np00,p01,0.5\np00,p01,0.4\n",
    "an empty id": "query_id,database_image_id,score\np00,,0.5\n",
    "no score": "query_id,database_image_id\np00,p01\n",
    "a column twice": "query_id,database_image_id,score,score\np00,p01,0.5,0.4\n",
    "other queries": "query_id,database_image_id,score\nz1,p01,0.5\n",
    "photos of another table": "query_id,database_image_id,score\np00,z9,0.5\n",
    "queries written with .jpg": "query_id,database_image_id,score\np00.jpg,p01,0.5\np10.jpg,p11,0.5\n",
}
QUERIES: dict[str, str] = {
    "empty": "",
    "only a header": "image_id\n",
    "no such photo": "image_id\nz9\n",
    "a photo twice": "image_id\np00\np00\n",
    "an empty id": "image_id,x\n,1\n",
    "a column twice": "image_id,image_id\np00,p10\n",
    "no known column": "photo\np00\n",
    "ids with .jpg": "image_id\np00.jpg\n",
}


def cases(chosen: random.Random) -> Iterator[Case]:
    for name, change in WRITTEN_OTHERWISE.items():
        for side in ("queries", "photos", "both"):
            yield Case(
                f"labels whose {side} are written {name}",
                SCORE.split(),
                prepare=_put("bad.csv", _labels(change, side)),
                says="p00|p01|01.0",
            )
    few = _labels(str, "both").replace("p00,p01", "p00.jpg,p01")
    yield Case("labels with one query written otherwise", SCORE.split(), prepare=_put("bad.csv", few), says="p00")
    spaced = _labels(lambda i: f"{i} ", "both")
    yield Case(
        "labels with spaces after the ids", SCORE.split(), prepare=_put("bad.csv", spaced), wanted="either", check=None
    )
    yield Case("7 for 007 in labels", SCORE.replace("ranking", "zeros").split(), prepare=_zeros, says="007")
    for name, text in BROKEN.items():
        wanted = "either" if name in ("a pair twice", "the query as its own match") else "refused"
        yield Case(f"labels: {name}", SCORE.split(), prepare=_put("bad.csv", text), wanted=wanted)
    for name, text in RANKINGS.items():
        line = "evaluate bad.csv --catalogue data/photos.csv --resamples 0"
        yield Case(f"evaluate a ranking: {name}", line.split(), prepare=_put("bad.csv", text))
        if name not in ("photos of another table",):
            line = "evaluate bad.csv --labels labels.csv --resamples 0"
            wanted = "either" if name == "other queries" else "refused"
            yield Case(
                f"evaluate a ranking by labels: {name}", line.split(), prepare=_put("bad.csv", text), wanted=wanted
            )
    for name, text in QUERIES.items():
        for option in ("queries", "database"):
            line = f"rank --embeddings emb.parquet --catalogue data/photos.csv --{option} bad.csv --out new.csv"
            yield Case(f"rank --{option}: {name}", line.split(), prepare=_put("bad.csv", text))
        line = "rank --embeddings emb.parquet --catalogue data/photos.csv --queries bad.txt --out new.csv"
        if name in ("empty", "no such photo", "a photo twice"):
            yield Case(
                f"rank --queries in a .txt: {name}",
                line.split(),
                prepare=_put("bad.txt", text.replace("image_id\n", "")),
            )
    yield Case(
        "evaluate two rankings of other queries",
        ["evaluate", "ranking.csv", "other.csv", "--labels", "labels.csv"],
        prepare=_put("other.csv", RANKINGS["other queries"]),
    )
    yield Case("evaluate --min-queries beyond all", [*EVALUATE.split(), "--min-queries", "1000"])
    yield Case(
        "evaluate a ranking by labels of a column of numbers",
        ["evaluate", "n.csv", "--labels", "nl.csv", "--resamples", "0"],
        prepare=_numbers,
        wanted="done",
    )
    yield from _python()


def _labels(change: Callable[[str], str], side: str) -> str:
    rows = [HEAD]
    for animal in range(ANIMALS):
        for photo in range(1, 4):
            query, found = f"p{animal}0", f"p{animal}{photo}"
            rows.append(
                f"{change(query) if side != 'photos' else query},{change(found) if side != 'queries' else found}\n"
            )
    return "".join(rows)


def _zeros(folder: Path) -> None:
    (folder / "zeros.csv").write_text("query_id,database_image_id,score\n007,008,0.5\n009,010,0.5\n")
    (folder / "bad.csv").write_text(HEAD + "7,8\n9,10\n")


def _numbers(folder: Path) -> None:
    (folder / "n.csv").write_text("query_id,database_image_id,score\n7,8,0.5\n9,10,0.5\n")
    (folder / "nl.csv").write_text(HEAD + "7,8\n9,10\n")


def _python() -> Iterator[Case]:
    def of(what: Callable[[Any, Any], Any]) -> Callable[[Path], Any]:
        def call(folder: Path) -> Any:
            import whalereid
            from whalereid import Ranking

            return what(whalereid, Ranking([["a", "b"], ["a"]], [[0.9, 0.8], [0.5]], ["q", "r"]))

        return call

    wrong: dict[str, Callable[[Any, Any], Any]] = {
        "labels of None": lambda w, r: w.mean_average_precision(r, [{"a"}, {None}]),
        "labels of numbers": lambda w, r: w.mean_average_precision(r, [{1}, {2}]),
        "labels of one text": lambda w, r: w.mean_average_precision(r, "ab"),
        "too few labels": lambda w, r: w.mean_average_precision(r, [{"a"}]),
        "no relevant photo at all": lambda w, r: w.mean_average_precision(r, [set(), set()]),
        "k=0": lambda w, r: w.mean_average_precision(r, [{"a"}, {"a"}], k=0),
        "k=True": lambda w, r: w.mean_average_precision(r, [{"a"}, {"a"}], k=True),
        "k=2.5": lambda w, r: w.mean_average_precision(r, [{"a"}, {"a"}], k=2.5),
        "scores of nan": lambda w, r: w.Ranking([["a"]], [[float("nan")]]),
        "imaginary scores": lambda w, r: w.Ranking([["a"]], [[1j]]),
        "scores of text": lambda w, r: w.Ranking([["a"]], [["0.5"]]),
        "scores of dates": lambda w, r: w.Ranking([["a"]], [[__import__("datetime").date(2020, 1, 1)]]),
        "an id of None": lambda w, r: w.Ranking([[None]], [[0.5]]),
        "an id of nan": lambda w, r: w.Ranking([[float("nan")]], [[0.5]]),
        "a query id of None": lambda w, r: w.Ranking([["a"]], [[0.5]], [None]),
        "a query id twice": lambda w, r: w.Ranking([["a"], ["b"]], [[0.5], [0.5]], ["q", "q"]),
        "a photo twice in a list": lambda w, r: w.Ranking([["a", "a"]], [[0.5, 0.4]]),
        "scores of another shape": lambda w, r: w.Ranking([["a", "b"]], [[0.5]]),
        "a calibration on nan": lambda w, r: w.ScoreCalibration().fit([0.1, float("nan")], [0, 1]),
        "a calibration on imaginary scores": lambda w, r: w.ScoreCalibration().fit([0.1, 1j], [0, 1]),
        "a calibration of one class": lambda w, r: w.ScoreCalibration().fit([0.1, 0.2], [1, 1]),
        "a calibration not fitted": lambda w, r: w.ScoreCalibration().predict([0.1]),
        "an outcome of nan": lambda w, r: w.OpenSetOutcome([float("nan"), 0.5], [True, False], [True, False]),
        "an outcome of imaginary scores": lambda w, r: w.OpenSetOutcome([1j, 0.5], [True, False], [True, False]),
        "an outcome of other lengths": lambda w, r: w.OpenSetOutcome([0.5], [True, False], [True, False]),
    }
    for name, what in wrong.items():
        yield Case(f"Python: {name}", call=of(what))
