"""Small pieces of HTML, as notebooks show a result: whatever comes from outside is escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import islice
from numbers import Integral, Real
from typing import Any

from whalereid.errors import printable

__all__ = ["Html", "cell", "facts", "paragraph", "picture", "section", "table"]

_LONGEST = 60  # characters of one value
_MOST_ROWS = 20
_MISSING = "–"


class Html(str):
    """Text that is HTML already, and safe to show as it is."""

    __slots__ = ()


def cell(value: Any) -> Html:
    """One value as people read it: escaped, shortened, numbers with few digits, a missing one as a dash.

    Examples
    --------
    >>> [cell(value) for value in ("<script>", 12345, 0.51237, None)]
    ['&lt;script&gt;', '12,345', '0.5124', '–']
    """
    if isinstance(value, Html):
        return value
    if value is None or value != value:  # NaN and NaT alone differ from themselves
        return Html(_MISSING)
    if isinstance(value, Integral) and not isinstance(value, bool):
        return Html(f"{int(value):,}")
    if isinstance(value, Real) and not isinstance(value, bool):
        return Html(f"{float(value):.4g}")
    text = str(value)
    return Html(escape(printable(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")))


def table(columns: Sequence[Any], rows: Iterable[Sequence[Any]], *, most: int = _MOST_ROWS) -> Html:
    """A table with a line of headings; of many rows the first few, and how many more there are.

    Parameters
    ----------
    columns : sequence of str
        The headings.
    rows : iterable of sequences
        As many values as there are headings in each; see `cell`. Where their number isn't known (a generator), no more
        than `most` are asked for.
    most : int
        How many rows are shown.

    Examples
    --------
    >>> print(table(["who", "photos"], [["<b>nanuq", 3]]))
    <table><thead><tr><th>who</th><th>photos</th></tr></thead><tbody><tr><td>&lt;b&gt;nanuq</td><td>3</td></tr></tbody></table>
    """
    head = "".join(f"<th>{cell(name)}</th>" for name in columns)
    body = ["".join(f"<td>{cell(value)}</td>" for value in row) for row in islice(rows, most)]
    further = len(rows) - most if isinstance(rows, Sequence) else 0
    if further > 0:
        body.append(f'<td colspan="{max(len(columns), 1)}">… and {further:,} more</td>')
    lines = "".join(f"<tr>{row}</tr>" for row in body)
    return Html(f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>")


def facts(pairs: Mapping[str, Any]) -> Html:
    """What something holds, by name, in one line: ``photos 12 · identities 3``.

    Examples
    --------
    >>> print(facts({"photos": 12}))
    <p>photos <b>12</b></p>
    """
    return Html(f"<p>{' · '.join(f'{cell(name)} <b>{cell(value)}</b>' for name, value in pairs.items())}</p>")


def picture(data: bytes, *, says: str, kind: str = "jpeg") -> Html:
    """An image as part of the page itself, no file being asked for.

    Parameters
    ----------
    data : bytes
        The encoded image; keep it small.
    says : str
        What it shows, for those who can't see it, and on hovering.
    kind : str
        ``jpeg`` or ``png``.
    """
    said = escape(printable(says), quote=True)
    return Html(f'<img src="data:image/{kind};base64,{base64.b64encode(data).decode()}" alt="{said}" title="{said}">')


def paragraph(text: Any) -> Html:
    """Text as a paragraph of its own, escaped and, unlike in a `cell`, as long as it is.

    Examples
    --------
    >>> print(paragraph("1 < 2"))
    <p>1 &lt; 2</p>
    """
    return Html(f"<p>{escape(printable(str(text)))}</p>")


def section(title: Any, *parts: Any) -> Html:
    """A titled block, its parts below each other; a part that isn't `Html` is a paragraph of text."""
    inner = "".join(part if isinstance(part, Html) else f"<p>{cell(part)}</p>" for part in parts)
    return Html(f"<div><b>{cell(title)}</b>{inner}</div>")
