"""What a competition asks of a submission beyond being a ranking."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd

from whalereid import arguments
from whalereid.arrays import path_of
from whalereid.errors import WhalereidError
from whalereid.evaluation.checks import cut_off
from whalereid.ranking import Ranking
from whalereid.tables import read_table
from whalereid.text import id_column

__all__ = ["check_submission"]


def check_submission(
    submission: pd.DataFrame | str | os.PathLike[str],
    *,
    k: int = 20,
    lowest: float = 0.0,
    highest: float = 1.0,
    where: str | None = None,
) -> Ranking:
    """Read a ranking as strictly as the beluga competition does.

    Parameters
    ----------
    submission : DataFrame or path
        A table, or a CSV or Parquet file, of ``query_id``, ``database_image_id`` and ``score``.
    k : int, default=20
        Most rows a query may have.
    lowest, highest : float, default=0 and 1
        Where scores must lie, ends included.
    where : str, optional
        What errors call the table; by default the file's name.

    Returns
    -------
    Ranking

    Raises
    ------
    WhalereidError
        A column is missing, an id is empty, a score is NaN, infinite or out of bounds, a query lists a photo twice or
        has more than `k` rows. Names file and row, rows counted from 1.

    References
    ----------
    .. [1] https://github.com/drivendataorg/boem-belugas-runtime
    """
    cut_off(k)
    lowest, highest = arguments.number(lowest, "lowest", -math.inf), arguments.number(highest, "highest", -math.inf)
    if where is not None:
        arguments.instance(where, "where", str, "what errors should call the table")
    if isinstance(submission, pd.DataFrame):
        frame, where = submission, where or "submission"
    else:
        path = path_of(submission, "submission", "a table of query_id, database_image_id and score, or a path to one")
        frame, where = read_table(Path(path)), where or str(path)
    ranking = Ranking.from_frame(frame, where=where)
    scores = pd.to_numeric(frame["score"]).to_numpy(np.float64)
    outside = np.flatnonzero((scores < lowest) | (scores > highest))
    if len(outside):
        row = int(outside[0])
        raise WhalereidError(
            f"{where}, row {row + 1}: score {scores[row]:g} lies outside [{lowest:g}, {highest:g}] "
            f"({len(outside)} such rows)."
        )
    rank = frame.groupby(id_column(frame["query_id"], where=where), sort=False).cumcount().to_numpy()
    beyond = np.flatnonzero(rank >= k)
    if len(beyond):
        row = int(beyond[0])
        query = frame["query_id"].iloc[row]
        raise WhalereidError(f"{where}, row {row + 1}: row {int(rank[row]) + 1} of query {query!r}; {k} are allowed.")
    return ranking
