"""What is wrong with the photos that a table names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from whalereid.catalogue.finding import Finding, Severity, finding
from whalereid.catalogue.fingerprints import NEAR_IDENTICAL, Fingerprints, Problem, most_similar
from whalereid.catalogue.table import Catalogue
from whalereid.errors import WhalereidError
from whalereid.files import inside

__all__ = ["findings_of_copies", "findings_of_problems", "paths_outside"]

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


def paths_outside(catalogue: Catalogue) -> dict[int, Problem]:
    """The paths that leave the root, by row."""
    problems = {}
    ids, paths = catalogue.image_ids, catalogue.column("path").to_numpy(object)
    for row in (row for row, path in enumerate(paths) if _MAY_LEAVE.search(path)):
        try:
            inside(catalogue.root, paths[row], where=f"{catalogue.source}, photo {ids[row]!r}")
        except WhalereidError as error:
            problems[row] = Problem("outside", str(error))
    return problems


def findings_of_problems(catalogue: Catalogue, problems: Mapping[int, Problem]) -> list[Finding]:
    """One finding for each kind of problem that a photo, by its row, has."""
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
        findings += finding(name, severity, message, advice, offenders[kind], examples[kind])
    return findings


def findings_of_copies(catalogue: Catalogue, prints: Fingerprints, *, progress: bool) -> list[Finding]:
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
        findings += finding(f"{kind}-conflicts", "warning", message, advice, offenders, examples)
        repeats = [pair for pair in pairs if not is_conflict(pair)]
        advice = "Leave one out, or keep both on one side of every split."
        message = f"photos that repeat another {how}"
        offenders, examples = [ids[row] for row, _ in repeats], map(in_words, repeats)
        findings += finding(f"{kind}-photos", "warning", message, advice, offenders, examples)
    return findings
