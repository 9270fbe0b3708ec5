"""Options of all commands: each number has a range, looked at before torch is loaded and before a file is made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.models import OptionInfo

from whalereid import Recipe, WhalereidError
from whalereid.cli import options as ranges
from whalereid.cli.app import app, run

LINES = {
    "start": "start photos.csv --out new --no-open",
    "import": "import photos.csv --out new",
    "check": "check --catalogue photos.csv",
    "encounters": "encounters --catalogue photos.csv --out new.csv",
    "split": "split --catalogue photos.csv --out new",
    "models": "models",
    "train": "train --catalogue photos.csv --out new",
    "embed": "embed --catalogue photos.csv --model network --out new",
    "rank": "rank --embeddings e.parquet --catalogue photos.csv --out new.csv",
    "evaluate": "evaluate r.csv --catalogue photos.csv --figure new.png",
    "report": "report r.csv --catalogue photos.csv --out new",
    "export": "export --catalogue photos.csv --to csv --out new.csv",
}
NO_NUMBERS = [
    "",
    " ",
    "x",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "0x10",
    "1_000",
    "1,5",
    "٣",
    "１",
    "-",
    "+",
    ".",
    "1 2",
    "\x1b[2J",
]
NO_WHOLES = ["1.5", "-1", "-9223372036854775809", "18446744073709551616", "9" * 20, "9" * 5000, "--1"]
NO_REALS = ["-1", "-1e300", "1e400", "9" * 500, "1e", "1.2.3", "infinity", "1e1_0"]


def kinds(hint: Any) -> Iterator[type]:
    """The types an annotation is made of."""
    if get_args(hint):
        for part in get_args(hint):
            yield from kinds(part)
    elif hint is ranges.Sides:
        yield int
    elif hint is not type(None):
        yield hint


def all_options() -> Iterator[tuple[str, str, set[type], OptionInfo]]:
    """Each command's options: its name, the option's, the types it takes, and what typer was told."""
    for registered in app.registered_commands:
        assert registered.callback is not None
        assert registered.name is not None
        for name, hint in get_type_hints(registered.callback, include_extras=True).items():
            info = getattr(hint, "__metadata__", (None,))[0]
            if isinstance(info, OptionInfo):
                long = [part.split("/")[0] for part in info.param_decls or () if part.startswith("--")]
                option = (long or [f"--{name.replace('_', '-')}"])[0]
                yield registered.name, option, set(kinds(get_args(hint)[0])), info


NUMBERS = [(command, option, found, info) for command, option, found, info in all_options() if found & {int, float}]


def test_every_command_is_tried() -> None:
    assert {command for command, *_ in all_options()} == LINES.keys()
    assert len(NUMBERS) > 20


@pytest.mark.parametrize(("command", "option", "found", "info"), NUMBERS, ids=[f"{c} {o}" for c, o, *_ in NUMBERS])
def test_every_number_has_a_range_of_the_gate(command: str, option: str, found: set[type], info: OptionInfo) -> None:
    """A new option that counts something takes its range from cli/options.py."""
    gates = [value["parser"] for value in vars(ranges).values() if isinstance(value, dict) and "parser" in value]
    assert info.parser in gates, f"{command} {option} takes any number; give it a range of cli/options.py"


ALL = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from whalereid.cli.app import run
for line in json.loads(sys.stdin.read()):
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        status = run(line)
    heavy = sorted({"torch", "timm", "pandas"} & set(sys.modules))
    print(json.dumps([line, status, out.getvalue(), err.getvalue(), heavy]))
"""


def test_numbers_out_of_range_are_one_line_before_anything_is_loaded_or_made(tmp_path: Path) -> None:
    (tmp_path / "photos.csv").write_text("image_id,path,identity\na,a.jpg,x\n")
    lines = []
    for number, (command, option, found, _) in enumerate(NUMBERS):
        values = NO_NUMBERS + (NO_WHOLES if int in found else NO_REALS)
        for value in values[number % 3 :: 3]:  # a third of them each
            lines.append([*LINES[command].split(), f"{option}={value}"])
    assert len(lines) > 150
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", ALL], input=json.dumps(lines), cwd=tmp_path, env=environment,
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stderr == ""
    for line, status, out, err, heavy in map(json.loads, done.stdout.splitlines()):
        assert (status, out, err.count("\n")) == (2, "", 1), (line, status, err)
        assert line[-1].split("=")[0] in err, (line, err)
        assert "give a " in err, (line, err)  # and says what would do
        assert err[:-1].isprintable(), (line, err)
        assert len(err) < 250, (line, err)
        assert heavy == [], line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos.csv"]


