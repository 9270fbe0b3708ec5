"""What notebooks show: nothing from outside becomes markup."""

import base64
import math
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from whalereid.html import Html, cell, facts, picture, section, table

HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a & b", "'quoted'"]


class Tags(HTMLParser):
    """The tags and attributes that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.attributes.update(name for name, _ in attrs)


def tags(markup: str) -> Tags:
    parser = Tags()
    parser.feed(markup)
    return parser


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_becomes_markup(text):
    shown = section(text, table([text], [[text]]), facts({text: text}), text, picture(b"data", says=text))
    seen = tags(shown)
    assert seen.seen <= {"div", "b", "table", "thead", "tbody", "tr", "th", "td", "p", "img"}
    assert seen.attributes <= {"src", "alt", "title"}


@pytest.mark.parametrize("missing", [None, math.nan, pd.NaT, np.datetime64("NaT")])
def test_missing_is_a_dash(missing):
    assert cell(missing) == "–"


def test_values_are_short_and_on_one_line():
    assert len(cell("x" * 1000)) == 60
    assert "\n" not in cell("a\nb")
    assert "\x1b" not in cell("\x1b[2J")
    assert cell(np.int64(1_000_000)) == "1,000,000"
    assert cell(np.float32(0.123456)) == "0.1235"
    assert cell(True) == "True"
    assert cell(Html("<b>kept</b>")) == "<b>kept</b>"


def test_many_rows_are_counted_not_shown():
    shown = table(["n"], [[n] for n in range(1000)], most=3)
    assert shown.count("<tr>") == 1 + 3 + 1
    assert "997 more" in shown
    assert table(["n"], ([n] for n in iter(int, 1)), most=2).count("<tr>") == 3  # endless


def test_picture_is_in_the_page():
    assert base64.b64encode(b"\xff\xd8").decode() in picture(b"\xff\xd8", says="a whale")
