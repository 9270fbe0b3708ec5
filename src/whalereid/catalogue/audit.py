"""What is wrong with a catalogue: its table, and the photos it names."""

from __future__ import annotations

import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from whalereid.arguments import instance
from whalereid.catalogue.dates import either_way
from whalereid.catalogue.fingerprints import (
    NEAR_IDENTICAL,
    Fingerprints,
    Problem,
    check_arguments,
    fingerprint,
    most_similar,
)
from whalereid.catalogue.schema import is_viewpoint
from whalereid.catalogue.suggestions import did_you_mean, suggest_columns
from whalereid.catalogue.table import Catalogue
from whalereid.catalogue.usable import RuleUse, Views, rule_uses, views_of
from whalereid.errors import WhalereidError, printable
from whalereid.files import inside
from whalereid.text import reads_as_missing

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

__all__ = ["Audit", "Finding", "audit"]

Severity = Literal["error", "warning", "note"]
_EXAMPLES = 5  # of each finding
_MOST_VALUES = 12  # of a column in the summary
_COLOURS: dict[Severity, str] = {"error": "bold red", "warning": "yellow", "note": "cyan"}


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


@dataclass(frozen=True)
class Audit:
    """What a catalogue holds, and what is wrong with it. Printed, a readable table.

    Attributes
    ----------
    source : str
        The table.
    summary : mapping
        ``photos``, ``identities``, ``photos_without_identity``, ``viewpoints`` (photos of each), ``encounters``,
        ``dates`` (``first``, ``last``, ``photos``), ``species``, ``locations``, ``scenarios`` (``id``, ``queries``,
        ``database``); without what the table has no column for.
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
                yield Text(f"          {printable(example)}")
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
    several identities, names that look like a missing value, viewpoints not known, dates that can't be read. In the
    photos: missing, unreadable (cut short,
    not a photo), too small, of one shade, boxes that miss them, and photos that stand twice, byte for byte or nearly.

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
    findings = _findings_of_table(catalogue)
    if photos:
        prints = fingerprint(catalogue, workers=workers, progress=progress)
        findings += _findings_of_problems(catalogue, prints.problems)
        findings += _findings_of_copies(catalogue, prints, progress=progress)
    else:
        findings += _findings_of_problems(catalogue, _paths_outside(catalogue))
    findings.sort(key=lambda finding: list(_COLOURS).index(finding.severity))
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
    if catalogue.scenarios:
        summary["scenarios"] = [
            {"id": scenario.name, "queries": len(scenario.query_ids), "database": len(scenario.database_images)}
            for scenario in catalogue.scenarios
        ]
    return summary


def _findings_of_table(catalogue: Catalogue) -> list[Finding]:
    looked_at = ("image_id", "identity", "viewpoint", "encounter", "date", "timestamp")
    columns = {name: catalogue.column(name) for name in catalogue.columns if name in looked_at}
    frame = pd.DataFrame(columns, copy=False)
    findings = _findings_of_identities(frame) if catalogue.n_identities else []
    if not catalogue.n_identities:
        advice = "They can be embedded and ranked, not trained on or scored."
        question = did_you_mean(catalogue.columns, "identity")
        advice += f" {question[:1].upper()}{question[1:]}" if question else ""
        findings += _finding("no-identities", "note", "photos, none with an identity", advice, frame["image_id"], ())
    meant = [f"{ours}={name}" for ours, name in suggest_columns(catalogue.columns).items() if ours != "identity"]
    advice = "Rename the column to what stands before the equals sign, if that is what it means."
    findings += _finding("similar-columns", "note", "columns that may be known ones by another name", advice, meant)
    if "viewpoint" in frame:
        odd = frame["viewpoint"].dropna()
        counts = odd[~odd.map(is_viewpoint).astype(bool)].value_counts()
        advice = "Known are top, bottom, left, right, front, back, and these joined; others work, if they are meant."
        examples = [f"{value}: {count:,}" for value, count in counts.items()]
        findings += _finding(
            "unknown-viewpoints", "warning", "viewpoints not recognised", advice, counts.index, examples
        )
    for name in ("identity", "encounter", "viewpoint", "species", "location"):
        findings += _findings_of_missing_words(catalogue, name)
    given = [name for name in ("date", "timestamp") if name in frame]
    orders = {name: catalogue.date_order(name) for name in given}
    disagree = {name: either_way(frame[name]) & orders[name].disagrees for name in given}
    rows = np.logical_or.reduce([np.zeros(len(frame), bool), *disagree.values()])
    shown = {order.day_first: order.month_first for order in orders.values() if order.disagrees}
    examples = [f"{day} has the day first, {month} the month" for day, month in shown.items()]
    advice = "None of them is read. Write YYYY-MM-DD."
    message = "dates that disagree about which number is the month"
    findings += _finding("disagreeing-dates", "warning", message, advice, frame["image_id"][rows], examples)
    unreadable = [catalogue.known(name) & np.isnat(catalogue.dates(name)) & ~disagree[name] for name in given]
    unread = frame[np.logical_or.reduce(unreadable)] if given else frame[:0]
    written = unread[given].head(_EXAMPLES)
    examples = [
        f"{image_id}: {', '.join(date for date in dates if isinstance(date, str))}"
        for image_id, dates in zip(unread["image_id"], written.itertuples(index=False), strict=False)
    ]
    advice = "Write YYYY-MM-DD; a date such as 3/4/2019 is read only if others show which number is the month."
    findings += _finding(
        "unreadable-dates", "warning", "dates that can't be read", advice, unread["image_id"], examples
    )
    return findings


def _findings_of_missing_words(catalogue: Catalogue, column: str) -> list[Finding]:
    """Names that are probably none, but what a program writes where there is none."""
    if not catalogue.known(column).any():
        return []
    counts = catalogue.counts(column)
    counts = counts[[reads_as_missing(name) for name in counts.index]]
    plural = {"identity": "identities", "species": "species"}.get(column, f"{column}s")
    advice = f"Taken for a name. If it means that the {column} isn't known, leave the field empty or write unknown."
    examples = [f"{name}: {count:,} {'photo' if count == 1 else 'photos'}" for name, count in counts.items()]
    message = f"{plural} that look like a missing value"
    return _finding(f"missing-looking-{plural}", "warning", message, advice, counts.index, examples)


def _findings_of_identities(frame: pd.DataFrame) -> list[Finding]:
    findings: list[Finding] = []
    identity = frame["identity"]
    unknown = frame["image_id"][identity.isna()]
    advice = "They are left out of training and can't be scored."
    findings += _finding("no-identity", "note", "photos without an identity", advice, unknown)
    counts = identity.value_counts().sort_index()
    if len(counts) == 1:
        advice = "There is nobody to tell it from: nothing can be trained or scored."
        findings += _finding("one-identity", "warning", "identities in all", advice, counts.index)
    findings += _findings_of_spelling(counts)
    once = counts.index[counts == 1]
    advice = "Such a photo has no match: as a query it can't be scored, in training it teaches little."
    findings += _finding("single-photo-identities", "note", "identities with a single photo", advice, once)
    if "encounter" in frame:
        pairs = frame[["encounter", "identity"]].dropna().drop_duplicates().sort_values(["encounter", "identity"])
        pairs = pairs[pairs["encounter"].duplicated(keep=False)]  # few, so only these are gathered one by one
        mixed = pairs.groupby("encounter", sort=True)["identity"].agg(list)
        advice = "Right where an encounter is a meeting with a group; where it is with one animal, a mistake."
        examples = [f"{encounter}: {_some(names)}" for encounter, names in mixed.head(_EXAMPLES).items()]
        findings += _finding(
            "mixed-encounters", "warning", "encounters with several identities", advice, mixed.index, examples
        )
    return findings


def _findings_of_spelling(counts: pd.Series) -> list[Finding]:
    """Names of one animal written in two ways, as far as that can be told."""
    written: dict[str, list[str]] = defaultdict(list)
    for name in counts.index:
        written[_spoken(name)].append(name)
    groups = [names for names in written.values() if len(names) > 1]
    examples = [" = ".join(f"{name!r} ({counts[name]:,})" for name in names) for names in groups[:_EXAMPLES]]
    advice = "They count as different animals; if they are one, write the name in one way."
    names = [name for group in groups for name in group]
    message = "identities that differ only in case or spacing"
    return _finding("similar-identities", "warning", message, advice, names, examples)


def _spoken(name: str) -> str:
    """A name without what is not heard: case, spaces, signs that don't show, and how its accents are coded."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(sign for sign in folded if not sign.isspace() and unicodedata.category(sign) != "Cf")