@pytest.mark.parametrize(
    "value", ["meta", "META", "", "cpu ", "cuda:", "cuda:-1", "cuda:9999", "toaster", "\x1b[2J", "cpu\n"]
)
def test_devices_that_are_none(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["embed", "--catalogue", "photos.csv", "--model", "m", "--out", "o", f"--device={value}"]) == 2
    said = capsys.readouterr().err
    assert "give a device such as cpu" in said
    assert said.count("\n") == 1
    assert said[:-1].isprintable()


@pytest.mark.parametrize("workers", ["5000", "100000"])
def test_workers_beyond_the_cores_are_capped_and_said(
    workers: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1}, raising=False)
    assert ranges.WORKERS["parser"](workers) == 2
    assert capsys.readouterr().err == f"--workers {workers}: this machine has 2 cores; taking 2.\n"


@settings(deadline=None, max_examples=150)
@given(st.one_of(st.text(max_size=30), st.integers().map(str), st.floats().map(str)))
def test_any_text_is_a_number_in_range_or_refused(text: str) -> None:
    for name in ("SEED", "K", "IMAGE_SIZE", "FOLDS", "RESAMPLES", "CONFIDENCE", "SHARE", "RATE", "WEIGHT"):
        value, refusal = parsed(name, text)
        if value is None:
            assert refusal.isprintable()
            assert "; give " in refusal
        elif isinstance(value, ranges.Sides):
            assert str(value) == "x".join(dict.fromkeys(str(int(side)) for side in text.split("x")))
        else:
            assert 0 <= value == type(value)(text) <= 1e18


@pytest.mark.parametrize(
    ("text", "sides"), [("224", (224, 224)), ("256x96", (256, 96)), ("8x4096", (8, 4096)), ("64x64", (64, 64))]
)
def test_sizes_of_photos(text: str, sides: tuple[int, int]) -> None:
    assert parsed("IMAGE_SIZE", text) == (sides, "")


@pytest.mark.parametrize("text", ["256x", "x96", "256X96", "256×96", "256x96x3", "7x96", "256x4097", "256,96", "0x10"])
def test_sizes_that_are_none(text: str) -> None:
    value, refusal = parsed("IMAGE_SIZE", text)
    assert value is None
    assert "HEIGHTxWIDTH, such as 256x96" in refusal


def parsed(name: str, text: str) -> tuple[Any, str]:
    """What a range makes of a text: a number or two sides, or the words of its refusal."""
    try:
        return getattr(ranges, name)["parser"](text), ""
    except typer.BadParameter as refusal:
        return None, refusal.message


def test_rates_that_no_arithmetic_can_hold_are_refused_by_the_library() -> None:
    for name in ("lr", "head_lr", "weight_decay"):
        with pytest.raises(WhalereidError, match=name):
            Recipe(**{name: 1e300})


def test_weights_beyond_a_float_are_refused_by_the_library() -> None:
    from whalereid import Embeddings, Member

    held = Embeddings.from_numpy(["a", "b"], [[1.0, 0.0], [0.0, 1.0]])
    for weight in (1e308, float("inf"), float("nan"), 0, -1):
        with pytest.raises(WhalereidError, match="weight"):
            Member("a", held, weight)


NO_PARTS = [
    "", " ", ":", "=", ":days=3", "\x1b[2J", "é" * 3000, "within-days:", "within-days:days", "within-days:=3",
    "within-days:days=\x1b[31m", "within-days:days=3,days=4", "within-days:days=" + "9" * 5000, "expand:power=nan nan",
    "expand:by=a", "expand:weights=", "elastic-arcface:dim=3", "elastic-arcface:scale=1;2", "../..", "NONE", "a\0b",
    "within-days:days=3,unknown=\ud800",
]  # fmt: skip
TAKES_PARTS = [
    ("import", "--layout"),
    ("train", "--pooling"),
    ("train", "--neck"),
    ("train", "--head"),
    ("train", "--miner"),
    ("train", "--batches"),
    ("train", "--rule"),
    ("rank", "--rule"),
    ("rank", "--rerank"),
    ("evaluate", "--rule"),
]


@pytest.mark.parametrize(("command", "option"), TAKES_PARTS)
def test_parts_that_are_none_are_one_line(
    command: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for value in NO_PARTS:
        if value.startswith("within-days:days=9") and option == "--rule":
            continue  # a number, which the rule itself refuses
        assert run([*LINES[command].split(), f"{option}={value}"]) == 2, value
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1), (value, err)
        assert err.startswith(f"whalereid: Invalid value for '{option}': "), (value, err)
        assert err[:-1].isprintable(), (value, err)
        assert len(err) < 500, (value, err)
    assert not list(tmp_path.iterdir())
