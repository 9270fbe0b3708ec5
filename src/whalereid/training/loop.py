"""The loop: epochs of steps, each measured and kept, from a checkpoint or from the start."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import pandas as pd
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, gather_object
from torch import nn

from whalereid.catalogue import TrainedOn
from whalereid.errors import WhalereidError, listing
from whalereid.models import Embedder, load_weights
from whalereid.training.batches import AnySampler
from whalereid.training.checkpoint import check_checkpoint
from whalereid.training.folder import CHECKPOINT, RunFolder, read_checkpoint
from whalereid.training.items import TrainingItems, catalogue_of
from whalereid.training.optimizer import default_workers
from whalereid.training.options import FitOptions
from whalereid.training.progress import TrainingProgress
from whalereid.training.recipe import Recipe
from whalereid.training.run import HISTORY, Run
from whalereid.training.steps import Steps, make_batches
from whalereid.training.validation import Validation, ValidationScores
from whalereid.training.waiting import in_all, share_in_words

__all__ = ["TrainingLoop"]


class TrainingLoop:
    """A training from its first epoch, or from a checkpoint, to its end.

    Parameters
    ----------
    net, head, items : Embedder, Module, TrainingItems
        What is trained, and on what.
    validation : Validation or None
        What the epoch is chosen by.
    recipe : Recipe
    accelerator : Accelerator
    batches : iterable, callable or None
        A sampler, or a function that makes one; None where the recipe says how batches are made.
    options : FitOptions
    """

    def __init__(
        self,
        net: Embedder,
        head: nn.Module,
        items: TrainingItems,
        validation: Validation | None,
        recipe: Recipe,
        accelerator: Accelerator,
        batches: AnySampler | None,
        options: FitOptions,
    ) -> None:
        self.net, self.head, self.items, self.validation = net, head, items, validation
        self.recipe, self.accelerator = recipe, accelerator
        self.workers = default_workers() if options.workers is None else options.workers
        self.batches = make_batches(items, batches, recipe, accelerator, options.seed)
        self.steps = Steps(
            net, head, items, self.batches, recipe, accelerator, seed=options.seed, workers=self.workers
        )  # fmt: skip
        self.records: list[dict[str, float]] = []  # one an epoch
        self.best_epoch, self.best_score = 0, float("-inf")
        self.untrained: dict[str, float] = {}
        self.trained_on = _trained_on(net, items, validation)

    @property
    def finished(self) -> bool:
        """Whether the last epoch is done, or patience has run out."""
        done, patience = len(self.records), self.recipe.patience
        return done >= self.recipe.epochs or (patience is not None and done - self.best_epoch >= patience)

    def run(self, out: Path, folder: RunFolder | None, display: TrainingProgress) -> Run:
        """Train from the checkpoint, if there is one, to the end; only the main process has a `folder`."""
        # At once: each epoch's vectors are measured, and one that is stopped has learnt.
        self.net.mark_trained(self.trained_on)
        state = read_checkpoint(out)
        if state is not None:
            self._restore(state, out)
            if folder is not None:
                self._write_progress(folder)  # a kill may have come between the checkpoint and these
            display.say(f"Resuming after epoch {len(self.records)} of {self.recipe.epochs}.")
        elif folder is not None and folder.begins_anew:
            display.say("No epoch was finished there: it begins with the first.")
        display.begin(done=len(self.records))
        if state is None:
            self._measure_untrained(display)
        while not self.finished:
            self._epoch(len(self.records), folder, display)
        return self._end(out, display)

    def _measure_untrained(self, display: TrainingProgress) -> None:
        """Measure before the first step: to compare with, and to find bad validation photos now, not in an hour."""
        if self.validation is None:
            display.say("No validation photos: the last epoch will be kept.")
            return
        display.validating()
        figures = self._measure(self.validation)
        if self.recipe.select_by == "loss" and not math.isfinite(figures.loss):
            raise WhalereidError(
                f"the validation loss is {figures.loss} before training, so no epoch can be chosen by it; "
                "use select_by='mAP'."
            )
        self.untrained = {"mAP@20": figures.mean_average_precision, "top-1": figures.top_1}
        words = ", ".join([f"{self.validation.n_queries} validation queries", *self.validation.rules.in_words()])
        display.say(f"untrained: mAP@20 {figures.mean_average_precision:.3f}, top-1 {figures.top_1:.3f} ({words})")

    def _epoch(self, epoch: int, folder: RunFolder | None, display: TrainingProgress) -> None:
        """Train epoch number `epoch`, counted from 0, measure it, and keep it."""
        began = time.monotonic()
        self.steps.begin(epoch)
        display.start_epoch(epoch + 1, len(self.batches))
        loss, waiting = self.steps.take(epoch, display)
        rate = display.rate()
        display.validating()
        figures = ValidationScores() if self.validation is None else self._measure(self.validation)
        score = self._score(figures)
        better = not self.best_epoch or score > self.best_score
        if better:
            self.best_epoch, self.best_score = epoch + 1, score
        seconds = round(time.monotonic() - began, 2)
        lr = self.recipe.lr * self.recipe.schedule.factor(epoch, self.recipe.epochs)
        measured = (figures.loss, figures.mean_average_precision, figures.top_1)
        values = (epoch + 1, lr, loss, *measured, seconds, round(waiting, 4))
        self.records.append(dict(zip(HISTORY, values, strict=True)))
        if folder is not None:
            if better:
                folder.keep(self.net, self.head)
            folder.write_checkpoint(self._state())  # from here on the epoch counts as done
            self._write_progress(folder)
        words = _in_words(loss, figures, best=better and self.validation is not None)
        display.end_epoch(f"{words}; {rate:.0f} photos/s, {share_in_words(waiting)}")
        self.accelerator.wait_for_everyone()

    def _write_progress(self, folder: RunFolder) -> None:
        """Write for people what the checkpoint holds."""
        folder.write_history(self._history())
        folder.note(self._progress())

    def _measure(self, validation: Validation) -> ValidationScores:
        """Measure in the main process, and let the others know, also where it failed."""
        found: list[ValidationScores | str] = [""]
        if self.accelerator.is_main_process:
            options: dict[str, Any] = {"precision": self.recipe.precision, "device": self.accelerator.device}
            options |= {"on_error": self.items.on_error}
            try:
                found = [validation.measure(self.net, self.head, workers=self.workers, **options)]
                self._refuse_nothing_left(validation)
            except WhalereidError as error:
                found = [str(error)]
        if self.accelerator.num_processes > 1:
            broadcast_object_list(found)
        if isinstance(found[0], str):
            raise WhalereidError(found[0])
        return found[0]

    def _refuse_nothing_left(self, validation: Validation) -> None:
        """Stop where the photos that no epoch can be chosen without can't be read, now rather than at the end."""
        by = {"mAP": (validation.n_queries, "query"), "loss": (validation.n_losses, "photo of a known class")}
        left, what = by[self.recipe.select_by]
        if not left:
            raise WhalereidError(
                f"no validation {what} is left to choose the epoch by: {listing(validation.notes, most=1)} "
                "Mend those photos (`whalereid check` lists them), or validate on others."
            )

    def _score(self, figures: ValidationScores) -> float:
        """What epochs are chosen by; higher is better, and what isn't a number worse than any."""
        if self.validation is None:
            return float(len(self.records))
        score = figures.mean_average_precision if self.recipe.select_by == "mAP" else -figures.loss
        return float("-inf") if math.isnan(score) else score

    def _state(self) -> dict[str, Any]:
        scaler = self.steps.scaler
        return {
            "net": self.net.state_dict(),
            "head": self.head.state_dict(),
            "optimizer": self.steps.optimizer.state_dict(),
            "scaler": scaler.state_dict() if scaler is not None else None,
            "records": self.records,
            "best": (self.best_epoch, self.best_score),
            "untrained": self.untrained,
        }

    def _restore(self, state: Any, out: Path) -> None:
        check_checkpoint(
            state,
            str(out / CHECKPOINT),
            net=self.net,
            head=self.head,
            optimizer=self.steps.optimizer,
            columns=HISTORY,
            epochs=self.recipe.epochs,
            validated=self.validation is not None,
        )
        self._load_best(out)  # now, since the end wants it, whatever epochs come before
        self.net.load_state_dict(state["net"])
        self.net.mark_trained(self.trained_on)
        self.head.load_state_dict(state["head"])
        self.steps.optimizer.load_state_dict(state["optimizer"])
        if self.steps.scaler is not None and state["scaler"]:
            self.steps.scaler.load_state_dict(state["scaler"])
        self.records = [{name: record.get(name, math.nan) for name in HISTORY} for record in state["records"]]
        self.best_epoch, self.best_score = state["best"]
        self.untrained = state["untrained"]

    def _load_best(self, out: Path) -> None:
        """Give network and head the weights of the best epoch."""
        load_weights(self.net, out / "model.safetensors")
        if self.head.state_dict():  # a loss may have no weights at all
            load_weights(self.head, out / "head.safetensors")

    def _history(self) -> pd.DataFrame:
        return pd.DataFrame(self.records, columns=HISTORY).astype({"epoch": int})

    def _progress(self) -> dict[str, Any]:
        best = {key: _json_number(value) for key, value in self.records[self.best_epoch - 1].items()}
        untrained = {key: _json_number(value) for key, value in self.untrained.items()}
        return {"epochs": len(self.records), "finished": self.finished, "best": best, "untrained": untrained}

    def _end(self, out: Path, display: TrainingProgress) -> Run:
        if self.finished and len(self.records) < self.recipe.epochs:
            display.say(f"No better epoch in {self.recipe.patience}: stopped early.")
        waited = in_all(self._history(), self.workers)
        if waited is not None:
            display.say(waited)
        self._load_best(out)
        self.net.eval()
        self.head.eval()
        best = self.records[self.best_epoch - 1]
        if self.validation is not None:
            words = f"mAP@20 {best['valid_mAP@20']:.3f}, top-1 {best['valid_top-1']:.3f}"
            display.say(f"best: epoch {self.best_epoch}, {words} (untrained {self.untrained['mAP@20']:.3f})")
            if best["valid_mAP@20"] < self.untrained["mAP@20"]:
                display.say("The untrained network ranks these photos better; train longer, or on more photos.")
        for note in self.validation.notes if self.validation is not None else ():
            display.say(f"validation: {note}")
        skipped = self.items.skipped
        if self.accelerator.num_processes > 1:
            skipped = sorted(set(gather_object(skipped)))  # each process has met its own
        for image_id, reason in skipped:
            display.say(f"skipped {image_id}: {reason}")
        return Run(out, self._history(), self.best_epoch, dict(self.untrained))


def _trained_on(net: Embedder, items: TrainingItems, validation: Validation | None) -> TrainedOn | None:
    """What the network will have been trained on; None where its weights came from elsewhere, untold of what."""
    photos = catalogue_of(items)
    if photos is None:
        return None
    now = TrainedOn.of(photos, chosen_by=None if validation is None else validation.photos)
    return TrainedOn.of_all([net.trained_on, now])


def _in_words(loss: float, figures: ValidationScores, *, best: bool) -> str:
    words = f"loss {loss:.3f}"
    if not math.isnan(figures.loss):
        words += f", validation loss {figures.loss:.3f}"
    if not math.isnan(figures.mean_average_precision):
        words += f", mAP@20 {figures.mean_average_precision:.3f}, top-1 {figures.top_1:.3f}"
    return f"{words}{' (best so far)' if best else ''}"


def _json_number(value: float) -> float | None:
    return value if math.isfinite(value) else None
