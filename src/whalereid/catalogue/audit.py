"""What is wrong with a catalogue: its table, and the photos it names."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from whalereid.arguments import instance
from whalereid.catalogue.finding import SEVERITIES, Finding, Severity
from whalereid.catalogue.fingerprints import (
    check_arguments,
    fingerprint,
)
from whalereid.catalogue.photo_findings import findings_of_copies, findings_of_problems, problems_of_table
from whalereid.catalogue.table import Catalogue
from whalereid.catalogue.table_findings import findings_of_table
from whalereid.catalogue.usable import RuleUse, Views, rule_uses, views_of
from whalereid.errors import listing, printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

__all__ = ["Audit", "Finding", "audit"]

_MOST_VALUES = 12  # of a column in the summary
_COLOURS: dict[Severity, str] = {"error": "bold red", "warning": "yellow", "note": "cyan"}


@dataclass(frozen=True)
class Audit:
    """What a catalogue holds, and what is wrong with it. Printed, a readable table.

    Attributes
    ----------
    source : str
        The table.
    summary : mapping
        ``photos``, ``identities``, ``photos_without_identity``, ``viewpoints`` (photos of each), ``encounters``,
        ``dates`` (``first``, ``last``, ``photos``), ``positions`` (photos that have one), ``species``, ``locations``,
        ``scenarios`` (``id``, ``queries``, ``database``); without what the table has no column for.
    findings : tuple of Finding
        The worst first.
    photos_read : bool
        Whether the photos were looked at, or the table alone.
    rules : tuple of RuleUse
        For each of the usual candidate rules, whether the table has what it takes, and how many photos would have
        another of their animal among their candidates.
    views : Views
        Which viewpoints occur, and how many animals are seen from several.
    """

    source: str
    summary: Mapping[str, Any]
    findings: tuple[Finding, ...]
    photos_read: bool
    rules: tuple[RuleUse, ...]
    views: Views

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON has it."""
        findings = [{"count": finding.count, **asdict(finding)} for finding in self.findings]
        return {
            "source": self.source,
            "photos_read": self.photos_read,
            **self.summary,
            "rules": [asdict(use) for use in self.rules],
            "views": asdict(self.views),
            "findings": findings,
        }

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        yield Text(printable(self.source), style="bold")
        for name, fact in _in_words(self.summary):
            yield Text.assemble((f"{name:11} ", "dim"), printable(fact))
        yield Text.assemble((f"{'sides':11} ", "dim"), printable(str(self.views)))
        for row, use in enumerate(self.rules):
            name = "" if row else "rules"
            yield Text.assemble((f"{name:11} ", "dim"), printable(str(use)))
        yield Text()
        for finding in self.findings:
            severity = (f"{finding.severity:7} ", _COLOURS[finding.severity])
            yield Text.assemble(severity, (printable(f"{finding.message}: {finding.count:,}"), "bold"))
            yield Text(printable(f"        {finding.advice}"), style="dim")
            for example in finding.examples:
                yield Text(f"          {printable(listing([example]))}")
            if finding.count > len(finding.examples) > 0:
                yield Text(f"          … and {finding.count - len(finding.examples):,} more")
        if not self.findings:
            yield Text("nothing wrong found", style="green")
        if not self.photos_read:
            yield Text("the photos themselves were not looked at", style="dim")

    def __str__(self) -> str:
        from rich.console import Console

        text = io.StringIO()
        Console(file=text, color_system=None).print(self, soft_wrap=True)
        return text.getvalue()


