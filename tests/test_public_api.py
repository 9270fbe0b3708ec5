"""The public story: names, laziness, docstrings that match signatures."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys

import pytest

import whalereid as wr


def in_fresh_python(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return result.stdout.strip()


def fastest(code: str, times: int = 3) -> float:
    """Processor seconds of the quickest of a few whole processes; other work on the machine hardly counts."""

    def once() -> float:
        begin = os.times()
        in_fresh_python(code)
        end = os.times()
        return end.children_user + end.children_system - begin.children_user - begin.children_system

    return min(once() for _ in range(times))


def test_import_loads_nothing_heavy() -> None:
    loaded = in_fresh_python("import sys, whalereid; print(*sorted(sys.modules))").split()
    assert not {"torch", "pandas", "numpy", "cv2", "timm"} & set(loaded)


def test_import_takes_under_a_third_of_a_second() -> None:
    assert fastest("import whalereid") - fastest("pass") < 0.3


def test_help_takes_under_a_second() -> None:
    assert fastest("import sys; from whalereid.cli.app import run; sys.exit(run(['--help']))") < 1.0


def test_help_loads_nothing_heavy() -> None:
    loaded = in_fresh_python(
        "import sys; from whalereid.cli.app import run; run(['--help']); print(*sys.modules)"
    ).split()
    assert not {"torch", "pandas", "cv2", "timm"} & set(loaded)


def test_every_public_name_is_there_and_listed() -> None:
    for name in wr.__all__:
        assert getattr(wr, name) is not None
    assert set(wr.__all__) <= set(dir(wr))
    with pytest.raises(AttributeError, match="no attribute 'Nessie'"):
        _ = wr.Nessie


PUBLIC = [name for name in wr.__all__ if not name.startswith("_")]


@pytest.mark.parametrize("name", PUBLIC)
def test_docstrings_name_every_argument(name: str) -> None:
    thing = getattr(wr, name)
    if not (inspect.isclass(thing) or inspect.isfunction(thing)):
        pytest.skip("a table of names")
    if inspect.isclass(thing) and issubclass(thing, Exception):
        pytest.skip("takes a message")
    doc = inspect.getdoc(thing) or ""
    assert doc, f"{name} has no docstring"
    documented = set(re.findall(r"^\s*([\w*]+(?:, [\w*]+)*)(?: : .*)?$", doc, re.MULTILINE))
    names = {word.strip(" *") for group in documented for word in group.split(",")}
    missing = [
        p.name
        for p in inspect.signature(thing).parameters.values()
        if p.name not in names and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]
    assert not missing, f"{name} documents no {missing}"
