"""Tasks from a split: its test photos, looked for among themselves, the training photos, or all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np

from whalereid.arguments import choice, instance, whole_number
from whalereid.arrays import integers
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.ranking import CandidateRules, Task

if TYPE_CHECKING:
    from whalereid.splits import Splitter  # it loads scikit-learn, which scoring does without

__all__ = ["Split", "tasks_from_split"]

Split: TypeAlias = Union["Splitter", tuple[Sequence[int] | np.ndarray, Sequence[int] | np.ndarray]]


def tasks_from_split(
    catalogue: Catalogue, split: Split | Mapping[str, Split], *, database: str, fold: int, rules: CandidateRules
) -> list[Task]:
    """Return a task for a split, or one for each of several; see `Protocol.from_split`."""
    choice(database, "database", ("test", "train", "all"))
    fold = whole_number(fold, "fold", 0)
    several = isinstance(split, Mapping)
    named: Mapping[str, Split] = split if isinstance(split, Mapping) else {"test": split}
    ids, tasks = catalogue.image_ids, []
    for name, one in named.items():
        train, test = _rows_of_split(catalogue, one, fold)
        searched = np.union1d(train, test) if database == "all" else {"test": test, "train": train}[database]
        query_ids = [f"{name}-{image_id}" for image_id in ids[test]] if several else ids[test]
        tasks.append(Task(name, tuple(query_ids), tuple(ids[test]), tuple(ids[searched]), rules))
    return tasks


def _rows_of_split(catalogue: Catalogue, split: Split, fold: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the train part and of the test part."""
    if isinstance(split, tuple | list):
        if len(split) != 2:
            raise WhalereidError(f"split holds {len(split)} parts; give a splitter, or rows as (train, test).")
        train, test = integers(split[0], "split's train part"), integers(split[1], "split's test part")
        for part in (train, test):
            wrong = part[(part < 0) | (part >= len(catalogue))]
            if len(wrong):
                raise WhalereidError(f"{catalogue.source}: no row {wrong[0]}; its {len(catalogue)} rows count from 0.")
        return train, test
    if isinstance(split, str | bytes) or not callable(getattr(split, "split", None)):
        instance(split, "split", (tuple, list), "a splitter, such as IdentityFolds(5), or rows as (train, test)")
    pairs = list(split.split(catalogue))
    if not 0 <= fold < len(pairs):
        raise WhalereidError(f"fold {fold} is out of range; {split!r} gives {len(pairs)}, counted from 0.")
    return pairs[fold]