_PROBLEMS: dict[str, tuple[str, Severity, str, str]] = {
    "outside": ("paths-outside", "error", "paths that leave the table's folder", "Make them relative to it."),
    "missing": ("missing-photos", "error", "photos that are missing", "Copy them there, or take out their rows."),
    "unreadable": (
        "unreadable-photos",
        "error",
        "files that can't be read as photos",
        "Replace them, or take them out.",
    ),
    "bbox": ("boxes-outside", "error", "boxes that miss their photo", "Boxes are pixels of the upright photo."),
    "tiny": ("tiny-photos", "error", "photos with a side below 8 px", "Nothing can be told on them; take them out."),
    "flat": ("flat-photos", "warning", "photos of one shade all over", "Black, white or fog: nothing to be seen."),
}


# What every path that leaves its root has: only these are taken apart, for most of a million have none of it.
_MAY_LEAVE = re.compile(r"\.\.|^[/\\]|:|\0|^\s*$")


def _paths_outside(catalogue: Catalogue) -> dict[int, Problem]:
    problems = {}
    ids, paths = catalogue.image_ids, catalogue.column("path").to_numpy(object)
    for row in (row for row, path in enumerate(paths) if _MAY_LEAVE.search(path)):
        try:
            inside(catalogue.root, paths[row], where=f"{catalogue.source}, photo {ids[row]!r}")
        except WhalereidError as error:
            problems[row] = Problem("outside", str(error))
    return problems


