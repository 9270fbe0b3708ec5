"""What all commands have in common: the catalogue, repeated options, --json, --quiet, --version, help, completion."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.main import get_command

from training.drawing import BACKBONE, SIZE, draw_photos
from whalereid import __version__
from whalereid.cli.app import app, run
from whalereid.cli.options import PARTS
from whalereid.parts import HEADS, READERS, RERANKERS, RULES

COMMANDS = [*get_command(app).commands]  # type: ignore[attr-defined]
WITHOUT_PHOTOS = ["start", "import", "models"]
HEAVY = {"torch", "timm", "pandas", "numpy", "cv2", "sklearn", "scipy", "pyarrow", "albumentations"}
Captured = pytest.CaptureFixture[str]


def refused(line: str, capsys: Captured) -> str:
    """The one line that a refusal is."""
    assert run(line.split()) == 2, line
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("whalereid: ")
    return err


class TestTheCatalogue:
    def test_every_command_has_the_same_option(self) -> None:
        for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
            if name in WITHOUT_PHOTOS:
                continue
            [option] = [param for param in command.params if "--catalogue" in param.opts]
            assert (option.metavar, option.help) == ("CATALOGUE", "The table of photos, or its folder."), name

    @pytest.mark.parametrize("line", ["check {}", "split {}", "train {} --out r", "embed {} --model m --out e"])
    def test_a_bare_one_goes_on_being_read(self, line: str, capsys: Captured, tmp_path: Path) -> None:
        given = line.format("--catalogue nowhere.csv"), line.format("nowhere.csv"), line.format("-- nowhere.csv")
        said = [refused(one, capsys) for one in given[:2]]
        assert said[0] == said[1]
        if line == "check {}":
            assert refused(given[2], capsys) == said[0]
        assert refused(line.format("a.csv --catalogue=b.csv"), capsys).endswith(
            "a.csv and --catalogue both name the catalogue; give --catalogue.\n"
        )
        assert "Missing option '--catalogue'" in refused(line.format(""), capsys)
        assert "unexpected extra argument" in refused(line.format("a.csv b.csv"), capsys)
        assert run([line.split()[0], "--help"]) == 0
        assert "[CATALOGUE]" not in capsys.readouterr().out

    def test_the_value_of_an_option_is_no_bare_one(self, capsys: Captured) -> None:
        assert "Missing option '--catalogue'" in refused("split --by identity --seed 3 --out folds.csv", capsys)
        assert "nowhere.csv" in refused("check --layout table nowhere.csv", capsys)

    @pytest.mark.parametrize("command", ["check", "split", "train", "embed"])
    def test_a_name_of_no_letters_is_not_the_folder_one_is_in(self, command: str, capsys: Captured) -> None:
        assert run([command, "--catalogue", "", "--out", "x", "--model", "y"]) == 2 or command in ("check", "train")
        assert run([command, ""]) == 2
        assert "'--catalogue': nothing: no such file or folder" in capsys.readouterr().err or command != "check"


class TestRepeatedOptions:
    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("rank --embeddings a b --catalogue c --out r.csv", "--embeddings a --embeddings b"),
            ("rank --embeddings=a b --catalogue c --out r.csv", "--embeddings a --embeddings b"),
            ("rank --embeddings a --catalogue c --out r.csv --weights 1 2", "--weights 1 --weights 2"),
            ("rank --embeddings a --catalogue c --out r.csv --match x y z", "--match x --match y"),
            ("evaluate r.csv --catalogue c --by viewpoint year-gap", "--by viewpoint --by year-gap"),
            ("evaluate r.csv r2.csv --catalogue c --exclude a pyproject.toml", "--exclude a --exclude pyproject.toml"),
            ("train --catalogue c --out r --classes identity viewpoint", "--classes identity --classes viewpoint"),
            ("train photos.csv --out r --exclude encounter location", "--exclude encounter --exclude location"),
        ],
    )
    def test_several_values_at_once_are_refused(self, line: str, says: str, capsys: Captured) -> None:
        said = refused(line, capsys)
        assert f"takes one value; repeat it for more: {says}." in said

    def test_a_file_may_stand_behind_one_where_files_are_read(self, capsys: Captured) -> None:
        said = refused("evaluate --catalogue nowhere.csv --exclude encounter pyproject.toml", capsys)
        assert "nowhere.csv" in said


class TestParts:
    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("train --catalogue c --out r --head elastic-arcfase", "did you mean 'elastic-arcface'"),
            ("train --catalogue c --out r --head elastic-arcface:margn=1", "no option 'margn'; it has scale=30.0"),
            ("train --catalogue c --out r --head elastic-arcface:margin=wide", "margin is 'wide'; give a number"),
            ("train --catalogue c --out r --head elastic-arcface:margin", "'margin' is no key=value"),
            ("rank --embeddings e --catalogue c --out r.csv --rule within-dais", "did you mean 'within-days'"),
            ("evaluate r.csv --catalogue c --rule within-days:hours=3", "no option 'hours'; it has days"),
            ("rank --embeddings e --catalogue c --out r.csv --rerank expnd", "did you mean 'expand'"),
            ("rank --embeddings e --catalogue c --out r.csv --rerank expand:power=x", "power is 'x'; give a number"),
            ("export --catalogue c --to camtrap --out o", "did you mean 'camtrap-dp'"),
            ("export --catalogue c --to coco:field=x --out o.json", "no option 'field'; it has identity=individual_id"),
        ],
    )
    def test_are_checked_while_the_line_is_read(self, line: str, says: str) -> None:
        code = f"import sys; from whalereid.cli.app import run; print(run({line.split()}), *sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        status, *loaded = done.stdout.split()
        assert status == "2"
        assert says in done.stderr
        assert done.stderr.count("\n") == 1
        assert not HEAVY & set(loaded)

    def test_every_help_lists_them_with_their_options(self, capsys: Captured) -> None:
        for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
            taken = [option for param in command.params for option in param.opts if option in PARTS]
            assert run([name, "--help"]) == 0
            told = " ".join(capsys.readouterr().out.split())
            for option in taken:
                for part, options in PARTS[option].lines():
                    assert f"{part}: {options}" if options else part in told, (name, option)
        assert {"--head", "--rerank", "--rule", "--metric"} <= PARTS.keys()


def test_help_teaches(capsys: Captured) -> None:
    """Options stand in groups, none is left over; an example and the exit status are there."""
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        assert all(param.rich_help_panel for param in command.params), name
        assert run([name, "--help"]) == 0
        told = capsys.readouterr().out
        assert "─ Options ─" not in told
        assert "Example: whalereid" in " ".join(told.split())
        assert "Exit status: 0 done" in told
        assert len(re.findall(r"^╭─ What to (read|score) ─", told, re.MULTILINE)) >= (name not in WITHOUT_PHOTOS)
        assert told.rindex("╭─ Any command ") > told.rindex("╭─ Output ")


def test_the_version_is_said_before_and_behind_a_command(capsys: Captured) -> None:
    for line in (["--version"], *([name, "--version"] for name in COMMANDS)):
        assert run(line) == 0
        assert capsys.readouterr() == (f"whalereid {__version__}\n", "")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    draw_photos(folder).assign(date="2019-05-06 10:00").write(folder / "photos.csv", force=True)
    return folder


def lines(folder: Path) -> dict[str, str]:
    small = f"--backbone {BACKBONE} --image-size {SIZE} --weights random --batch-size 8 --workers 0 --epochs 1"
    head = "--head elastic-arcface:margin=0.3"
    return {
        "import": "import photos.csv --columns image_id=image_id --out imported",
        "check": "check --catalogue photos.csv",
        "encounters": "encounters --catalogue photos.csv",
        "split": "split --catalogue photos.csv --by identity --folds 2 --out folds.csv",
        "train": f"train --catalogue photos.csv --folds folds.csv --fold 0 {small} {head} --out run",
        "embed": "embed --catalogue photos.csv --model run --workers 0 --out e.parquet",
        "rank": "rank --catalogue photos.csv --embeddings e.parquet --queries all --rerank expand:power=3 --out r.csv",
        "evaluate": "evaluate r.csv --catalogue photos.csv --resamples 20",
        "export": "export --catalogue photos.csv --to coco:identity=name --out photos.json",
    }


def test_json_and_quiet_everywhere(world: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    """One JSON object on stdout, and on stderr nothing but warnings; in the order in which commands follow."""
    monkeypatch.chdir(world)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    told = {}
    for name, line in lines(world).items():
        assert run([*line.split(), "--json", "--quiet"]) == 0, capsys.readouterr().err
        out, err = capsys.readouterr()
        assert out.count("\n") == 1, name
        told[name] = json.loads(out)
        assert all(said.startswith("Warning: ") for said in err.splitlines()), (name, err)
    torch.set_num_threads(before)
    assert (told["import"]["out"], told["import"]["photos"]) == (str(Path("imported/metadata.csv")), 24)
    assert told["check"]["out"] is None
    assert told["split"]["out"] == "folds.csv"
    assert {name: told["train"][name] for name in ("out", "epochs", "best_epoch", "classes")} == {
        "out": "run", "epochs": 1, "best_epoch": 1, "classes": 3,
    }  # fmt: skip
    assert set(told["train"]["best"]) == {
        "lr", "train_loss", "valid_loss", "valid_mAP@20", "valid_top-1", "seconds", "waiting",
    }  # fmt: skip
    noted = json.loads((world / "run" / "run.json").read_text())["head"]
    assert noted["kind"] == "ElasticArcFace"
    assert 0.3 in noted.values()
    assert (told["embed"]["out"], told["embed"]["photos"], told["embed"]["left_out"]) == ("e.parquet", 24, 0)
    assert (told["rank"]["out"], told["rank"]["queries"], told["rank"]["photos"]) == ("r.csv", 24, 24)
    assert told["rank"]["task"] == "r.csv.task.json"
    assert told["rank"]["rerank"] == {"name": "expand", "options": {"power": 3.0}}
    assert "mAP@20" in told["evaluate"]
    assert (told["export"]["out"], told["export"]["photos"]) == ("photos.json", 24)
    assert told["export"]["to"] == {"name": "coco", "options": {"identity": "name"}}


def test_quiet_keeps_results_warnings_and_refusals(
    world: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(world)
    loud = run(["split", "--catalogue", "photos.csv", "--folds", "2"]), *capsys.readouterr()
    quiet = run(["split", "--catalogue", "photos.csv", "--folds", "2", "-q"]), *capsys.readouterr()
    assert loud[:2] == quiet[:2]
    assert loud[2] != ""
    assert quiet[2] == ""
    (world / "mine.csv").write_text("a,b\n1,2\n")
    line = ["split", "--catalogue", "photos.csv", "--folds", "2", "--out", "mine.csv", "--quiet"]
    assert run(line) == 2
    assert "mine.csv: is there already" in capsys.readouterr().err
    assert run([*line, "--force"]) == 0
    assert "Warning: --force: mine.csv" in capsys.readouterr().err
    assert run(["split", "--catalogue", "photos.csv", "--folds", "2"]) == 0  # the next one speaks again
    assert capsys.readouterr().err != ""


class TestCompletion:
    def completed(self, words: str) -> tuple[list[str], set[str], int]:
        """What bash is offered for the last word of a line, and what was loaded for it."""
        code = "import sys; from whalereid.cli.app import run; s = run([]); print('#', s, *sys.modules)"
        asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")), "_WHALEREID_COMPLETE": "complete_bash"}
        environment = os.environ | asked
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        offered, _, rest = done.stdout.partition("#")
        assert done.stderr == ""
        status, *loaded = rest.split()
        return offered.split(), set(loaded), int(status)

    @pytest.mark.parametrize(
        ("words", "offered"),
        [
            ("whalereid ", COMMANDS),
            ("whalereid ev", ["evaluate"]),
            ("whalereid rank --emb", ["--embeddings"]),
            ("whalereid rank --rerank ", ["none", *RERANKERS]),
            ("whalereid train --head ", list(HEADS)),
            ("whalereid evaluate --rule ", ["none", *RULES]),
            ("whalereid check --layout ", list(READERS)),
            ("whalereid embed --on-error ", ["raise", "skip"]),
            ("whalereid split --by op", ["open-set"]),
            ("whalereid evaluate --metric R", ["R-precision"]),
            ("whalereid evaluate --interval b", ["bca"]),
            ("whalereid check --catalogue ", []),  # the shell's own: files
        ],
    )
    def test_names_are_offered_and_nothing_heavy_is_loaded(self, words: str, offered: list[str]) -> None:
        found, loaded, status = self.completed(words)
        assert found == offered
        assert status == 0
        assert not HEAVY & loaded

    def test_fish_is_told_by_the_status_whether_there_is_something(self) -> None:
        for line, status in (("whalereid rank --rerank ", 0), ("whalereid check --catalogue ", 1)):
            asked = {"_WHALEREID_COMPLETE": "complete_fish", "_TYPER_COMPLETE_ARGS": line}
            environment = os.environ | asked | {"_TYPER_COMPLETE_FISH_ACTION": "is-args"}
            done = subprocess.run(
                [sys.executable, "-m", "whalereid"], env=environment, capture_output=True, check=False
            )
            assert (done.returncode, done.stderr) == (status, b"")

    def test_the_script_is_shown(self, capfd: Captured) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "whalereid", "--show-completion"], capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 2)  # 2 where the shell that runs the tests has no completion
        assert "_WHALEREID_COMPLETE" in done.stdout or done.returncode == 2
