"""What is wrong with a table of photos, before any photo is looked at."""

from __future__ import annotations

import unicodedata
from collections import defaultdict

import numpy as np
import pandas as pd

from whalereid.catalogue.box_findings import findings_of_boxes
from whalereid.catalogue.dates import either_way
from whalereid.catalogue.finding import EXAMPLES, Finding, finding
from whalereid.catalogue.suggestions import did_you_mean, suggest_columns
from whalereid.catalogue.table import Catalogue
from whalereid.errors import listing
from whalereid.text import is_viewpoint, reads_as_missing

__all__ = ["findings_of_table"]


def findings_of_table(catalogue: Catalogue) -> list[Finding]:
    """What is wrong with identities, encounters, viewpoints and dates, and with the names of the columns."""
    looked_at = ("image_id", "identity", "viewpoint", "encounter", "date", "timestamp")
    columns = {name: catalogue.column(name) for name in catalogue.columns if name in looked_at}
    frame = pd.DataFrame(columns, copy=False)
    findings = _findings_of_identities(frame) if catalogue.n_identities else []
    findings += findings_of_boxes(catalogue)
    if not catalogue.n_identities:
        advice = "They can be embedded and ranked, not trained on or scored."
        question = did_you_mean(catalogue.columns, "identity")
        advice += f" {question[:1].upper()}{question[1:]}" if question else ""
        findings += finding("no-identities", "note", "photos, none with an identity", advice, frame["image_id"], ())
    meant = [f"{known}={name}" for known, name in suggest_columns(catalogue.columns).items() if known != "identity"]
    advice = "Rename the column to what stands before the equals sign, if that is what it means."
    findings += finding("similar-columns", "note", "columns that may be known ones by another name", advice, meant)
    if "viewpoint" in frame:
        odd = frame["viewpoint"].dropna()
        counts = odd[~odd.map(is_viewpoint).astype(bool)].value_counts()
        advice = "Known are top, bottom, left, right, front, back, and these joined; others work, if they are meant."
        examples = [f"{value}: {count:,}" for value, count in counts.items()]
        findings += finding(
            "unknown-viewpoints", "warning", "viewpoints not recognised", advice, counts.index, examples
        )
    for name in ("identity", "encounter", "viewpoint", "species", "location"):
        findings += _findings_of_missing_words(catalogue, name)
    if catalogue.known("latitude").any() and catalogue.known("longitude").any():
        nowhere = (catalogue.column("latitude") == 0) & (catalogue.column("longitude") == 0)
        advice = "That is in the Gulf of Guinea. If it means that the place isn't known, leave both fields empty."
        findings += finding("null-positions", "warning", "positions of 0, 0", advice, frame["image_id"][nowhere])
    given = [name for name in ("date", "timestamp") if name in frame]
    orders = {name: catalogue.date_order(name) for name in given}
    disagree = {name: either_way(frame[name]) & orders[name].disagrees for name in given}
    rows = np.logical_or.reduce([np.zeros(len(frame), bool), *disagree.values()])
    shown = {order.day_first: order.month_first for order in orders.values() if order.disagrees}
    examples = [f"{day} has the day first, {month} the month" for day, month in shown.items()]
    advice = "None of them is read. Write YYYY-MM-DD."
    message = "dates that disagree about which number is the month"
    findings += finding("disagreeing-dates", "warning", message, advice, frame["image_id"][rows], examples)
    unreadable = [catalogue.known(name) & np.isnat(catalogue.dates(name)) & ~disagree[name] for name in given]
    unread = frame[np.logical_or.reduce(unreadable)] if given else frame[:0]
    written = unread[given].head(EXAMPLES)
    examples = [
        f"{image_id}: {', '.join(date for date in dates if isinstance(date, str))}"
        for image_id, dates in zip(unread["image_id"], written.itertuples(index=False), strict=False)
    ]
    advice = "Write YYYY-MM-DD; a date such as 3/4/2019 is read only if others show which number is the month."
    findings += finding("unreadable-dates", "warning", "dates that can't be read", advice, unread["image_id"], examples)
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
    return finding(f"missing-looking-{plural}", "warning", message, advice, counts.index, examples)


def _findings_of_identities(frame: pd.DataFrame) -> list[Finding]:
    findings: list[Finding] = []
    identity = frame["identity"]
    unknown = frame["image_id"][identity.isna()]
    advice = "They are left out of training and can't be scored."
    findings += finding("no-identity", "note", "photos without an identity", advice, unknown)
    counts = identity.value_counts().sort_index()
    if len(counts) == 1:
        advice = "There is nobody to tell it from: nothing can be trained or scored."
        findings += finding("one-identity", "warning", "identities in all", advice, counts.index)
    findings += _findings_of_spelling(counts)
    once = counts.index[counts == 1]
    advice = "Such a photo has no match: as a query it can't be scored, in training it teaches little."
    findings += finding("single-photo-identities", "note", "identities with a single photo", advice, once)
    if "encounter" in frame:
        pairs = frame[["encounter", "identity"]].dropna().drop_duplicates().sort_values(["encounter", "identity"])
        pairs = pairs[pairs["encounter"].duplicated(keep=False)]  # few, so only these are gathered one by one
        mixed = pairs.groupby("encounter", sort=True)["identity"].agg(list)
        advice = "Right where an encounter is a meeting with a group; where it is with one animal, a mistake."
        examples = [f"{encounter}: {listing(names)}" for encounter, names in mixed.head(EXAMPLES).items()]
        findings += finding(
            "mixed-encounters", "warning", "encounters with several identities", advice, mixed.index, examples
        )
    return findings


def _findings_of_spelling(counts: pd.Series) -> list[Finding]:
    """Names of one animal written in two ways, as far as that can be told."""
    written: dict[str, list[str]] = defaultdict(list)
    for name in counts.index:
        written[_spoken(name)].append(name)
    groups = [names for names in written.values() if len(names) > 1]
    examples = [" = ".join(f"{name!r} ({counts[name]:,})" for name in names) for names in groups[:EXAMPLES]]
    advice = "They count as different animals; if they are one, write the name in one way."
    names = [name for group in groups for name in group]
    message = "identities that differ only in case or spacing"
    return finding("similar-identities", "warning", message, advice, names, examples)


def _spoken(name: str) -> str:
    """A name without what is not heard: case, spaces, signs that don't show, and how its accents are coded."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(sign for sign in folded if not sign.isspace() and unicodedata.category(sign) != "Cf")
