"""Files of a hub: from its cache without asking anybody, else downloaded; where they can't be, said within seconds."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

from whalereid import stopping
from whalereid.errors import WhalereidError
from whalereid.models.hub import PROBE_SECONDS, quiet_hub, silence_of

__all__ = ["SILENT_SECONDS", "HubError", "cached", "check_repository", "fetch", "look_for_hub"]

SILENT_SECONDS = 3.0
"""How long a download may bring nothing before it is given up."""

_PIECE = 16 * 1024  # bytes: the client writes what it has this often, so that a slow line isn't taken for a silent one
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_REPOSITORY = re.compile(rf"({_NAME}/{_NAME})(?:@([A-Za-z0-9][A-Za-z0-9._/-]{{0,99}}))?")


class HubError(WhalereidError):
    """A repository's file can't be had; `reason` says why, in words that stand in another sentence too."""

    def __init__(self, repository: str, reason: str) -> None:
        self.reason = reason
        ways = "Download its files elsewhere, and name their folder."
        super().__init__(f"hf-hub:{repository}: can't be had here ({reason}). {ways}")


def check_repository(said: str) -> tuple[str, str | None]:
    """Part ``OWNER/NAME`` or ``OWNER/NAME@REVISION``.

    Raises
    ------
    WhalereidError
        It is no such thing.

    Examples
    --------
    >>> check_repository("BVRA/MegaDescriptor-T-224")
    ('BVRA/MegaDescriptor-T-224', None)
    """
    parts = _REPOSITORY.fullmatch(said)
    if parts is None or ".." in said or "--" in said or "//" in said:
        raise WhalereidError(
            f"{f'hf-hub:{said}':.80}: no repository of a hub; write hf-hub:OWNER/NAME, as in "
            "hf-hub:BVRA/MegaDescriptor-T-224."
        )
    return parts[1], parts[2]


def cached(repository: str, revision: str | None, file: str) -> Path | None:
    """Where a file of a repository lies in the hub's cache; None where it doesn't."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, file, revision=revision)
    return Path(found) if isinstance(found, str) else None


def fetch(repository: str, revision: str | None, files: Sequence[str], *, most_gb: float) -> Path:
    """Give the first of some files that a repository has; a cached one is taken as it is.

    Parameters
    ----------
    repository : str
        ``OWNER/NAME``.
    revision : str, optional
        A branch, tag or commit.
    files : sequence of str
        Their names, the best first.
    most_gb : float
        The size up to which one is taken, in gigabytes.

    Raises
    ------
    WhalereidError
        They can't be had: the repository has none of them, or doesn't give them to everybody; the hub is silent, or
        falls silent for some seconds.
    """
    for file in files:
        there = cached(repository, revision, file)
        if there is not None:
            return there
    look_for_hub(repository)
    for file in files:
        with suppress(FileNotFoundError):
            return _download(repository, revision, file, most_gb)
    raise HubError(repository, f"it has no {' nor '.join(files)}")


def look_for_hub(repository: str) -> None:
    """Refuse a repository of a hub that doesn't answer.

    Raises
    ------
    WhalereidError
        It doesn't, within seconds.
    """
    silence = silence_of(None)
    if silence:
        raise HubError(repository, silence)


def _download(repository: str, revision: str | None, file: str, most_gb: float) -> Path:
    from huggingface_hub import hf_hub_download

    had: list[Any] = []

    def download() -> None:
        try:
            had.append(hf_hub_download(repository, file, revision=revision, etag_timeout=PROBE_SECONDS))
        except BaseException as error:  # of the network, the hub, the disk; raised where it is waited for
            had.append(error)

    waiting = Thread(target=download, daemon=True)
    with quiet_hub(), _in_small_pieces():
        before = set(_unfinished(repository))
        waiting.start()
        try:
            silence = _watch(waiting, repository, before, most_gb)
        except BaseException:
            _sweep(repository, before)
            raise
    if silence:
        _sweep(repository, before)
        raise HubError(repository, f"{file}: {silence}")
    if isinstance(had[0], BaseException):
        raise _in_words(had[0], repository, file) from had[0]
    return Path(had[0])


def _watch(waiting: Thread, repository: str, before: set[Path], most_gb: float) -> str:
    """Wait for a download; returns why it isn't waited for any longer, "" where it has ended."""
    size, grew_at = 0, time.monotonic()
    while waiting.is_alive():
        stopping.check()
        waiting.join(0.1)
        now = sum(there.stat().st_size for there in _unfinished(repository) if there not in before and there.exists())
        if now != size:
            size, grew_at = now, time.monotonic()
        if size > most_gb * 1e9:
            return f"is larger than the {most_gb:g} GB up to which such files are read"
        if waiting.is_alive() and time.monotonic() - grew_at > SILENT_SECONDS:
            return f"nothing came for {SILENT_SECONDS:g} s, after {size / 1e6:.1f} MB"
    return ""


def _unfinished(repository: str) -> Iterator[Path]:
    """What the client has begun to write of a repository's files."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}" / "blobs"
    yield from folder.glob("*.incomplete")


def _sweep(repository: str, before: set[Path]) -> None:
    for half in set(_unfinished(repository)) - before:
        with suppress(OSError):
            half.unlink()


@contextmanager
def _in_small_pieces() -> Iterator[None]:
    """Let the hub's client write what it gets at once, so that one can see whether anything comes."""
    from huggingface_hub import constants

    ours = {
        "DOWNLOAD_CHUNK_SIZE": _PIECE,
        "HF_HUB_DOWNLOAD_TIMEOUT": SILENT_SECONDS,
        "HF_HUB_DISABLE_XET": True,  # whose client shows nothing until it has a large part
    }
    before = {name: getattr(constants, name) for name in ours if hasattr(constants, name)}
    for name in before:
        setattr(constants, name, ours[name])
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(constants, name, value)


def _in_words(error: BaseException, repository: str, file: str) -> Exception:
    """What a download ended with, in a line; FileNotFoundError where the repository is there, but not the file."""
    from huggingface_hub.utils import EntryNotFoundError, GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(error, GatedRepoError):
        return HubError(
            repository,
            f"it is given to those who accept its conditions on https://huggingface.co/{repository}; do so, and log in "
            "with `hf auth login`",
        )
    if isinstance(error, RepositoryNotFoundError | RevisionNotFoundError):
        what = "revision" if isinstance(error, RevisionNotFoundError) else "repository"
        return HubError(repository, f"the hub has no such {what}, or shows it only to those who log in")
    if isinstance(error, EntryNotFoundError):
        return FileNotFoundError(f"{repository}: has no {file}")
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return HubError(repository, "stopped")
    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return HubError(repository, f"{file}: {said}")
