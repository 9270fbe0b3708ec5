"""Every public function and method of the room, with each argument of a wrong kind: an answer, or a refusal by name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import whalereid.evaluation as evaluation
import whalereid.reporting as reporting
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.ranking import Ranking, Task

WRONG: list[Any] = [
    None,
    True,
    -1,
    0,
    3,
    2.5,
    float("nan"),
    float("inf"),
    10**400,
    "x",
    "",
    b"x",
    [],
    [None],
    ["x"],
    [[1], [1, 2]],
    [object()],
    {},
    {"x": 3},
    {1, 2},
    (),
    object(),
    len,
    np.array(3.0),
    np.zeros((2, 0)),
    np.zeros((2, 2, 2)),
    np.array(["a", "b"]),
    np.array([1j, 2j]),
    pd.DataFrame(),
    pd.DataFrame({"a": ["x", None]}),
    pd.Series(["x", None]),
    pd.Timestamp("2020-01-01"),
    Path("nowhere"),
]

PHOTOS = Catalogue(
    pd.DataFrame(
        {
            "image_id": list("abcdef"),
            "path": "x",
            "identity": ["ann", "ann", "bob", "bob", "cid", None],
            "viewpoint": ["left", "left", "right", "right", None, None],
        }
    )
)
PROTOCOL = evaluation.Protocol.from_catalogue(PHOTOS)
LISTS = [[other for other in "abcdef" if other != one] for one in "abcdef"]
RANKING = Ranking(LISTS, [[0.9, 0.8, 0.7, 0.6, 0.5]] * 6, list("abcdef"))
RESAMPLED = evaluation.Bootstrap(resamples=5, confidence=0.9, method="bca", seed=1)
REPORT = evaluation.evaluate(PROTOCOL, RANKING, k=3, bootstrap=RESAMPLED)
HITS, LABELS = REPORT.hits, PROTOCOL.labels
OUTCOME = evaluation.OpenSetOutcome([0.9, 0.8, 0.3], [True, False, False], [True, False, False])
FITTED = evaluation.ScoreCalibration("logistic").fit([0.1, 0.4, 0.6], [0, 1, 1])
OPEN = evaluation.evaluate_open_set(REPORT, bootstrap=RESAMPLED)
INTERVAL = evaluation.bootstrap([0.1, 0.9], bootstrap=RESAMPLED)
TASK = Task("t", ["a"], ["a"], list("bcdef"))
TABLE = RANKING.to_frame()
SCORED = {"hit": HITS.hit, "relevant": HITS.relevant}
AXES = Figure((1, 1)).subplots()
PICTURE = np.zeros((8, 8, 3), np.uint8)

# What each takes, right; then each argument in turn is wrong. A new public name without an entry fails the test below.
CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "evaluation.Bootstrap": (evaluation.Bootstrap, {"resamples": 5, "confidence": 0.9, "method": "bca", "seed": 1}),
    "evaluation.Bootstrap.of": (evaluation.Bootstrap.of, {"bootstrap": RESAMPLED}),
    "evaluation.Metric": (evaluation.Metric, {"name": "mAP", "k": 3, "options": {"denominator": "min"}}),
    "evaluation.Metric.parse": (evaluation.Metric.parse, {"metric": "mAP@3"}),
    "evaluation.Metric.values": (evaluation.Metric("top", 1).values, {"hits": HITS}),
    "evaluation.usual_metrics": (evaluation.usual_metrics, {"k": 3, "denominator": "min"}),
    "evaluation.Difference": (evaluation.Difference, {"interval": INTERVAL, "probability": 0.5}),
    "evaluation.Hits": (
        evaluation.Hits,
        {"query_ids": HITS.query_ids, "hit": HITS.hit, "scores": HITS.scores, "relevant": HITS.relevant},
    ),
    "evaluation.Hits.of": (evaluation.Hits.of, {"ranking": RANKING, "labels": LABELS, "known": ["a"]}),
    "evaluation.Hits.narrowed": (
        HITS.narrowed,
        {"rows": np.array([0]), "kept": HITS.hit[:1], "relevant": np.array([1])},
    ),
    "evaluation.Interval": (
        evaluation.Interval,
        {"estimate": 0.5, "low": 0.4, "high": 0.6, "confidence": 0.9, "identities": 3},
    ),
    "evaluation.Labels": (evaluation.Labels, {"query_ids": ["a"], "image_ids": ["b"]}),
    "evaluation.Labels.of": (evaluation.Labels.of, {"labels": [{"b"}], "query_ids": ["a"], "name": "labels"}),
    "evaluation.Labels.from_codes": (
        evaluation.Labels.from_codes,
        {"query_ids": ["a"], "image_ids": ["b"], "query": np.array([0]), "image": np.array([0])},
    ),
    "evaluation.Labels.from_frame": (evaluation.Labels.from_frame, {"frame": LABELS.to_frame(), "where": "table"}),
    "evaluation.Labels.read": (evaluation.Labels.read, {"path": "FOLDER/labels.csv"}),
    "evaluation.Labels.implied": (evaluation.Labels.implied, {"catalogue": PHOTOS, "tasks": [TASK]}),
    "evaluation.Labels.hits": (LABELS.hits, {"ranking": RANKING}),
    "evaluation.Labels.tally": (LABELS.tally, {"group": lambda ids: np.zeros(len(ids), np.int64)}),
    "evaluation.Labels.to_frame": (LABELS.to_frame, {}),
    "evaluation.OpenSetOutcome": (
        evaluation.OpenSetOutcome,
        {"scores": [0.5], "known": [True], "correct": [True], "identities": ["ann"]},
    ),
    "evaluation.OpenSetOutcome.from_report": (evaluation.OpenSetOutcome.from_report, {"report": REPORT}),
    "evaluation.OpenSetOutcome.false_alarm_rate": (OUTCOME.false_alarm_rate, {"threshold": 0.5}),
    "evaluation.OpenSetOutcome.identification_rate": (OUTCOME.identification_rate, {"threshold": 0.5}),
    "evaluation.OpenSetOutcome.curve": (OUTCOME.curve, {}),
    "evaluation.OpenSetOutcome.auroc": (OUTCOME.auroc, {}),
    "evaluation.OpenSetOutcome.baks": (OUTCOME.baks, {"threshold": 0.5}),
    "evaluation.OpenSetOutcome.baus": (OUTCOME.baus, {"threshold": 0.5}),
    "evaluation.OpenSetOutcome.summary": (OUTCOME.summary, {"threshold": 0.5}),
    "evaluation.OpenSetOutcome.threshold": (
        OUTCOME.threshold,
        {"false_accept_rate": 0.1, "bootstrap": RESAMPLED},
    ),
    "evaluation.OpenSetReport": (
        evaluation.OpenSetReport,
        {
            "outcome": OUTCOME,
            "threshold": OPEN.threshold,
            "calibration": FITTED,
            "pairs": OPEN.pairs,
            "honest": True,
        },
    ),
    "evaluation.OpenSetReport.to_dict": (OPEN.to_dict, {}),
    "evaluation.OpenSetReport.lines": (OPEN.lines, {}),
    "evaluation.Protocol": (evaluation.Protocol, {"tasks": [TASK], "catalogue": PHOTOS, "labels": {"a": {"b"}}}),
    "evaluation.Protocol.from_catalogue": (
        evaluation.Protocol.from_catalogue,
        {"catalogue": PHOTOS, "exclude": [], "match": ["viewpoint"], "rules": []},
    ),
    "evaluation.Protocol.from_split": (
        evaluation.Protocol.from_split,
        {
            "catalogue": PHOTOS,
            "split": ([4, 5], [0, 1, 2, 3]),
            "database": "test",
            "fold": 0,
            "exclude": [],
            "match": [],
            "rules": ["same:column=identity"],
        },
    ),
    "evaluation.Protocol.read": (evaluation.Protocol.read, {"folder": "FOLDER/protocol", "catalogue": PHOTOS}),
    "evaluation.Protocol.write": (PROTOCOL.write, {"folder": "FOLDER/other"}),
    "evaluation.Protocol.admitted": (PROTOCOL.admitted, {"ranking": RANKING}),
    "evaluation.Protocol.completed": (PROTOCOL.completed, {"ranking": RANKING}),
    "evaluation.Report": (evaluation.Report, {name: getattr(REPORT, name) for name in REPORT.__dataclass_fields__}),
    "evaluation.Report.__getitem__": (REPORT.__getitem__, {"metric": "mAP@3"}),
    "evaluation.Report.by": (REPORT.by, {"what": "viewpoint"}),
    "evaluation.Report.compare": (REPORT.compare, {"other": REPORT}),
    "evaluation.Report.query_column": (REPORT.query_column, {"name": "identity"}),
    "evaluation.Report.to_dict": (REPORT.to_dict, {"by": ["viewpoint"]}),
    "evaluation.Report.to_markdown": (REPORT.to_markdown, {"by": ["viewpoint"]}),
    "evaluation.ScoreCalibration": (evaluation.ScoreCalibration, {"method": "logistic"}),
    "evaluation.ScoreCalibration.fit": (
        evaluation.ScoreCalibration().fit,
        {"scores": [0.1, 0.9], "same": [False, True]},
    ),
    "evaluation.ScoreCalibration.predict": (FITTED.predict, {"scores": [0.5]}),
    "evaluation.ScoreCalibration.write": (FITTED.write, {"path": "FOLDER/written.json", "force": False}),
    "evaluation.ScoreCalibration.read": (evaluation.ScoreCalibration.read, {"path": "FOLDER/calibration.json"}),
    "evaluation.Threshold": (
        evaluation.Threshold,
        {"value": 0.5, "false_accept_rate": 0.1, "low": 0.4, "high": 0.6, "measured": 0.1},
    ),
    "evaluation.average_precision": (
        evaluation.average_precision,
        {**SCORED, "scores": HITS.scores, "k": 2, "denominator": "min"},
    ),
    "evaluation.bootstrap": (
        evaluation.bootstrap,
        {"values": [0.1, 0.9], "clusters": ["a", "b"], "bootstrap": RESAMPLED},
    ),
    "evaluation.bootstrap_means": (
        evaluation.bootstrap_means,
        {"values": np.eye(2), "clusters": ["a", "b"], "bootstrap": RESAMPLED},
    ),
    "evaluation.bootstrap_statistic": (
        evaluation.bootstrap_statistic,
        {"statistic": lambda weights: weights.sum(axis=1), "clusters": ["a", "b"], "bootstrap": RESAMPLED},
    ),
    "evaluation.check_submission": (
        evaluation.check_submission,
        {"submission": TABLE, "k": 20, "lowest": 0.0, "highest": 1.0, "where": "table"},
    ),
    "evaluation.cmc": (evaluation.cmc, {**SCORED, "k": 2}),
    "evaluation.compare": (
        evaluation.compare,
        {"first": [0.1, 0.9], "second": [0.2, 0.3], "clusters": ["a", "b"], "bootstrap": RESAMPLED},
    ),
    "evaluation.evaluate": (
        evaluation.evaluate,
        {
            "task": LABELS.to_frame(),
            "method": RANKING,
            "k": 3,
            "metrics": ["mAP@3", "top-1", "mINP"],
            "catalogue": PHOTOS,
            "trained_on": ["ann"],
            "bootstrap": RESAMPLED,
        },
    ),
    "evaluation.evaluate_open_set": (
        evaluation.evaluate_open_set,
        {
            "report": REPORT,
            "validation": REPORT,
            "false_accept_rate": 0.1,
            "bootstrap": RESAMPLED,
        },
    ),
    "evaluation.expected_calibration_error": (
        evaluation.expected_calibration_error,
        {"probabilities": [0.1, 0.9], "same": [False, True], "bins": 5},
    ),
    "evaluation.inverse_negative_penalty": (evaluation.inverse_negative_penalty, SCORED),
    "evaluation.mean_average_precision": (
        evaluation.mean_average_precision,
        {"ranking": RANKING, "labels": LABELS, "k": 2, "denominator": "min"},
    ),
    "evaluation.precision_at": (evaluation.precision_at, {**SCORED, "k": 2}),
    "evaluation.query_photos": (evaluation.query_photos, {"query_ids": ["a"], "catalogue": PHOTOS}),
    "evaluation.r_precision": (evaluation.r_precision, SCORED),
    "evaluation.recall_at": (evaluation.recall_at, {**SCORED, "k": 2}),
    "evaluation.reliability": (
        evaluation.reliability,
        {"probabilities": [0.1, 0.9], "same": [False, True], "bins": 5},
    ),
    "evaluation.top_k": (evaluation.top_k, {**SCORED, "k": 2}),
    "reporting.CMCDisplay": (
        reporting.CMCDisplay,
        {"share": [0.5, 1.0], "low": [0.4, 0.9], "high": [0.6, 1.0], "name": "ours"},
    ),
    "reporting.CMCDisplay.from_report": (reporting.CMCDisplay.from_report, {"report": REPORT, "name": "ours"}),
    "reporting.CMCDisplay.plot": (reporting.CMCDisplay([0.5]).plot, {"ax": AXES}),
    "reporting.MetricByGroupDisplay": (
        reporting.MetricByGroupDisplay,
        {
            "groups": ["left"],
            "value": [0.5],
            "queries": [3],
            "low": [0.4],
            "high": [0.6],
            "metric": "mAP",
            "by": "side",
        },
    ),
    "reporting.MetricByGroupDisplay.from_report": (
        reporting.MetricByGroupDisplay.from_report,
        {"report": REPORT, "by": "viewpoint", "metric": "mAP@3"},
    ),
    "reporting.MetricByGroupDisplay.plot": (
        reporting.MetricByGroupDisplay(["left"], [0.5], [3]).plot,
        {"ax": AXES},
    ),
    "reporting.OpenSetDisplay": (
        reporting.OpenSetDisplay,
        {
            "false_alarm_rate": [0.1],
            "identification_rate": [0.9],
            "threshold": 0.5,
            "point": (0.1, 0.9),
            "auroc": 0.9,
        },
    ),
    "reporting.OpenSetDisplay.from_report": (reporting.OpenSetDisplay.from_report, {"report": OPEN}),
    "reporting.OpenSetDisplay.plot": (reporting.OpenSetDisplay([0.1], [0.9]).plot, {"ax": AXES}),
    "reporting.ReliabilityDisplay": (
        reporting.ReliabilityDisplay,
        {"predicted": [0.1], "observed": [0.2], "error": 0.1},
    ),
    "reporting.ReliabilityDisplay.from_predictions": (
        reporting.ReliabilityDisplay.from_predictions,
        {"probabilities": [0.1, 0.9], "same": [False, True], "bins": 5},
    ),
    "reporting.ReliabilityDisplay.from_report": (reporting.ReliabilityDisplay.from_report, {"report": OPEN}),
    "reporting.ReliabilityDisplay.plot": (reporting.ReliabilityDisplay([0.1], [0.2]).plot, {"ax": AXES}),
    "reporting.draw_open_set": (reporting.draw_open_set, {"report": OPEN}),
    "reporting.draw_report": (reporting.draw_report, {"report": REPORT, "by": "viewpoint"}),
    "reporting.write_figure": (
        reporting.write_figure,
        {"figure": Figure((1, 1)), "path": "FOLDER/figure.png", "force": False},
    ),
    "reporting.contact_sheet": (
        reporting.contact_sheet,
        {"photos": [PICTURE], "captions": ["a"], "groups": ["g"], "columns": 2, "cell": (20, 20)},
    ),
    "reporting.Matches": (reporting.Matches, {"queries": 5, "k": 2, "photos": 3}),
    "reporting.write_matches": (
        reporting.write_matches,
        {
            "ranking": RANKING,
            "photos": PHOTOS,
            "out": "FOLDER/report",
            "tasks": list(PROTOCOL.tasks),
            "shown": reporting.Matches(),
            "title": "Who",
            "progress": False,
        },
    ),
    "reporting.write_image": (reporting.write_image, {"path": "FOLDER/picture.png", "rgb": PICTURE, "force": False}),
}

# What `evaluate` alone fills in.
UNCHECKED = {("evaluation.Report", "remarks")}


def public() -> set[str]:
    """Names of every public function, class and method."""
    found = set()
    for room in (evaluation, reporting):
        for name in room.__all__:
            thing, name = getattr(room, name), f"{room.__name__.removeprefix('whalereid.')}.{name}"
            found.add(name)
            if inspect.isclass(thing):
                found |= {
                    f"{name}.{method}"
                    for method, held in vars(thing).items()
                    if not method.startswith("_")
                    and callable(getattr(thing, method))
                    and not isinstance(held, property)
                }
    return found


def test_every_public_name_is_tried() -> None:
    assert public() - set(CALLS) == set()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # "x" and "nowhere" as paths stay in here
    LABELS.to_frame().to_csv(tmp_path / "labels.csv", index=False)
    PROTOCOL.write(tmp_path / "protocol")
    FITTED.write(tmp_path / "calibration.json")
    return tmp_path


@pytest.mark.parametrize("name", sorted(CALLS))
def test_wrong_arguments_are_refused_by_name(name: str, folder: Path) -> None:
    call, right = CALLS[name]
    right = {k: v.replace("FOLDER", str(folder)) if isinstance(v, str) else v for k, v in right.items()}
    call(**right)
    given = inspect.signature(call).parameters
    asked = {k for k, p in given.items() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
    assert asked == set(right), "the table of calls leaves an argument out"
    for argument in right:
        for wrong in WRONG:
            refusal = None
            try:
                call(**right | {argument: wrong})
            except WhalereidError as error:
                refusal = str(error)
            except Exception as error:
                raise AssertionError(f"{name}({argument}={wrong!r}) raised {error!r}") from error
            assert refusal is None or refusal.isprintable()
            if type(wrong) is object and (name, argument) not in UNCHECKED:  # never right
                assert re.search(rf"\b{argument.rstrip('s')}", str(refusal)), f"{argument}: {refusal}"


def test_nothing_at_all_is_refused_by_name() -> None:
    for call, words in (
        (lambda: evaluation.evaluate(None, None), "method is a NoneType|method"),
        (lambda: evaluation.mean_average_precision("x", 3), "x: "),
        (lambda: evaluation.Protocol(None), "tasks is None"),
        (lambda: evaluation.Protocol.from_catalogue("x"), "catalogue is 'x'"),
        (lambda: evaluation.Protocol.from_split(PHOTOS, "x"), "split is 'x'"),
        (lambda: evaluation.evaluate_open_set("x"), "report is 'x'"),
        (lambda: evaluation.ScoreCalibration().fit("a", "b"), "scores is a str"),
        (lambda: evaluation.cmc(HITS.hit, HITS.relevant, k="a"), "k is 'a'"),
        (lambda: reporting.contact_sheet(3), "photos is 3"),
    ):
        with pytest.raises(WhalereidError, match=words):
            call()  # type: ignore[no-untyped-call]
