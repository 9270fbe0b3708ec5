"""One thing that is wrong with a catalogue, or good to know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Literal

__all__ = ["EXAMPLES", "SEVERITIES", "Finding", "Severity", "finding"]

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""The worst first."""

EXAMPLES = 5
"""How many offenders of each finding are shown."""


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes
    ----------
    kind : str
        A fixed name, such as ``missing-photos``.
    severity : str
        ``error``: these photos stop training and embedding; ``warning``: probably a mistake; ``note``: good to know.
    message : str
        What was found, such as ``"identities with a single photo"``.
    advice : str
        What that means, or what to do.
    offenders : tuple of str
        All of them: image ids, identities, encounters or viewpoints, as `message` says. Of photos that repeat each
        other, the later one.
    examples : tuple of str
        The first few, in words.
    """

    kind: str
    severity: Severity
    message: str
    advice: str
    offenders: tuple[str, ...]
    examples: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.offenders)


def finding(
    kind: str,
    severity: Severity,
    message: str,
    advice: str,
    offenders: Iterable[str],
    examples: Iterable[str] | None = None,
) -> list[Finding]:
    """A finding, if there are offenders; they speak for themselves without examples."""
    found = tuple(map(str, offenders))
    shown = found if examples is None else map(str, examples)
    return [Finding(kind, severity, message, advice, found, tuple(islice(shown, EXAMPLES)))] if found else []
