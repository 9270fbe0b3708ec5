"""Dates as people write them, read without guessing."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["parse_dates"]

# The day first as 2017-08-07 (also / . : between, or nothing), as 07.08.2017 or as 8/7/2017; then perhaps a time, whose
# zone is dropped: what matters to a field day is the clock on the boat.
_WRITTEN = (
    r"^(?:(?P<y>\d{4})(?P<sep>[-/.:]?)(?P<m>\d{2}|(?<=[-/.:])\d)(?P=sep)(?P<d>\d{2}|(?<=[-/.:])\d)"
    r"|(?P<a>\d{1,2})(?P<between>[-/.])(?P<b>\d{1,2})(?P=between)(?P<year>\d{4}))"
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?$"
)


def parse_dates(text: pd.Series) -> np.ndarray:
    """Parse a column of dates, with or without a time.

    Year-month-day is read however it is punctuated; day.month.year with dots, too. With slashes or dashes, which of two
    numbers is the month shows only where the other is above 12: the column then follows the order that such dates show,
    and where none does, or they disagree, a date that could be either is left unread rather than guessed.

    Parameters
    ----------
    text : Series of N strings
        Missing values stay missing.

    Returns
    -------
    ndarray of shape (N,), datetime64[s]
        NaT where there is none or it can't be read; a time of day left out is midnight; a time zone is dropped.

    Examples
    --------
    >>> parse_dates(pd.Series(["2017-08-07 20:38:36", "7.8.2017", "08/07/2017", "in August"]))
    array(['2017-08-07T20:38:36', '2017-08-07T00:00:00', 'NaT', 'NaT'],
          dtype='datetime64[s]')
    """
    row_of, distinct = pd.factorize(text)  # a column has few days; what order it follows, each tells once
    dates = np.append(_parse(pd.Series(distinct, dtype=text.dtype)), np.datetime64("NaT", "s"))
    return dates[row_of]  # -1, of what is missing, takes the last


def _parse(text: pd.Series) -> np.ndarray:
    """(N,) datetime64[s]: the dates of distinct texts."""
    found = text.astype("str").str.strip().where(text.notna()).str.extract(_WRITTEN)
    number = found.drop(columns=["sep", "between", "half"]).astype("float64")
    first, second = number["a"], number["b"]
    shuffled = first.notna() & (found["between"] != ".")
    day_is_first = bool((shuffled & (first > 12)).any())
    month_is_first = bool((shuffled & (second > 12)).any())
    told = day_is_first != month_is_first
    swap = shuffled & (month_is_first if told else second > 12)
    either = shuffled & (not told) & (first <= 12) & (second <= 12)
    hour = number["hour"]
    half = found["half"].str.lower()
    hour = hour.mask(half.notna(), hour % 12 + 12 * (half == "p"))
    parts = pd.DataFrame(
        {
            "year": number["y"].fillna(number["year"]),
            "month": number["m"].fillna(second.mask(swap, first)),
            "day": number["d"].fillna(first.mask(swap, second)),
            "hour": hour.fillna(0),
            "minute": number["minute"].fillna(0),
            "second": number["second"].fillna(0),
        }
    )
    no_such_time = (number["hour"] > 23) | (number["minute"] > 59) | (number["second"] > 59)
    parts[either | no_such_time] = np.nan
    return pd.to_datetime(parts, errors="coerce").to_numpy("datetime64[s]")
