"""The page that `whalereid start` ends with, of rendered belugas: docs/images/start.png; drawn by Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from style import IMAGES

from whalereid.cli.app import run
from whalereid.files import replacing
from whalereid.images.synthetic import render_dataset

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--window-size=1180,1000"),
)


def main() -> None:
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        print("start.png: no Chromium here, so the picture stays as it is", file=sys.stderr)
        return
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        render_dataset("photos", n_identities=8, n_unseen=6, seed=3, progress=False)
        assert run(["start", "photos", "--out", "out", "--no-open", "--quiet"]) == 0
        page = Path("out/report/index.html").resolve().as_uri()
        with replacing(IMAGES / "start.png") as beside:
            shot = beside.with_name("start.part.png")
            profile = f"--user-data-dir={folder}/profile"
            subprocess.run([browser, *OPTIONS, profile, f"--screenshot={shot}", page], check=True, capture_output=True)
            shot.rename(beside)


if __name__ == "__main__":
    main()
