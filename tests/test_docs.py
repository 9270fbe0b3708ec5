"""The documentation keeps its word: code blocks run, commands and options exist, pictures are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(p.relative_to(ROOT).as_posix() for p in [*ROOT.glob("docs/*.md"), *ROOT.glob("*.md")])


def blocks(page: str, language: str) -> list[str]:
    """Fenced blocks of a language, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_python_blocks_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, belugas: Path) -> None:
    """In order, in one namespace, in a folder where `belugas/` is a small rendered data set."""
    (tmp_path / "belugas").symlink_to(belugas)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": f"docs_{Path(page).stem}"}
    for number, code in enumerate(blocks(page, "python"), start=1):
        exec(compile(code, f"{page}, block {number}", "exec"), namespace)


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