def audit(catalogue: Catalogue, *, photos: bool = True, workers: int | None = None, progress: bool = False) -> Audit:
    """Look for what is wrong with a catalogue.

    In the table: paths that leave the root, photos without an identity, identities with one photo, encounters with
    several identities, two identities for one box, names that look like a missing value, viewpoints not known, dates
    that can't be read, positions of 0, 0. In the photos: missing, unreadable (cut short, not a photo), too small, of
    one shade, boxes that miss them or reach beyond them, masks that can't be read or are of another size, and photos
    that stand twice, byte for byte or nearly. The table alone tells of boxes and masks what its columns ``height`` and
    ``width`` show.

    Parameters
    ----------
    catalogue : Catalogue
        What to look at. Ids that stand twice never get this far: reading the table refuses them.
    photos : bool
        Read every photo; otherwise the table alone is looked at.
    workers : int, optional
        Threads to read photos with; by default one for each core.
    progress : bool
        Show a bar on stderr.

    Raises
    ------
    WhalereidError
        An argument is none of these; what is wrong with the catalogue is reported, not raised.

    Notes
    -----
    Near-identical photos are found by `fingerprint` and `most_similar`: each photo is compared with every earlier one,
    which takes memory for the fingerprints alone (1 kB a photo).
    """
    check_arguments(catalogue, workers, progress)
    instance(photos, "photos", (bool, np.bool_), "True or False")
    findings = findings_of_table(catalogue)
    if photos:
        prints = fingerprint(catalogue, workers=workers, progress=progress)
        findings += findings_of_problems(catalogue, prints.problems)
        findings += findings_of_copies(catalogue, prints, progress=progress)
    else:
        findings += findings_of_problems(catalogue, problems_of_table(catalogue))
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    uses, views = rule_uses(catalogue), views_of(catalogue)
    return Audit(catalogue.source, _summary(catalogue), tuple(findings), photos, uses, views)


def _summary(catalogue: Catalogue) -> dict[str, Any]:
    summary: dict[str, Any] = {"photos": len(catalogue)}
    if "identity" in catalogue.columns:
        summary["identities"] = catalogue.n_identities
        summary["photos_without_identity"] = int((~catalogue.known("identity")).sum())
    for name, plural in {"viewpoint": "viewpoints", "species": "species", "location": "locations"}.items():
        if catalogue.known(name).any():
            summary[plural] = {str(value): int(count) for value, count in catalogue.counts(name).items()}
    if catalogue.known("encounter").any():
        summary["encounters"] = int(catalogue.column("encounter").nunique())
    dates = catalogue.dates()
    dates = dates[~np.isnat(dates)]
    if len(dates):
        first, last = (str(date.astype("datetime64[D]")) for date in (dates.min(), dates.max()))
        summary["dates"] = {"first": first, "last": last, "photos": len(dates)}
    placed = int((catalogue.known("latitude") & catalogue.known("longitude")).sum())
    if placed:
        summary["positions"] = placed
    if catalogue.scenarios:
        summary["scenarios"] = [
            {"id": scenario.name, "queries": len(scenario.query_ids), "database": len(scenario.database_images)}
            for scenario in catalogue.scenarios
        ]
    return summary


def _in_words(summary: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """The summary as (what, how much) lines."""
    yield "photos", f"{summary['photos']:,}"
    if "identities" in summary:
        unknown = summary["photos_without_identity"]
        yield "identities", f"{summary['identities']:,}" + (f" (photos without: {unknown:,})" if unknown else "")
    for name in ("viewpoints", "species", "locations"):
        if name in summary:
            yield name, listing([f"{value} {count:,}" for value, count in summary[name].items()], _MOST_VALUES)
    if "encounters" in summary:
        yield "encounters", f"{summary['encounters']:,}"
    if "dates" in summary:
        dates = summary["dates"]
        undated = summary["photos"] - dates["photos"]
        yield "dates", f"{dates['first']} to {dates['last']}" + (f" (photos without: {undated:,})" if undated else "")
    if "positions" in summary:
        elsewhere = summary["photos"] - summary["positions"]
        yield "positions", f"{summary['positions']:,}" + (f" (photos without: {elsewhere:,})" if elsewhere else "")
    if "scenarios" in summary:
        asked = [f"{each['id']} {each['queries']:,} in {each['database']:,}" for each in summary["scenarios"]]
        yield "scenarios", listing(asked, _MOST_VALUES)
