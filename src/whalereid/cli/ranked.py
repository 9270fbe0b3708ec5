"""Who was looked for among whom in a ranking that is scored, and by which rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whalereid.cli.console import say
from whalereid.errors import WhalereidError, listing
from whalereid.parts import RULES
from whalereid.registry import Part

if TYPE_CHECKING:
    from whalereid.catalogue import Catalogue
    from whalereid.evaluation import Protocol
    from whalereid.ranking import CandidateRules, Ranking, Task

__all__ = ["ChangedRules", "rules_in_words", "tasks_of"]


@dataclass(frozen=True)
class ChangedRules:
    """What --exclude, --match and --rule put in place of a ranking's own rules; None leaves these as they are."""

    exclude: tuple[str, ...] | None
    match: tuple[str, ...] | None
    further: tuple[Any, ...] | None

    @classmethod
    def from_options(
        cls, exclude: Sequence[str] | None, match: Sequence[str] | None, rule: Sequence[Part | None] | None
    ) -> ChangedRules:
        """Read the options, where the word ``none`` (a rule's is None) lifts what the ranking has."""
        columns = [tuple(name for name in given if name != "none") if given else None for given in (exclude, match)]
        further = tuple(RULES.make(part) for part in rule if part is not None) if rule else None
        return cls(columns[0], columns[1], further)

    @property
    def options(self) -> list[str]:
        """The options that were given."""
        given = {"--exclude": self.exclude, "--match": self.match, "--rule": self.further}
        return [option for option, value in given.items() if value is not None]

    def of(self, rules: CandidateRules) -> CandidateRules:
        """Change a ranking's rules."""
        from whalereid.candidates import CandidateRules, Differ, Same

        rules = rules.but(exclude=self.exclude, match=self.match)
        if self.further is None:
            return rules
        return CandidateRules(rules=[*(one for one in rules.rules if isinstance(one, Differ | Same)), *self.further])


def tasks_of(paths: list[Path], rankings: list[Ranking], photos: Catalogue, change: ChangedRules) -> list[Task]:
    """Who was looked for among whom: as ranked, or by the catalogue's scenarios, or every photo."""
    from dataclasses import replace

    from whalereid.ranking import read_tasks, task_path

    beside = [path for path in paths if task_path(path).is_file()]
    found = [read_tasks(path) for path in beside] or [_usual_tasks(rankings, photos)]
    tasks, *others = [[replace(task, rules=change.of(task.rules)) for task in some] for some in found]
    if beside:
        over = f", but for {listing(change.options)}" if change.options else ""
        say(f"following {listing(task_path(path) for path in beside)}{over}")
    else:
        among = "the scenarios" if photos.scenarios and len(tasks) == len(photos.scenarios) else "all photos"
        say(f"no {task_path(paths[0]).name} beside the ranking: taking {among} of {photos.source}")
    if any(other != tasks for other in others):
        raise WhalereidError(
            f"{paths[0]} and {paths[1]} answer different tasks (see their .task.json): rank the same queries among the "
            "same photos, by the same rules, or set the rules for both with --exclude, --match and --rule."
        )
    return tasks


def _usual_tasks(rankings: list[Ranking], photos: Catalogue) -> list[Task]:
    from whalereid.evaluation import query_photos
    from whalereid.ranking import Task, tasks_from

    ranked = rankings[0].query_ids
    known = {query_id for scenario in photos.scenarios for query_id in scenario.query_ids}
    if photos.scenarios and known.issuperset(ranked):
        return tasks_from(photos)
    images, _ = query_photos(ranked, photos)
    names = [str(query_id) for query_id in ranked]
    return [Task("all", tuple(names), tuple(images), tuple(photos.image_ids))]


def rules_in_words(protocol: Protocol) -> str:
    """Say in words who is compared with whom."""
    said = []
    for rules in dict.fromkeys(task.rules for task in protocol.tasks):
        said.append(", ".join(["never the photo itself", *rules.in_words()]))
    photos = len({image for task in protocol.tasks for image in task.database_images})
    return f"{len(protocol.query_ids):,} queries in {photos:,} photos; candidates: {'; or '.join(said)}"
