"""Who may be compared with whom: candidate rules, their masks, and the tasks that they belong to."""

from whalereid.candidates.columns import Differ, Same
from whalereid.candidates.lifetime import Alive
from whalereid.candidates.mask import CandidateMask
from whalereid.candidates.pairs import MustNot, read_must_not
from whalereid.candidates.place import BeyondDistance, WithinDistance
from whalereid.candidates.rule import Bound, Compared, PhotoTable, Rule
from whalereid.candidates.rules import CandidateRules
from whalereid.candidates.task import Task
from whalereid.candidates.time import BeyondDays, WithinDays
from whalereid.candidates.viewpoints import Viewpoints

__all__ = [
    "Alive",
    "BeyondDays",
    "BeyondDistance",
    "Bound",
    "CandidateMask",
    "CandidateRules",
    "Compared",
    "Differ",
    "MustNot",
    "PhotoTable",
    "Rule",
    "Same",
    "Task",
    "Viewpoints",
    "WithinDays",
    "WithinDistance",
    "read_must_not",
]
