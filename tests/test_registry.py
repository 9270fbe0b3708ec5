"""Parts by name: asked for as text, mapping or part; read off the source; offered by other packages."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalereid import parts
from whalereid.errors import WhalereidError
from whalereid.registry import Part, Registry
from whalereid.registry.option import Option
from whalereid.registry.signatures import options_of, options_of_source

KINDS = {name: held for name, held in vars(parts).items() if isinstance(held, Registry)}
WORDS = st.text("abcdefghijklmnopqrstuvwxyz-_0123456789.", min_size=1, max_size=8)


@dataclass(frozen=True)
class Nearest:
    """The nearest."""

    kind: ClassVar[str] = "sort"

    most: int = 3
    least: float | None = None
    columns: Sequence[str] = ()
    shares: tuple[float, ...] = field(default=(0.5, 0.5))
    by: Literal["score", "date"] = "score"
    strict: bool = False
    worked_out: int = field(default=0, init=False)


@pytest.fixture
def sorts() -> Registry[Any]:
    registry: Registry[Any] = Registry("sort", "whalereid.tests.sorts", given=("database",))
    registry.add("nearest")(Nearest)
    return registry


def test_text_becomes_what_the_signature_says(sorts: Registry[Any]) -> None:
    made = sorts.make("nearest:most=5,least=0.25,columns=a+b,shares=1+2,by=date,strict=yes")
    assert made == Nearest(5, 0.25, ("a", "b"), (1.0, 2.0), "date", True)
    assert sorts.make("nearest:least=none") == Nearest()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("zzz", "sort 'zzz' is unknown; choose from nearest"),
        ("neerest", "did you mean 'nearest'"),
        ("nearest:mots=3", "no option 'mots'; it has most=3"),
        ("nearest:most=three", "most is 'three'; give a whole number"),
        ("nearest:by=name", "by is 'name'; give one of score, date"),
        ("nearest:shares=1+x", "shares is '1+x'"),
        ("nearest:strict=perhaps", "give true or false"),
        ("nearest:most", "'most' is no key=value"),
        ("nearest:most=1,most=2", "given twice"),
        ("nearest:worked_out=1", "no option 'worked_out'"),
        ("", "a part's name is ''"),
        ({"name": "nearest", "most": 1}, "is no part"),
        ({"name": "nearest", "options": {"most": object()}}, "most is a object"),
        ({"name": "nearest", "options": [1]}, "its options are"),
        (7, "is no part"),
    ],
)
def test_what_cannot_be_made_says_what_there_is(sorts: Registry[Any], asked: Any, says: str) -> None:
    with pytest.raises(WhalereidError, match=says.replace("+", r"\+")):
        sorts.make(asked)


def test_a_part_is_noted_and_made_again(sorts: Registry[Any]) -> None:
    made = Nearest(most=7, columns=("a",), shares=(1.0,))
    noted = json.loads(json.dumps(sorts.describe(made).to_dict()))
    assert noted == {"name": "nearest", "options": {"most": 7, "columns": ["a"], "shares": [1.0]}}
    assert sorts.make(Part.from_dict(noted)) == made
    assert sorts.make(str(sorts.describe(made))) == made
    with pytest.raises(WhalereidError, match="no sort that can be noted"):
        sorts.describe("nearest")


@given(name=WORDS, options=st.dictionaries(WORDS, st.none() | st.booleans() | st.integers() | WORDS, max_size=3))
def test_any_part_survives_json(name: str, options: dict[str, Any]) -> None:
    part = Part(name, options)
    assert Part.from_dict(json.loads(json.dumps(part.to_dict()))) == part
    assert list(Part.parse(str(part)).options) == list(options)


def test_numbers_of_numpy_become_numbers() -> None:
    assert Part("a", {"b": np.float32(0.5), "c": [np.int64(3)]}).to_dict()["options"] == {"b": 0.5, "c": [3]}


def test_what_the_library_gives_is_no_option() -> None:
    registry: Registry[Any] = Registry("head", "whalereid.tests.heads", given=("dim", "n_identities"))

    @registry.add("plain")
    def plain(dim: int, margin: float = 0.5) -> tuple[int, float]:
        return dim, margin

    assert registry.lines() == [("plain", "margin=0.5")]
    assert registry.make("plain:margin=1", dim=8, n_identities=3) == (8, 1.0)
    with pytest.raises(WhalereidError, match="no option 'dim'"):
        registry.make("plain:dim=3", dim=8)
    with pytest.raises(WhalereidError, match="there already"):
        registry.add("plain")(plain)
    with pytest.raises(WhalereidError, match="has no ':'"):
        registry.add("a:b")(plain)


def test_a_required_option_is_asked_for() -> None:
    registry: Registry[Any] = Registry("rule", "whalereid.tests.rules")

    @registry.add("within")
    def within(days: int) -> int:
        return days

    with pytest.raises(WhalereidError, match="needs days; write within:days="):
        registry.make("within")
    assert registry.make("within:days=3") == 3


@pytest.mark.parametrize("kind", KINDS)
def test_source_and_signature_agree(kind: str) -> None:
    """What `--help` reads off the source is what the part takes."""
    for name, source in KINDS[kind].own.items():
        from_source = [(option.name, option.takes_any) for option in options_of_source(source)]
        at_hand = [(option.name, option.takes_any) for option in options_of(KINDS[kind].find(name))]
        assert from_source == at_hand, name


def test_options_are_read_without_loading_anything() -> None:
    code = (
        "import sys; from whalereid import parts; [vars(parts)[n].lines() for n in parts.__all__]; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "pandas", "numpy", "scipy"} & set(done.stdout.split())


def test_another_package_offers_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stranger_sorts.py").write_text(
        "print('loaded')\ndef oldest(most: int = 4, *, database: object = None) -> int:\n    return most\n"
    )
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[whalereid.tests.sorts]\noldest = stranger_sorts:oldest\nbroken = stranger_absent:oldest\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    registry: Registry[Any] = Registry("sort", "whalereid.tests.sorts", given=("database",))
    assert list(registry) == ["broken", "oldest"]
    assert registry.options("oldest") == {"most": Option("most", "int", "4")}
    assert "stranger_sorts" not in sys.modules
    assert registry.make("oldest:most=9", database=None) == 9
    with pytest.raises(WhalereidError, match="comes from stranger_absent:oldest, which can't be imported"):
        registry.make("broken")
    assert registry.lines()[1] == ("oldest", "most=4")
    assert "which can't be imported" in registry.lines()[0][1]


class Grandparent:
    def __init__(self, colour: str = "red", size: int = 1) -> None:
        self.colour, self.size = colour, size


class Parent(Grandparent):
    def __init__(self, weight: float = 0.5, must: int = 0, **further: Any) -> None:
        super().__init__(**further)
        self.weight, self.must = weight, must


class Child(Parent):
    """Sets `must` and `size` itself, and hands on the rest."""

    def __init__(self, age: int = 3, **further: Any) -> None:
        super().__init__(must=1, size=2, **further)
        self.age = age


def test_names_that_are_handed_on_are_the_parents() -> None:
    assert [str(option) for option in options_of(Child)] == ["age=3", "weight=0.5", "colour=red"]
    registry: Registry[Any] = Registry("child", "whalereid.tests.children")
    registry.add("child")(Child)
    assert registry.make("child:age=4,weight=0.25,colour=blue").colour == "blue"
    for name in ("must", "size", "others"):
        with pytest.raises(WhalereidError, match=f"no option '{name}'; it has age=3, weight=0.5, colour=red"):
            registry.make(f"child:{name}=1")


def test_a_default_tells_the_kind_where_nothing_else_does() -> None:
    def plain(margin=0.5, swap=False, name="all", limit=None): ...  # type: ignore[no-untyped-def]

    registry: Registry[Any] = Registry("sort", "whalereid.tests.plain")
    registry.add("plain")(plain)
    assert registry.part("plain:margin=2,swap=yes,name=3,limit=a").options == {
        "margin": 2, "swap": True, "name": 3, "limit": "a",
    }  # fmt: skip
    for wrong, says in (("margin=wide", "give a whole number or a number"), ("swap=2", "give true or false")):
        with pytest.raises(WhalereidError, match=says):
            registry.part(f"plain:{wrong}")


def test_parents_in_other_files_are_read_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "far_parts"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('loaded')\nfrom .leaf import Leaf as Renamed\n")
    (package / "deep" / "__init__.py").write_text("")
    (package / "deep" / "root.py").write_text("class Root:\n    def __init__(self, a=1, b=2):\n        pass\n")
    (package / "leaf.py").write_text(
        "from .deep.root import Root\nclass Leaf(Root):\n    def __init__(self, c=3, **kw):\n"
        "        super().__init__(b=5, **kw)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert [str(option) for option in options_of_source("far_parts:Renamed")] == ["c=3", "a=1"]
    assert "far_parts" not in sys.modules
