"""Run: what `fit` gives back of a training that it brought to its end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from whalereid.html import Html, facts, section, table

__all__ = ["HISTORY", "LATER", "Run"]

HISTORY = ["epoch", "lr", "train_loss", "valid_loss", "valid_mAP@20", "valid_top-1", "seconds", "waiting"]
LATER = frozenset({"waiting"})
"""Columns that trainings begun by earlier versions lack."""

_MOST_ROWS = 10


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """A training that `fit` brought to its end.

    Attributes
    ----------
    folder : Path
        RUN; ``Embedder.load(folder)`` gives the network of the best epoch.
    history : DataFrame
        One row an epoch: ``epoch`` (from 1), ``lr`` (the network's, at the epoch's first step), ``train_loss``,
        ``valid_loss``, ``valid_mAP@20``, ``valid_top-1`` (NaN where there is nothing to measure), ``seconds``, and
        ``waiting``, the share of the training steps' time in which the network waited for photos (NaN in epochs of
        versions that didn't measure it).
    best_epoch : int
        Whose weights were kept, counted from 1.
    untrained : dict
        ``mAP@20`` and ``top-1`` of the validation photos before the first step; empty without validation.
    """

    folder: Path
    history: pd.DataFrame
    best_epoch: int
    untrained: dict[str, float]

    def _figures(self) -> dict[str, float]:
        """What the validation gave in the best epoch, but what wasn't measured."""
        best = self.history.iloc[self.best_epoch - 1]
        columns = {"valid_mAP@20": "mAP@20", "valid_top-1": "top-1", "valid_loss": "validation loss"}
        return {name: float(best[column]) for column, name in columns.items() if pd.notna(best[column])}

    def __repr__(self) -> str:
        figures = ", ".join(f"{name} {value:.3f}" for name, value in self._figures().items())
        epochs = f"best of {len(self.history)} epochs: {self.best_epoch}"
        return f"Run({str(self.folder)!r}, {epochs}{f', {figures}' if figures else ''})"

    def _repr_html_(self) -> Html:
        """The run as notebooks show it: its best epoch, and the last lines of its history."""
        told = {"best epoch": self.best_epoch, "epochs": len(self.history), **self._figures()}
        told |= {f"untrained {name}": value for name, value in self.untrained.items()}
        columns = [name for name in self.history.columns if self.history[name].notna().any()]
        shown = self.history[columns].tail(_MOST_ROWS)
        rows = [[int(row[0]), *row[1:]] for row in shown.itertuples(index=False)]
        return section(f"Run {self.folder}", facts(told), table(columns, rows))
