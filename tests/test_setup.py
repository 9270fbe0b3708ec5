"""The set-up script: what it says where a machine isn't fit."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def fake_bin(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def set_up(repository: Path, tmp_path: Path, fake_bin: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(repository / "tools" / "venv.sh"), "plain"],
        env={**os.environ, "PATH": f"{fake_bin}:{os.environ['PATH']}", "VENV": str(tmp_path / "venv"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_an_old_python_is_named(repository: Path, tmp_path: Path, fake_bin: Path) -> None:
    program(fake_bin, "python3.9", 'case "$1" in -V) echo "Python 3.9.18";; *) exit 1;; esac')
    result = set_up(repository, tmp_path, fake_bin, PYTHON="python3.9")
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "needs Python 3.11 or newer, found Python 3.9.18" in result.stderr
    assert not (tmp_path / "venv").exists()


def test_no_python_at_all_is_said(repository: Path, tmp_path: Path, fake_bin: Path) -> None:
    result = set_up(repository, tmp_path, fake_bin, PYTHON="no-such-python")
    assert result.returncode == 2
    assert "needs Python 3.11 or newer" in result.stderr.splitlines()[-1]


def test_a_full_disk_is_said_before_anything_is_installed(repository: Path, tmp_path: Path, fake_bin: Path) -> None:
    program(
        fake_bin, "df", 'echo "Filesystem 1024-blocks Used Available Capacity Mounted"; echo "/dev/x 9 9 100000 1% /"'
    )
    result = set_up(repository, tmp_path, fake_bin, PYTHON=sys.executable)
    assert result.returncode == 2
    assert "the disk is full: 100 MB free" in result.stderr
    assert not (tmp_path / "venv" / "bin").exists()


def test_a_disk_that_fills_while_installing_is_said(repository: Path, tmp_path: Path, fake_bin: Path) -> None:
    venv_bin = tmp_path / "venv" / "bin"
    venv_bin.mkdir(parents=True)
    program(
        venv_bin,
        "python",
        'case "$*" in *install*) echo "ERROR: [Errno 28] No space left on device" >&2; exit 1;; esac',
    )
    result = set_up(repository, tmp_path, fake_bin, PYTHON=sys.executable, WHALEREID_DISK_KB="1")
    assert result.returncode == 2
    assert "the disk is full: installing whalereid stopped" in result.stderr.splitlines()[-1]


def test_nothing_is_done_twice(repository: Path, tmp_path: Path, fake_bin: Path) -> None:
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    program(venv / "bin", "python", "exit 1")  # any use of it would fail
    cksum = subprocess.run(["cksum", "pyproject.toml"], cwd=repository, capture_output=True, text=True, check=True)
    (venv / ".whalereid-plain").write_text(cksum.stdout)
    result = set_up(repository, tmp_path, fake_bin)
    assert (result.returncode, result.stderr) == (0, "")


def test_make_names_its_targets(repository: Path) -> None:
    result = subprocess.run(["make", "help"], cwd=repository, capture_output=True, text=True, check=True)
    assert {"demo", "test", "check"} <= {line.split()[1] for line in result.stdout.splitlines()}
