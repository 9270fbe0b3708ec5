"""What the whole suite shares: a folder of known answers, a small rendered data set, quiet libraries."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ["COLUMNS"] = "160"  # help texts are read by tests; they wrap by the terminal's width
for _asks_for_colour in ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
    os.environ.pop(_asks_for_colour, None)  # bars and colours where a test reads plain lines
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny tensors: on a busy machine threads wait for each other, not work
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a test that needed a hub would be a bug; fail at once, don't wait

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real photos and known answers, beside the checkout; the test is skipped where they are absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs ../shared (real photos and known answers), absent here")
    return folder


@pytest.fixture(scope="session")
def belugas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small rendered data set in the competition's layout; read only."""
    from whalereid.images.synthetic import render_dataset

    folder = tmp_path_factory.mktemp("rendered") / "belugas"
    render_dataset(folder, n_identities=8, n_unseen=6, seed=3, progress=False)
    return folder
