"""What is wrong with the photos that a table names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from whalereid.catalogue.finding import Finding, Severity, finding
from whalereid.catalogue.fingerprints import NEAR_IDENTICAL, Fingerprints, Problem, beyond, most_similar
from whalereid.catalogue.masks import located, mask_of
from whalereid.catalogue.table import Catalogue
from whalereid.errors import WhalereidError
from whalereid.files import inside

__all__ = ["findings_of_copies", "findings_of_problems", "paths_outside", "problems_of_table"]

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
    "mask": (
        "unreadable-masks",
        "error",
        "masks that can't be read, or have no pixel on their photo",
        "Draw them anew, or take them out: a photo without a box is cut by its mask, --background hides what is "
        "outside it.",
    ),
    "mask-size": (
        "masks-of-another-size",
        "error",
        "masks of another size than their photo",
        "Masks are in pixels of the upright photo, before it was made smaller.",
    ),
    "tiny": ("tiny-photos", "error", "photos with a side below 8 px", "Nothing can be told on them; take them out."),
    "bbox-part": (
        "boxes-beyond",
        "warning",
        "boxes that reach beyond their photo",
        "They are cut off at its edge. Boxes are pixels of the upright photo, before it was made smaller.",
    ),
    "flat": ("flat-photos", "warning", "photos of one shade all over", "Black, white or fog: nothing to be seen."),
}


# What every path that leaves its root has: only these are taken apart, for most of a million have none of it.
_MAY_LEAVE = re.compile(r"\.\.|^[/\\]|:|\0|^\s*$")


def problems_of_table(catalogue: Catalogue) -> dict[int, Problem]:
    """What is wrong, by row, as far as the table alone shows it.

    Paths that leave the root; masks that can't be read, but for pictures, which aren't opened; and, by the columns
    ``height`` and ``width`` where there are such, boxes and masks of photos of another size.
    """
    problems = _masks_alone(catalogue)
    for row, (box, width, height) in _sized_boxes(catalogue):
        odd = beyond(box, width, height, where=f"{catalogue.source}, photo {catalogue.image_ids[row]!r}")
        if odd is not None and (odd.kind == "bbox" or row not in problems):
            problems[row] = odd
    return problems | paths_outside(catalogue)


def _sized_boxes(catalogue: Catalogue) -> Iterator[tuple[int, tuple[tuple[float, ...], float, float]]]:
    """Boxes of photos whose size the table says, by row: (box, width, height)."""
    known = catalogue.known("bbox") & catalogue.known("height") & catalogue.known("width")
    if not known.any():
        return
    columns = (catalogue.column(name)[known].tolist() for name in ("bbox", "width", "height"))
    yield from zip(np.flatnonzero(known).tolist(), zip(*columns, strict=True), strict=True)


def _masks_alone(catalogue: Catalogue) -> dict[int, Problem]:
    problems: dict[int, Problem] = {}
    known = catalogue.known("mask")
    if not known.any():
        return problems
    sized = catalogue.known("height") & catalogue.known("width")
    nothing = [0.0] * len(catalogue)
    heights, widths = (catalogue.column(n).tolist() if sized.any() else nothing for n in ("height", "width"))
    masks, ids = catalogue.column("mask").tolist(), catalogue.image_ids
    for row in np.flatnonzero(known).tolist():
        where = f"{catalogue.source}, photo {ids[row]!r}"
        try:
            mask = mask_of(located(masks[row], catalogue.root, where=f"{where}: its mask"), where=where)
        except WhalereidError as error:
            problems[row] = Problem("mask", str(error))
            continue
        unlike = mask.unlike(heights[row], widths[row]) if sized[row] else ""
        if unlike:
            problems[row] = Problem("mask-size", f"{where}: its mask {unlike}.")
    return problems


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
