"""A protocol's folder: the competition's scenario files, the labels, and the rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from whalereid.candidates.scenario_files import INDEX, read_scenarios, write_scenarios
from whalereid.errors import WhalereidError
from whalereid.files import check_whole_folder, replacing
from whalereid.outputs import is_protocol
from whalereid.ranking import CandidateRules, Task
from whalereid.reading import is_file, read_json
from whalereid.tables import write_table

__all__ = ["LABELS", "read_tasks_of_protocol", "write_protocol"]

LABELS = "labels.csv"
_FORMATS = ("whalereid-protocol/1", "whalereid-protocol/2")  # the first had columns alone: "exclude" and "match"
_RULES = "protocol.json"
_FILES = (INDEX, LABELS, "queries/scenario*.csv", "databases/scenario*.csv")


def read_tasks_of_protocol(folder: Path) -> list[Task]:
    """Read the scenario files, each with its rules where there are any; see `Protocol.read`."""
    rules = _read_rules(folder / _RULES)
    return [replace(task, rules=rules.get(task.name, CandidateRules())) for task in read_scenarios(folder / INDEX)]


def write_protocol(tasks: Sequence[Task], labels: pd.DataFrame, distractors: Sequence[str], folder: Path) -> None:
    """Write the scenario files, the labels and the rules, all or nothing; see `Protocol.write`."""
    check_whole_folder(folder, marker=_RULES, holds=_FILES, option="folder")
    if (folder / _RULES).exists() and not is_protocol(folder / _RULES):
        raise WhalereidError(f"{folder / _RULES}: isn't a protocol's that we wrote; choose a new folder.")
    content = {
        "format": _FORMATS[-1],
        "rules": {task.name: task.rules.to_list() for task in tasks},
        "distractors": distractors,
    }
    with replacing(folder) as beside:
        write_scenarios(tasks, beside)
        write_table(labels, beside / LABELS)
        text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
        (beside / _RULES).write_text(text, encoding="utf-8")


def _read_rules(path: Path) -> dict[str, CandidateRules]:
    if not is_file(path):
        return {}  # the competition's own folder has none
    content = read_json(path, "a protocol's rules")
    try:
        if content["format"] not in _FORMATS:
            raise ValueError(f"its format isn't {_FORMATS[-1]}")
        if content["format"] == _FORMATS[0]:
            return {name: CandidateRules(r["exclude"], r["match"]) for name, r in content["rules"].items()}
        return {name: CandidateRules.from_list(rules) for name, rules in content["rules"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise WhalereidError(f"{path}: isn't a protocol's rules ({said}).") from error
