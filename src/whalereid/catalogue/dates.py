"""Dates as people write them, read without guessing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from whalereid.catalogue.columns import KNOWN

__all__ = ["DATES", "DateColumn", "DateOrder", "date_columns", "either_way", "notes_on_dates", "parse_dates"]

DATES = ("timestamp", "date")
"""The columns of a photo's date; where the first says nothing, the second is asked."""

# The day first as 2017-08-07 (also / . : between, or nothing), as 07.08.2017 or as 8/7/2017; then perhaps a time, whose
# zone is dropped: what matters to a field day is the clock on the boat.
_WRITTEN = (
    r"^(?:(?P<y>\d{4})(?P<sep>[-/.:]?)(?P<m>\d{2}|(?<=[-/.:])\d)(?P=sep)(?P<d>\d{2}|(?<=[-/.:])\d)"
    r"|(?P<a>\d{1,2})(?P<between>[-/.])(?P<b>\d{1,2})(?P=between)(?P<year>\d{4}))"
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?$"
)
# A date of which the order must be told by others.
_EITHER_WAY = r"^\s*\d{1,2}[-/]\d{1,2}[-/]\d{4}(?:\D|$)"
_A_DAY, _A_MONTH = r"(?:1[3-9]|2\d|3[01])", r"(?:0?[1-9]|1[0-2])"  # a day that can be no month
_DAY_FIRST, _MONTH_FIRST = rf"^\s*{_A_DAY}[-/]{_A_MONTH}[-/]", rf"^\s*{_A_MONTH}[-/]{_A_DAY}[-/]"


@dataclass(frozen=True)
class DateOrder:
    """Which of two numbers is the month, in a column's dates such as 3/4/2017.

    Attributes
    ----------
    rows : int
        How many dates are written so.
    day_first, month_first : str or None
        A date that can only be read in this order, such as ``25/4/2017``.

    Examples
    --------
    >>> DateOrder.of(pd.Series(["2017-08-07", "3/4/2017", "25/4/2017"]))
    DateOrder(rows=2, day_first='25/4/2017', month_first=None)
    """

    rows: int
    day_first: str | None = None
    month_first: str | None = None

    @classmethod
    def of(cls, text: pd.Series) -> DateOrder:
        """Look at a whole column: N strings, missing values among them."""
        dates = text.astype("str")
        either = either_way(dates)
        if not either.any():
            return cls(0)
        dates = dates[either]
        day, month = (
            dates[dates.str.contains(shape, regex=True).to_numpy(bool)] for shape in (_DAY_FIRST, _MONTH_FIRST)
        )
        return cls(len(dates), *(str(found.iloc[0]).strip() if len(found) else None for found in (day, month)))

    @property
    def disagrees(self) -> bool:
        """Whether some dates can only be read in the one order, some only in the other."""
        return self.day_first is not None and self.month_first is not None

    @property
    def told(self) -> bool:
        """Whether the order is known."""
        return (self.day_first is None) != (self.month_first is None)

    def note(self, column: str) -> str | None:
        """Say in a sentence what such dates were taken for; None where no date is written so."""
        many = f"{self.rows:,} {'date' if self.rows == 1 else 'dates'}"
        if not self.rows:
            return None
        if self.disagrees:
            return (
                f"column {column}: {many} left unread, since {self.day_first} has the day first and {self.month_first} "
                "the month; write YYYY-MM-DD"
            )
        if not self.told:
            return (
                f"column {column}: {many} left unread, since none shows which number is the month, as 25/4/2017 would; "
                "write YYYY-MM-DD"
            )
        order = "day" if self.day_first is not None else "month"
        return f"column {column}: {many} read with the {order} first, as {self.day_first or self.month_first} shows"