def _findings_of_problems(catalogue: Catalogue, problems: Mapping[int, Problem]) -> list[Finding]:
    ids = catalogue.image_ids
    offenders: dict[str, list[str]] = defaultdict(list)
    examples: dict[str, list[str]] = defaultdict(list)
    for row, problem in sorted(problems.items()):
        offenders[problem.kind].append(ids[row])
        examples[problem.kind].append(problem.message)
    findings: list[Finding] = []
    for kind, (name, severity, message, advice) in _PROBLEMS.items():
        if kind == "missing" and len(offenders[kind]) == len(catalogue):
            advice = "That is all of them: the table and its photos don't lie together."
        findings += _finding(name, severity, message, advice, offenders[kind], examples[kind])
    return findings


def _findings_of_copies(catalogue: Catalogue, prints: Fingerprints, *, progress: bool) -> list[Finding]:
    """Each photo that repeats an earlier one counts once."""
    first: dict[bytes, int] = {}
    same = [
        (row, first[digest])
        for row, digest in enumerate(prints.digests)
        if digest and first.setdefault(digest, row) != row
    ]
    copies = {row for row, _ in same}
    seen = np.flatnonzero(prints.vectors.any(axis=1))
    alone = np.array([row for row in seen if row not in copies], np.int64)
    twin, similarity = most_similar(prints.vectors[alone], progress=progress)
    near = [(int(alone[at]), int(alone[twin[at]])) for at in np.flatnonzero(similarity >= NEAR_IDENTICAL)]
    ids = catalogue.image_ids
    names = (
        catalogue.column("identity").to_numpy(object) if catalogue.n_identities else np.full(len(ids), np.nan, object)
    )

    def is_conflict(pair: tuple[int, int]) -> bool:
        one, other = names[pair[0]], names[pair[1]]
        return isinstance(one, str) and isinstance(other, str) and one != other

    def in_words(pair: tuple[int, int]) -> str:
        row, earlier = pair
        if is_conflict(pair):
            return f"{ids[row]} ({names[row]}) = {ids[earlier]} ({names[earlier]})"
        return f"{ids[row]} = {ids[earlier]}"

    findings: list[Finding] = []
    for kind, pairs, how in (("identical", same, "byte for byte"), ("near-identical", near, "nearly")):
        conflicts = [pair for pair in pairs if is_conflict(pair)]
        message = f"photos that repeat another {how}, under another identity"
        advice = "One of the two identities is wrong, or both animals are in the photo."
        offenders, examples = [ids[row] for row, _ in conflicts], map(in_words, conflicts)
        findings += _finding(f"{kind}-conflicts", "warning", message, advice, offenders, examples)
        repeats = [pair for pair in pairs if not is_conflict(pair)]
        advice = "Leave one out, or keep both on one side of every split."
        message = f"photos that repeat another {how}"
        offenders, examples = [ids[row] for row, _ in repeats], map(in_words, repeats)
        findings += _finding(f"{kind}-photos", "warning", message, advice, offenders, examples)
    return findings


def _finding(
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
    return [Finding(kind, severity, message, advice, found, tuple(islice(shown, _EXAMPLES)))] if found else []


def _in_words(summary: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """The summary as (what, how much) lines."""
    yield "photos", f"{summary['photos']:,}"
    if "identities" in summary:
        unknown = summary["photos_without_identity"]
        yield "identities", f"{summary['identities']:,}" + (f" (photos without: {unknown:,})" if unknown else "")
    for name in ("viewpoints", "species", "locations"):
        if name in summary:
            yield name, _some([f"{value} {count:,}" for value, count in summary[name].items()], _MOST_VALUES)
    if "encounters" in summary:
        yield "encounters", f"{summary['encounters']:,}"
    if "dates" in summary:
        dates = summary["dates"]
        undated = summary["photos"] - dates["photos"]
        yield "dates", f"{dates['first']} to {dates['last']}" + (f" (photos without: {undated:,})" if undated else "")
    if "scenarios" in summary:
        asked = [f"{each['id']} {each['queries']:,} in {each['database']:,}" for each in summary["scenarios"]]
        yield "scenarios", _some(asked, _MOST_VALUES)


def _some(items: list[str], most: int = _EXAMPLES) -> str:
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")
