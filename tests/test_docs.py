"""The documentation keeps its word: code blocks run, commands and options exist, pictures are there."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from whalereid import parts
from whalereid.registry import Registry

ROOT = Path(__file__).resolve().parents[1]
MAP = "mAP@20"
PAGES = sorted(p.relative_to(ROOT).as_posix() for p in [*ROOT.glob("docs/*.md"), *ROOT.glob("*.md")])


def blocks(page: str, language: str) -> list[str]:
    """Fenced blocks of a language, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def lite0(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ImageNet weights of EfficientNet-Lite0 with timm's names, as a file."""
    from safetensors.torch import save_file

    import whalereid as wr

    path = tmp_path_factory.mktemp("weights") / "lite0.safetensors"
    save_file(wr.Embedder.load("lite0").backbone.state_dict(), path)
    return path


def readme(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """The block finds animals: far better than a network that knows nothing, and than chance."""
    import torch

    import whalereid as wr

    valid, rules = names["valid"], names["rules"]

    def found(vectors: wr.Embeddings) -> float:
        ranking = wr.Ensemble([wr.Member("other", vectors)]).rank(valid, valid, k=20, **rules)
        return float(wr.evaluate(wr.Protocol.from_catalogue(valid, **rules), ranking)[MAP])

    vectors, score = names["vectors"], names["report"][MAP]
    chance = found(wr.Embeddings.from_numpy(vectors.ids, np.random.default_rng(0).normal(size=(len(vectors), 64))))
    torch.manual_seed(0)
    untrained = wr.Embedder.from_config(names["net"].config | {"weights": "random"})
    with pytest.warns(UserWarning, match="random weights: they rank noise"):
        noise = found(wr.embed(untrained, valid, extraction=wr.Extraction(flip=True), progress=False))
    told = capsys.readouterr()
    assert 0.65 < score <= 1  # 0.76 as measured
    assert score > max(chance, noise) + 0.25, (score, chance, noise)
    assert vectors.provenance["network"]["weights"] == "lite0"
    assert f"{score:.4f}" in told.out  # and this is what it prints
    assert "random weights" not in told.err


def embeddings(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    vectors, photos, told = names["vectors"], names["photos"], capsys.readouterr().out
    assert vectors.ids.tolist() == photos.image_ids.tolist()
    assert np.linalg.norm(vectors.vectors - vectors.vectors[0], axis=1)[1:].min() > 0  # each photo's own
    assert vectors.provenance["network"]["weights"] == "random"
    assert names["long"].dim == 1792
    assert "flip is true there, false now" in told
    assert "Embeddings(40 photos, 8 wide)" in told


def ranking(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """The made-up animals are found, by the rules; the last ranking is the tasks'."""
    import whalereid as wr

    photos = names["photos"]
    score = wr.evaluate(wr.Protocol.from_catalogue(photos, exclude=["encounter"]), names["ranking"])[MAP]
    assert 0.6 < score <= 1  # 30 animals of 4 photos: chance is below 0.1
    best = names["expanded"].to_frame()
    who = photos.frame.set_index("image_id")["identity"]
    first = best.drop_duplicates("query_id")
    assert (who[first["query_id"]].to_numpy() == who[first["database_image_id"]].to_numpy()).mean() > 0.7
    assert "from elsewhere" in capsys.readouterr().out


def evaluation(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert names["three"] == [1 / 2, 1 / 3, 1]
    report = names["report"]
    assert 0 <= report[MAP] <= report["top-20"] <= 1
    candidates = len(names["vectors"]) - 1
    assert (
        report[MAP] > 2 * (report.per_query["relevant"] / candidates).mean()
    )  # a list in no order comes to about that
    figures = report.metrics["value"].dropna()
    assert len(figures)
    assert ((figures >= 0) & (figures <= 1)).all()


RESULTS: dict[str, Callable[[dict[str, Any], pytest.CaptureFixture[str]], None]] = {
    "README.md": readme,
    "docs/embeddings.md": embeddings,
    "docs/ranking.md": ranking,
    "docs/evaluation.md": evaluation,
}


@pytest.fixture(autouse=True)
def what_a_page_adds_is_gone_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for registry in vars(parts).values():
        if isinstance(registry, Registry):
            monkeypatch.setattr(registry, "_added", dict(registry._added))


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_python_blocks_run_and_mean_something(
    page: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    belugas: Path,
    lite0: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In order, in one namespace, in a folder where `belugas/` is a small rendered data set."""
    (tmp_path / "belugas").symlink_to(belugas)
    (tmp_path / "lite0.safetensors").symlink_to(lite0)
    monkeypatch.chdir(tmp_path)
    module = ModuleType(f"docs_{Path(page).stem}")  # which dataclasses look for
    monkeypatch.setitem(sys.modules, module.__name__, module)
    namespace = vars(module)
    for number, code in enumerate(blocks(page, "python"), start=1):
        exec(compile(code, f"{page}, block {number}", "exec"), namespace)
    if page in RESULTS:
        RESULTS[page](namespace, capsys)


def commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for block in [*blocks(page, "console"), *blocks(page, "sh"), *blocks(page, "bash")]:
            joined = re.sub(r"\\\n\s*(>\s)?", " ", block)
            lines = [line.removeprefix("$ ") for line in joined.splitlines()]
            found += [(page, line) for line in lines if line.startswith(("whalereid ", "python examples/"))]
    return found


@pytest.mark.parametrize(("page", "line"), commands())
def test_commands_and_options_exist(page: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    from whalereid.cli.app import run

    words = shlex.split(line, comments=True)
    if words[0] == "python":
        assert (ROOT / words[1]).is_file(), f"{page} names {words[1]}, which isn't there"
        return
    assert run([words[1], "--help"]) == 0, f"{page} names the command {words[1]}"
    known = set(re.findall(r"(?<![\w-])(--?[a-z][\w-]*)", capsys.readouterr().out))
    options = {word.partition("=")[0] for word in words[2:] if re.match(r"--?[a-z]", word)}
    assert options <= known | {"--help"}, f"{page}: {line}"


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_are_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$|`[^`\n]+`", "", text, flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose)
    missing = [t for t in targets if "://" not in t and not ((ROOT / page).parent / t).exists()]
    assert not missing, f"{page} points to {missing}"