class DateColumn:
    """Reads any part of a column in the order that the whole column tells.

    Parameters
    ----------
    frame : DataFrame of N rows
        The whole table; let go once the order is known.
    name : str
        A column of text.
    """

    __slots__ = ("_frame", "_name", "_order")

    def __init__(self, frame: pd.DataFrame, name: str) -> None:
        self._frame: pd.DataFrame | None = frame
        self._name = name
        self._order = DateOrder(0)

    @property
    def order(self) -> DateOrder:
        """What the whole column tells, found out when first asked for."""
        if self._frame is not None:
            self._order = DateOrder.of(self._frame[self._name])
            self._frame = None
        return self._order

    def parse(self, part: pd.Series) -> np.ndarray:
        """(n,) datetime64[s]: the dates of some of its rows; see `parse_dates`."""
        return parse_dates(part, self.order)

    def write(self, part: pd.Series) -> pd.Series:
        """Some rows as they are written; year-month-day where, without the other rows, their order would be lost."""
        if not self.order.told or DateOrder.of(part).told:
            return part
        dates = self.parse(part)
        lost = np.isnat(parse_dates(part)) & ~np.isnat(dates)
        plain = pd.Series(np.datetime_as_string(dates), part.index, dtype="str").str.replace("T", " ")
        return part.mask(lost, plain.str.removesuffix(" 00:00:00"))


def date_columns(frame: pd.DataFrame) -> dict[str, DateColumn]:
    """The columns of a table that can hold dates, by name: those of text, but for known ones that mean something else.

    None is looked at before it is asked for, so that very many columns take no time.
    """
    return {
        name: DateColumn(frame, name)
        for name, kind in zip(frame.columns, frame.dtypes, strict=True)
        if isinstance(kind, pd.StringDtype) and (name in DATES or name not in KNOWN)
    }


def notes_on_dates(columns: Mapping[str, DateColumn]) -> list[str]:
    """Say what dates such as 3/4/2017 were taken for, a sentence for each way of a photo's date."""
    said: dict[str, str] = {}
    for name in reversed(DATES):
        note = columns[name].order.note(name) if name in columns else None
        if note is not None:
            said.setdefault(note.removeprefix(f"column {name}"), note)  # a timestamp alone is the date, too
    return list(said.values())


def either_way(text: pd.Series) -> np.ndarray:
    """(N,) bool: where a date is written so that others must tell which number is the month, as 3/4/2017 is."""
    return text.astype("str").str.contains(_EITHER_WAY, regex=True).fillna(False).to_numpy(bool)


def parse_dates(text: pd.Series, order: DateOrder | None = None) -> np.ndarray:
    """Parse a column of dates, with or without a time.

    Year-month-day is read however it is punctuated; day.month.year with dots, too. With slashes or dashes, which of two
    numbers is the month shows only where the other is above 12: the column then follows the order that such dates show,
    and where none does, or they disagree, all dates written so are left unread rather than guessed.

    Parameters
    ----------
    text : Series of N strings
        Missing values stay missing.
    order : DateOrder, optional
        Of the whole column, where `text` is a part of it; by default what `text` itself shows.

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
    if order is None:
        order = DateOrder.of(text)
    row_of, distinct = pd.factorize(text)  # a column has few days
    dates = np.append(_parse(pd.Series(distinct, dtype=text.dtype), order), np.datetime64("NaT", "s"))
    return dates[row_of]  # -1, of what is missing, takes the last


def _parse(text: pd.Series, order: DateOrder) -> np.ndarray:
    """(N,) datetime64[s]: the dates of distinct texts."""
    found = text.astype("str").str.strip().where(text.notna()).str.extract(_WRITTEN)
    number = found.drop(columns=["sep", "between", "half"]).astype("float64")
    first, second = number["a"], number["b"]
    either_way = first.notna() & (found["between"] != ".")
    swap = either_way & (order.month_first is not None)
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
    parts[(either_way & (not order.told)) | no_such_time] = np.nan
    return pd.to_datetime(parts, errors="coerce").to_numpy("datetime64[s]")
