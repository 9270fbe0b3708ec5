"""The page of matches: what it shows, whose text it escapes, what it leaves alone."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whalereid.candidates import Task
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.ranking import Ranking
from whalereid.reporting import Matches, write_image, write_matches

NASTY = '<script>alert("x")</script>\n\x1b[31m'


@pytest.fixture
def photos(tmp_path: Path) -> Catalogue:
    """Six photos of three animals, one with a name that is code, one photo that isn't there."""
    rng = np.random.default_rng(0)
    for name in "abcde":
        write_image(tmp_path / f"{name}.jpg", rng.integers(0, 255, (40, 600, 3), dtype=np.uint8))
    frame = pd.DataFrame({"image_id": list("abcdef"), "path": [f"{name}.jpg" for name in "abcdef"]})
    frame["identity"] = ["nanuq", "nanuq", NASTY, "kaya", "kaya", None]
    frame["viewpoint"] = ["left", "left", "right", None, "left", "left"]
    return Catalogue(frame, tmp_path, notes=["a note <b>"])


def ranking(photos: Catalogue) -> Ranking:
    ids = photos.image_ids
    return Ranking([[other for other in ids if other != one] for one in ids], [np.linspace(0.9, 0.1, 5)] * 6, ids)


class Page(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_queries_stand_beside_their_best_matches(photos: Catalogue, tmp_path: Path) -> None:
    page = write_matches(ranking(photos), photos, tmp_path / "report", shown=Matches(queries=6, k=2))
    text = page.read_text(encoding="utf-8")
    found = Page(text)
    rows = [one for one in found.all("section") if one.get("class") == "row"]
    assert [one["aria-label"] for one in rows] == [f"query {name}" for name in "abcdef"]
    kinds = [one["class"] for one in found.all("figure")]
    assert (kinds.count("photo"), kinds.count("query")) == (6, 6)
    assert (kinds.count("right"), kinds.count("match")) == (
        2,
        10,
    )  # the best two of all are a and b
    assert text.count("same animal</span>") == 2
    assert "a note &lt;b&gt;" in text
    assert all(one["alt"] and (page.parent / str(one["src"])).is_file() for one in found.all("img"))
    assert text.count("can’t be read") == 2  # f: in the sheet and as a query, never among the best two


def test_nothing_from_the_table_becomes_code_and_nothing_is_asked_for(photos: Catalogue, tmp_path: Path) -> None:
    text = write_matches(ranking(photos), photos, tmp_path / "report", title=NASTY).read_text(encoding="utf-8")
    assert "<script" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;" in text
    assert not re.search(r"https?:|//[a-z]", text)


def test_a_task_says_which_photo_a_query_is_and_who_may_match(photos: Catalogue, tmp_path: Path) -> None:
    one = Ranking([["b", "c"]], [[0.5, 0.25]], ["who"])
    with pytest.raises(WhalereidError, match="who"):
        write_matches(one, photos, tmp_path / "report")
    task = Task("t", ("who",), ("a",), ("b", "c"))
    text = write_matches(one, photos, tmp_path / "report", tasks=[task]).read_text(encoding="utf-8")
    assert "never the photo itself" in text
    assert 'aria-label="query who"' in text


def test_a_later_report_replaces_the_page_and_leaves_no_picture_behind(photos: Catalogue, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    write_matches(ranking(photos), photos, folder)
    before = set((folder / "photos").iterdir())
    page = write_matches(ranking(photos), photos, folder, shown=Matches(queries=1, k=1, photos=1))
    assert 1 <= len(set((folder / "photos").iterdir())) < len(before)
    assert page.read_text(encoding="utf-8").count("<img") == 3


def test_another_folder_is_refused_and_left_alone(photos: Catalogue, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    with pytest.raises(WhalereidError, match=r"already holds something else \(thesis.txt\)"):
        write_matches(ranking(photos), photos, other)
    assert [path.name for path in other.iterdir()] == ["thesis.txt"]


def test_a_ranking_of_empty_lists_has_nothing_to_show(photos: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(WhalereidError, match="nothing to show"):
        write_matches(Ranking([[]], [[]], ["a"]), photos, tmp_path / "report")
    assert not (tmp_path / "report").exists()
