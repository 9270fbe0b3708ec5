"""Open set: the queried animal may be new. How often it is right to say so, at one threshold."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from whalereid import html
from whalereid.arguments import instance
from whalereid.arrays import bools, floats, positions
from whalereid.calibration import ScoreCalibration, expected_calibration_error
from whalereid.errors import WhalereidError
from whalereid.evaluation.intervals import USUAL, Bootstrap
from whalereid.evaluation.outcome import OpenSetOutcome, Threshold, report_of
from whalereid.evaluation.report import Report

__all__ = ["OpenSetReport", "evaluate_open_set"]


@dataclass(frozen=True, eq=False, repr=False)
class OpenSetReport:
    """What a ranking is worth where animals may be new. Made by `evaluate_open_set`.

    Attributes
    ----------
    outcome : OpenSetOutcome
        Of the queries judged.
    threshold : Threshold
        Chosen on validation queries, or, where `honest` is false, on those judged.
    calibration : ScoreCalibration
        From a listed pair's score to the chance that it shows one animal, learnt on the same queries as the threshold.
    pairs : tuple of ndarray of shape (n,)
        Scores of the pairs listed for the queries judged, and whether each shows one animal; both animals are known.
    honest : bool
        Whether threshold and calibration were learnt on other queries than those judged.
    """

    outcome: OpenSetOutcome
    threshold: Threshold
    calibration: ScoreCalibration
    pairs: tuple[np.ndarray, np.ndarray]
    honest: bool

    def __post_init__(self) -> None:
        instance(self.outcome, "outcome", OpenSetOutcome, "an OpenSetOutcome")
        instance(self.threshold, "threshold", Threshold, "what OpenSetOutcome.threshold gives")
        instance(self.calibration, "calibration", ScoreCalibration, "a ScoreCalibration")
        if len(instance(self.pairs, "pairs", tuple, "scores and outcomes, as a tuple")) != 2:
            raise WhalereidError(f"pairs holds {len(self.pairs)} arrays; give scores and outcomes.")
        scores, same = floats(self.pairs[0], "pairs' scores"), bools(self.pairs[1], "pairs' outcomes")
        if len(scores) != len(same):
            raise WhalereidError(f"pairs: {len(scores)} scores but {len(same)} outcomes; give one for each.")
        instance(self.honest, "honest", bool, "True or False")

    @property
    def calibration_error(self) -> float:
        """Expected calibration error of the calibrated scores, over the pairs judged."""
        return expected_calibration_error(self.calibration.predict(self.pairs[0]), self.pairs[1])

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know, a sentence each."""
        if self.honest:
            return ()
        return (
            "the threshold and the calibration were chosen on the very queries they are judged on, which flatters; "
            "give a ranking of other animals with --validation",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return every number, as JSON can hold it.

        A threshold of null takes any score; without resamples its ``low`` and ``high`` are null.
        """
        found = self.outcome.summary(self.threshold.value) | {"calibration error": self.calibration_error}
        threshold = {name: value if np.isfinite(value) else None for name, value in asdict(self.threshold).items()}
        return found | {"threshold": threshold, "chosen on other queries": self.honest}

    def lines(self) -> list[tuple[str, str]]:
        """Name and value of each number, as text, in reading order."""
        t, found = self.threshold, self.outcome.summary(self.threshold.value)
        span = "–" if np.isnan(t.low) else f"{score_text(t.low)} to {score_text(t.high)}"
        shares = ["AUROC", "identification rate", "false-alarm rate", "BAKS", "BAUS"]
        return [
            ("queries of known animals", f"{found['known queries']:,}"),
            ("queries of new animals", f"{found['new queries']:,}"),
            (f"threshold for {t.false_accept_rate:g} false accepts", f"{score_text(t.value)} ({span})"),
            *((name, f"{found[name]:.4f}") for name in shares),
            ("calibration error", f"{self.calibration_error:.4f}"),
        ]

    def __repr__(self) -> str:
        return f"OpenSetReport({len(self.outcome)} queries, threshold {score_text(self.threshold.value)})"

    def _repr_html_(self) -> str:
        return html.section("OpenSetReport", html.table(["", "value"], self.lines()), *map(html.paragraph, self.notes))


def evaluate_open_set(
    report: Report,
    validation: Report | None = None,
    *,
    false_accept_rate: float = 0.05,
    bootstrap: Bootstrap = USUAL,
) -> OpenSetReport:
    """Judge whether new animals are called new, and known ones named.

    Parameters
    ----------
    report : Report
        Of the ranking to judge; queries of both known and new animals.
    validation : Report, optional
        Of a ranking of other animals, to choose the threshold and learn the calibration on. Without it both are chosen
        on the queries judged, and the report's notes say so.
    false_accept_rate : float, default=0.05
        The share of new animals' queries that may be accepted.
    bootstrap : Bootstrap, optional
        Of the threshold's interval; see `OpenSetOutcome.threshold`.

    Raises
    ------
    WhalereidError
        Either has no catalogue with identities, no query of a new animal, or none of a known one.
    """
    report_of(report, "report")
    chosen_on = report if validation is None else report_of(validation, "validation")
    threshold = OpenSetOutcome.from_report(chosen_on).threshold(false_accept_rate, bootstrap=bootstrap)
    return OpenSetReport(
        outcome=OpenSetOutcome.from_report(report),
        threshold=threshold,
        calibration=ScoreCalibration("isotonic").fit(*_listed_pairs(chosen_on)),
        pairs=_listed_pairs(report),
        honest=validation is not None,
    )


def score_text(score: float) -> str:
    """A threshold in words: -inf takes any score."""
    return "any score" if score == -np.inf else f"{score:.4f}"


def _listed_pairs(report: Report) -> tuple[np.ndarray, np.ndarray]:
    """Scores of every listed pair of known animals, and whether it shows one; of others there is no known answer."""
    catalogue, images = report.catalogue, report.query_images
    assert catalogue is not None  # an outcome has been made of it
    assert images is not None
    known = np.append(catalogue.known("identity"), False)  # the last is where -1, no photo of the catalogue, points
    known_query = known[positions(images, catalogue.image_ids)]
    known_photo = np.append(known[positions(report.ranking.database_ids, catalogue.image_ids)], False)
    listed = known_photo[report.ranking.codes] & known_query[: len(report.ranking), None]
    rows, ranks = np.nonzero(listed)  # queries that aren't ranked stand after these
    return report.hits.scores[rows, ranks], report.hits.hit[rows, ranks]
