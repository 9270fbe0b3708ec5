from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whalereid.errors import WhalereidError
from whalereid.evaluation import check_submission


def table(rows: int = 20) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "query_id": ["q"] * rows + ["r"] * 3,
            "database_image_id": [f"d{i}" for i in range(rows)] + ["d0", "d1", "d2"],
            "score": [*np.linspace(1, 0.5, rows), 0.0, 0.25, 1.0],
        }
    )


def test_what_keeps_the_rules_is_a_ranking(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "submission.csv", index=False)
    for form in (table(), tmp_path / "submission.csv"):
        ranking = check_submission(form)
        assert ranking.lengths.tolist() == [20, 3]
        assert ranking.ids[1].tolist() == ["d2", "d1", "d0"]


@pytest.mark.parametrize(
    ("row", "column", "value", "message"),
    [
        (4, "score", "1.01", r"submission.csv, row 5: score 1.01 lies outside \[0, 1\] \(1 such rows\)"),
        (4, "score", "-0.001", r"row 5: score -0.001 lies outside"),
        (4, "score", "nan", "row 5: score .* isn't a finite number"),
        (4, "score", "inf", "row 5: score 'inf' isn't a finite number"),
        (4, "score", "high", "row 5: score 'high' isn't a finite number"),
        (7, "database_image_id", "d2", "row 8: query 'q' lists 'd2' twice"),
        (21, "query_id", "q", "row 22: query 'q' lists 'd1' twice"),
        (6, "query_id", None, "row 7: query_id is empty"),
    ],
)
def test_what_breaks_them_is_named(tmp_path: Path, row: int, column: str, value: str, message: str) -> None:
    frame = table().astype(object)
    frame.loc[row, column] = value
    frame.to_csv(tmp_path / "submission.csv", index=False)
    with pytest.raises(WhalereidError, match=message):
        check_submission(tmp_path / "submission.csv")


def test_a_row_too_many() -> None:
    with pytest.raises(WhalereidError, match="mine, row 21: row 21 of query 'q'; 20 are allowed"):
        check_submission(table(21), where="mine")
    assert check_submission(table(21), k=21).k == 21
    assert check_submission(table().assign(score=lambda t: -t["score"]), lowest=-1).k == 20
    with pytest.raises(WhalereidError, match="submission: no column score"):
        check_submission(table().drop(columns="score"))
