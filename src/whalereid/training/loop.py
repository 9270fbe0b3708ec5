"""fit: trains an embedder and its head, keeps the best epoch, and can be killed and resumed at any moment."""

from __future__ import annotations

import errno
import hashlib
import math
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import broadcast_object_list, gather_object, parse_flag_from_env
from torch import Tensor, nn
from torch.utils.data import DataLoader

from whalereid import arguments, stopping
from whalereid.candidates.rules import AnyRule, CandidateRules
from whalereid.catalogue import Catalogue, TrainedOn
from whalereid.catalogue.fingerprints import content_keys
from whalereid.errors import WhalereidError, listing
from whalereid.images import CrossViewPairs, PhotoDataset, collate
from whalereid.models import Embedder, load_weights
from whalereid.splits import leakage
from whalereid.training.arithmetic import depthwise_in_float32, mixed_precision, repeatable
from whalereid.training.batches import EpochBatches
from whalereid.training.checkpoint import check_checkpoint
from whalereid.training.checks import check_head, check_preprocessing
from whalereid.training.folder import CHECKPOINT, RunFolder, epochs_kept, read_checkpoint
from whalereid.training.items import PHOTOS_IN_WORDS, Photos, make_items
from whalereid.training.photos import check_files
from whalereid.training.progress import TrainingProgress
from whalereid.training.recipe import Recipe
from whalereid.training.validation import Validation, ValidationScores

__all__ = ["Run", "fit"]

HISTORY = ["epoch", "lr", "train_loss", "valid_loss", "valid_mAP@20", "valid_top-1", "seconds"]
_SHOW_EVERY = 0.25  # seconds between looks at the loss, which make an accelerator wait


@dataclass(frozen=True, eq=False)
class Run:
    """A training that `fit` brought to its end.

    Attributes
    ----------
    folder : Path
        RUN; ``Embedder.load(folder)`` gives the network of the best epoch.
    history : DataFrame
        One row an epoch: ``epoch`` (from 1), ``lr`` (the network's, at the epoch's first step), ``train_loss``,
        ``valid_loss``, ``valid_mAP@20``, ``valid_top-1`` (NaN where there is nothing to measure) and ``seconds``.
    best_epoch : int
        Whose weights were kept, counted from 1.
    untrained : dict
        ``mAP@20`` and ``top-1`` of the validation photos before the first step; empty without validation.
    """

    folder: Path
    history: pd.DataFrame
    best_epoch: int
    untrained: dict[str, float]


def fit(
    net: Embedder,
    head: nn.Module,
    train: Photos,
    valid: Photos | None = None,
    *,
    recipe: Recipe | str = "default",
    out: str | os.PathLike[str],
    labels_from: str | Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    match: Sequence[str] = (),
    rules: CandidateRules | Iterable[AnyRule] = (),
    on_error: Literal["raise", "skip"] = "raise",
    seed: int = 0,
    workers: int | None = None,
    resume: bool = False,
    force: bool = False,
    progress: bool = True,
) -> Run:
    """Train an embedder with its head, and keep the epoch that ranks the validation photos best.

    The folder `out` holds the network of the best epoch from the first epoch's end on, and a checkpoint a finished
    epoch; killed at any moment, ``resume=True`` goes on to the same weights as if it had not been (on one machine).
    Two trainings of one seed on one machine are equal. Under ``accelerate launch`` it trains on several devices.

    Parameters
    ----------
    net : Embedder
        Trained in place; at the end it has the weights of the best epoch.
    head : nn.Module
        ``head(embeddings (B, D) float32, labels (B,) int64)`` → mean loss, with a class for each identity. Any loss of
        pytorch-metric-learning is one, with weights of its own or without.
    train : Catalogue, PhotoDataset or CrossViewPairs
        What to train on. Of a catalogue, photos of known identity, augmented as the recipe says; a data set comes with
        its own transform and seed, and must prepare photos as ``net.preprocessing`` says. The loss of a pair is the sum
        of its photos' losses, each view a batch of its own, so that batch norm sees one viewpoint at a time.
    valid : Catalogue, PhotoDataset or CrossViewPairs, optional
        What to choose the epoch by (of a data set its catalogue), prepared as `embed` does. Without it the last epoch
        is kept.
    recipe : Recipe or str
        How to train; a name is one of ``whalereid.training.RECIPES``.
    out : path
        RUN, a new or empty folder.
    labels_from : str or sequence of str, optional
        The columns whose values together are a photo's class, by default ``identity`` (a data set's are its own). With
        ``["identity", "viewpoint"]`` each flank of an animal is a class of its own;
        ``whalereid.images.class_names(train, labels_from)`` lists them. Validation ranks by identity all the same.
    exclude, match : sequence of str
        Rules of the validation's ranking, as in `Ensemble.rank`; by default candidates of the query's own encounter are
        excluded where encounters are known.
    rules : CandidateRules or sequence of Rule
        Further rules of that ranking.
    on_error : {"raise", "skip"}
        What to do with a photo that can't be read, where `train` is a catalogue. Those skipped are listed at the end.
    seed : int
        Of the order of photos, augmentation, dropout and the head's margins.
    workers : int, optional
        Processes that prepare photos; by default chosen by the machine. It doesn't change the result.
    resume : bool
        Go on with the training that `out` holds; everything else must be as it was. One that stopped before the end of
        its first epoch begins anew.
    force : bool, default=False
        Remove the training that `out` holds, and begin anew.
    progress : bool
        Tell on stderr how it goes.

    Returns
    -------
    Run
        Its folder, history and best epoch.

    Raises
    ------
    WhalereidError
        An argument can't be used, no validation query is left, the loss stops being finite, the memory is too small, or
        the disk is full. A training that has not finished an epoch leaves nothing in `out`, unless the disk was full.
    KeyboardInterrupt
        On Ctrl-C, with a message that says what is kept.

    Examples
    --------
    >>> net = Embedder("resnet10t", weights="weights.safetensors")           # doctest: +SKIP
    >>> head = ElasticArcFace(net.dim, train.n_identities)                   # doctest: +SKIP
    >>> fit(net, head, train, valid, out="runs/first", seed=1).best_epoch    # doctest: +SKIP
    17
    """
    arguments.instance(net, "net", Embedder, "an Embedder")
    arguments.instance(head, "head", nn.Module, "a head, such as ElasticArcFace(net.dim, train.n_identities)")
    arguments.instance(recipe, "recipe", (Recipe, str), "a Recipe, or the name of one")
    arguments.instance(out, "out", (str, os.PathLike), "the path of a folder")
    exclude = None if exclude is None else arguments.column_names(exclude, "exclude")
    match = arguments.column_names(match, "match")
    rules = CandidateRules.of(rules)
    arguments.choice(on_error, "on_error", ("raise", "skip"))
    seed = arguments.seed(seed)
    workers = None if workers is None else arguments.whole_number(workers, "workers", 0)
    for flag, name in ((resume, "resume"), (force, "force"), (progress, "progress")):
        arguments.instance(flag, name, bool, "True or False")
    recipe = Recipe.named(recipe) if isinstance(recipe, str) else recipe
    items, notes = make_items(train, net, recipe, labels_from=labels_from, on_error=on_error, seed=seed)
    reading, untold = check_preprocessing(items, net, recipe)
    check_head(head, net.dim, len(items.classes))
    validation = _validation(valid, items, recipe, exclude=exclude, match=match, rules=rules)
    settings = _settings(net, head, items, validation, recipe, mirrors=reading.mirrors, seed=seed)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else CUDA's products differ from run to run
    with repeatable(seed), stopping.later(lambda: _to_go_on_with(Path(out), recipe)):
        begun_elsewhere = bool(AcceleratorState._shared_state)
        accelerator = _accelerator(recipe.precision)
        folder = None
        try:
            folder = RunFolder(out, settings, resume=resume, force=force) if accelerator.is_main_process else None
            accelerator.wait_for_everyone()
            with TrainingProgress(recipe.epochs, show=progress and folder is not None) as display:
                for note in (*notes, *untold):
                    display.say(note)
                if validation is not None and folder is not None:
                    _warn_of_leakage(items.catalogue, validation.photos, display)
                training = _Training(net, head, items, validation, recipe, accelerator, seed=seed, workers=workers)
                return training.run(Path(out), folder, display)
        except Exception as error:
            full = _is_full_disk(error)
            if folder is not None and not (full or stopping.asked()):
                folder.discard()  # unless an epoch is kept, nothing in it is worth resuming
            if _is_lack_of_memory(error):
                raise _lack_of_memory(net, recipe, _kept_in_words(Path(out), recipe)) from error
            if isinstance(error, WhalereidError) and not isinstance(error, _DivergedError) and folder is not None:
                kept = _kept_in_words(Path(out), recipe, also_none=full)
                if kept:
                    raise WhalereidError(f"{error} {kept} Once that is mended, go on with --resume.") from error
            raise
        finally:
            accelerator.free_memory()
            if not begun_elsewhere:
                AcceleratorState._reset_state()  # so that the next training may have another precision


class _DivergedError(WhalereidError):
    """A training that would diverge again if it were resumed."""


class _LossOf(nn.Module):
    """Network and head as one module, which Accelerate wraps: the caller's own stay as they are."""

    def __init__(self, net: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.net, self.head = net, head

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """(B, 3, H, W), or (B, views, 3, H, W) → the loss, summed over views."""
        views = images.unbind(1) if images.ndim == 5 else (images,)
        return torch.stack([self._loss(view, labels) for view in views]).sum()

    def _loss(self, images: Tensor, labels: Tensor) -> Tensor:
        embeddings = self.net(images.contiguous(memory_format=torch.channels_last))
        with torch.autocast(images.device.type, enabled=False):  # margins and softmax need float32
            loss: Tensor = self.head(embeddings.float(), labels)
        return loss


class _Training:
    """What the epochs of one training share."""

    def __init__(
        self,
        net: Embedder,
        head: nn.Module,
        items: PhotoDataset | CrossViewPairs,
        validation: Validation | None,
        recipe: Recipe,
        accelerator: Accelerator,
        *,
        seed: int,
        workers: int | None,
    ) -> None:
        self.net, self.head, self.items, self.validation = net, head, items, validation
        self.recipe, self.accelerator, self.seed = recipe, accelerator, seed
        self.workers = _workers(accelerator.device) if workers is None else workers
        self.batches = EpochBatches(
            len(items),
            recipe.batch_size,
            shuffle=recipe.shuffle,
            seed=seed,
            process=accelerator.process_index,
            processes=accelerator.num_processes,
        )
        self.loader: DataLoader[Any] = DataLoader(
            items,
            batch_sampler=self.batches,
            num_workers=self.workers,
            collate_fn=collate,
            pin_memory=accelerator.device.type == "cuda",
            persistent_workers=self.workers > 0,
            worker_init_fn=stopping.leave_to_parent,
            generator=torch.Generator(),  # its own, so that workers don't draw on the training's
        )
        net.to(memory_format=torch.channels_last)  # before several processes agree on how gradients lie in memory
        self.model, self.optimizer = accelerator.prepare(_LossOf(net, head), _optimizer(net, head, recipe))
        self.records: list[dict[str, float]] = []  # one an epoch
        # Photos that can't be read may leave one process without a batch while others have theirs.
        self._batches_may_lack = accelerator.num_processes > 1 and items.on_error == "skip"
        self.best_epoch, self.best_score = 0, float("-inf")
        self.untrained: dict[str, float] = {}
        self.learnt = _learnt(net, items, validation)

    @property
    def finished(self) -> bool:
        """Whether the last epoch is done, or patience has run out."""
        done, patience = len(self.records), self.recipe.patience
        return done >= self.recipe.epochs or (patience is not None and done - self.best_epoch >= patience)

    def run(self, out: Path, folder: RunFolder | None, display: TrainingProgress) -> Run:
        """Train from the checkpoint, if there is one, to the end; only the main process has a `folder`."""
        # At once: each epoch's vectors are measured, and one that is stopped has learnt.
        self.net.mark_trained(self.learnt)
        state = read_checkpoint(out)
        if state is not None:
            self._restore(state, out)
            if folder is not None:
                self._tell(folder)  # a kill may have come between the checkpoint and these
            display.say(f"Resuming after epoch {len(self.records)} of {self.recipe.epochs}.")
        elif folder is not None and folder.begins_anew:
            display.say("No epoch was finished there: it begins with the first.")
        display.begin(done=len(self.records))
        if state is None:
            self._look_at_the_untrained(display)
        while not self.finished:
            self._epoch(len(self.records), folder, display)
        return self._end(out, display)

    def _look_at_the_untrained(self, display: TrainingProgress) -> None:
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
        words = f"{self.validation.n_queries} validation queries"
        words = ", ".join([words, *_rules_in_words(self.validation.rules)])
        display.say(f"untrained: mAP@20 {figures.mean_average_precision:.3f}, top-1 {figures.top_1:.3f} ({words})")

    def _epoch(self, epoch: int, folder: RunFolder | None, display: TrainingProgress) -> None:
        """Train epoch number `epoch`, counted from 0, measure it, and keep it."""
        began = time.monotonic()
        torch.manual_seed(_mix(self.seed, epoch, self.accelerator.process_index))
        self.batches.set_epoch(epoch)
        self.items.set_epoch(epoch)
        display.start_epoch(epoch + 1, len(self.batches))
        loss = self._steps(epoch, display)
        rate = display.rate()
        display.validating()
        figures = ValidationScores() if self.validation is None else self._measure(self.validation)
        score = self._score(figures)
        better = not self.best_epoch or score > self.best_score
        if better:
            self.best_epoch, self.best_score = epoch + 1, score
        seconds = time.monotonic() - began
        lr = self.recipe.lr * self.recipe.schedule.factor(epoch, self.recipe.epochs)
        values = (epoch + 1, lr, loss, figures.loss, figures.mean_average_precision, figures.top_1, round(seconds, 2))
        self.records.append(dict(zip(HISTORY, values, strict=True)))
        if folder is not None:
            if better:
                folder.keep(self.net, self.head)
            folder.write_checkpoint(self._state())  # from here on the epoch counts as done
            self._tell(folder)
        display.end_epoch(_in_words(loss, figures, rate, best=better and self.validation is not None))
        self.accelerator.wait_for_everyone()

    def _tell(self, folder: RunFolder) -> None:
        """Write for people what the checkpoint holds."""
        folder.write_history(self._history())
        folder.note(self._progress())

    def _steps(self, epoch: int, display: TrainingProgress) -> float:
        """Take the steps of an epoch; returns the mean loss over its photos."""
        device, recipe = self.accelerator.device, self.recipe
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        total, count, shown = torch.zeros((), device=device), 0, 0.0
        self.model.train()
        self.net.to(memory_format=torch.channels_last)  # each epoch anew: `embed` gives it back in the plain format
        with depthwise_in_float32(self.net) if device.type == "cpu" else nullcontext():
            for step, (images, labels, rows) in enumerate(self.loader):
                stopping.check()
                if not self._all_have(len(rows)):
                    continue
                factor = recipe.schedule.factor(epoch + step / len(self.batches), recipe.epochs)
                for group in self.optimizer.param_groups:
                    group["lr"] = group["peak"] * factor
                loss = self.model(images.to(device, non_blocking=True), labels.to(device, non_blocking=True))
                self.optimizer.zero_grad()
                self.accelerator.backward(loss)
                if recipe.clip is not None:
                    self.accelerator.clip_grad_norm_(parameters, recipe.clip)
                self.optimizer.step()
                total += loss.detach() * len(rows)
                count += len(rows)
                if time.monotonic() - shown > _SHOW_EVERY:
                    # Of several processes one alone must not stop: all do at the epoch's end.
                    alone = self.accelerator.num_processes == 1
                    mean = self._finite(total, count, epoch) if alone else float(total) / count
                    shown = time.monotonic()
                display.step(len(rows) * self.accelerator.num_processes, mean)
        if not count:
            raise WhalereidError("no training photo could be read; `whalereid check` lists what is wrong with them.")
        if not all(bool(p.isfinite().all()) for p in parameters):
            total = total * float("nan")
        both = self.accelerator.reduce(torch.stack([total, torch.tensor(float(count), device=device)]), "sum")
        return self._finite(both[0], float(both[1]), epoch)

    def _all_have(self, n: int) -> bool:
        """Whether this step can be taken, by all processes or by none: each waits for the others' gradients.

        Of a batch whose other photos were skipped nothing may be left, or one photo, which batch norm can't train on.
        """
        enough = n >= 2
        if not self._batches_may_lack:
            return enough
        having = self.accelerator.reduce(torch.tensor(float(enough), device=self.accelerator.device), "sum")
        return int(having) == self.accelerator.num_processes

    def _finite(self, total: Tensor, count: float, epoch: int) -> float:
        mean = float(total) / count
        if not math.isfinite(mean):
            raise _DivergedError(
                f"epoch {epoch + 1}: the loss is {mean}, so the training has diverged and was stopped; train anew with "
                "a lower --lr or in --precision fp32 (the folder keeps the epochs before)."
            )
        return mean

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
        scaler = self.accelerator.scaler
        return {
            "net": self.net.state_dict(),
            "head": self.head.state_dict(),
            "optimizer": self.optimizer.state_dict(),
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
            optimizer=self.optimizer,
            columns=HISTORY,
            epochs=self.recipe.epochs,
            validated=self.validation is not None,
        )
        self._load_best(out)  # now, since the end wants it, whatever epochs come before
        self.net.load_state_dict(state["net"])
        self.net.mark_trained(self.learnt)
        self.head.load_state_dict(state["head"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.accelerator.scaler is not None and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        self.records = list(state["records"])
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


def _learnt(net: Embedder, items: PhotoDataset | CrossViewPairs, validation: Validation | None) -> TrainedOn | None:
    """What the network will have been trained on; None where its weights came from elsewhere, untold of what."""
    now = TrainedOn.of(items.catalogue[items.used], chosen_by=None if validation is None else validation.photos)
    return TrainedOn.of_all([net.trained_on, now])


def _validation(
    valid: Photos | None,
    items: PhotoDataset | CrossViewPairs,
    recipe: Recipe,
    *,
    exclude: Sequence[str] | None,
    match: Sequence[str],
    rules: CandidateRules,
) -> Validation | None:
    if valid is None:
        return None
    arguments.instance(valid, "valid", (Catalogue, PhotoDataset, CrossViewPairs), f"{PHOTOS_IN_WORDS}, or None")
    photos = valid if isinstance(valid, Catalogue) else valid.catalogue
    validation = Validation(photos, items, exclude=exclude, match=match, rules=rules)
    if items.on_error == "raise":
        check_files(photos)
    if recipe.select_by == "mAP" and not validation.n_queries:
        words = ", ".join(_rules_in_words(validation.rules))
        raise WhalereidError(
            f"{photos.source}: no validation photo has another of its identity among its candidates"
            f"{f' ({words})' if words else ''}, so no epoch can be chosen; take other validation photos or other rules "
            "(--exclude, --match, --rule)."
        )
    if recipe.select_by == "loss" and not validation.n_losses:
        kind = "an identity" if items.labels_from == ("identity",) else "a class"
        raise WhalereidError(
            f"{photos.source}: no validation photo is of {kind} seen in training, so there is no validation loss "
            "to choose the epoch by; use select_by='mAP'."
        )
    return validation


def _rules_in_words(rules: CandidateRules) -> list[str]:
    """What is excluded and matched, and each further rule."""
    words = [f"excluding the same {listing(rules.exclude)}"] if rules.exclude else []
    words += [f"matching {listing(rules.match)}"] if rules.match else []
    return words + rules.but(exclude=(), match=()).in_words()


def _warn_of_leakage(train: Catalogue, valid: Catalogue, display: TrainingProgress) -> None:
    """Say in one line what validation shares with training, if it does: its figures flatter then."""
    if train.n_identities and valid.n_identities:
        shared = leakage(train, valid)
        if shared.n_straddling or shared.count("photo"):
            display.warn(shared.sentence())


def _settings(
    net: Embedder,
    head: nn.Module,
    items: PhotoDataset | CrossViewPairs,
    validation: Validation | None,
    recipe: Recipe,
    *,
    mirrors: bool,
    seed: int,
) -> dict[str, Any]:
    """All that decides the result, as JSON can hold it: what a resumed training must agree on."""
    simple = {name: value for name, value in vars(head).items() if isinstance(value, bool | int | float | str)}
    shapes = {name: list(tensor.shape) for name, tensor in head.state_dict().items()}
    by = items.labels_from
    photos: dict[str, Any] = {"items": len(items), "digest": _digest(items.catalogue, by), "on_error": items.on_error}
    photos |= {"seed": items.seed, "flip": mirrors, "labels_from": list(by)}
    if isinstance(items, CrossViewPairs):
        photos |= {"anchor": list(items.anchor), "partner": list(items.partner), "fixed": items.fixed}
    held_out = None
    if validation is not None:
        held_out = {
            "photos": len(validation.photos),
            "digest": _digest(validation.photos, by),
            "exclude": list(validation.rules.exclude),
            "match": list(validation.rules.match),
        }
        further = validation.rules.but(exclude=(), match=()).to_list()
        held_out |= {"rules": further} if further else {}
    return {
        "recipe": recipe.to_dict(),
        "seed": seed,
        "network": net.config,
        "head": {
            "kind": type(head).__name__,
            **{name: value for name, value in simple.items() if not name.startswith("_") and name != "training"},
            "shapes": shapes,
        },
        "train": photos,
        "valid": held_out,
        "identities": list(items.identities),
        "classes": None if items.classes == items.identities else list(items.classes),
        "contents": {
            "train": _contents(items.catalogue[items.used]),
            "valid": {} if validation is None else _contents(validation.photos),
        },
    }


def _contents(photos: Catalogue) -> dict[str, str]:
    """From each photo's ``image_id`` to a key of what is in its file, by which a replaced one is named."""
    return dict(zip(photos.image_ids, content_keys(photos), strict=True))


def _digest(photos: Catalogue, labels_from: Sequence[str]) -> str:
    """Of who is on which photo, and what else it is labelled with."""
    columns = dict.fromkeys(("image_id", "path", "identity", "viewpoint", "bbox", *labels_from))
    table = photos.frame[[name for name in columns if name in photos.columns]].astype("str").to_csv(index=False)
    return hashlib.sha256(table.encode()).hexdigest()[:16]


def _kept_in_words(out: Path, recipe: Recipe, *, also_none: bool = False) -> str:
    """Say what a training that fails leaves on disk; nothing where no epoch is kept, unless none is told as well."""
    kept = epochs_kept(out)
    told = kept or (also_none and kept is not None)
    return f"{out} keeps the {kept} of {recipe.epochs} epochs that are done." if told else ""


def _to_go_on_with(out: Path, recipe: Recipe) -> str:
    """Say what a training that is stopped leaves on disk, and how to go on."""
    kept = _kept_in_words(out, recipe, also_none=True).rstrip(".")
    return f"{kept}; go on with --resume (in Python resume=True)." if kept else ""


def _is_full_disk(error: BaseException) -> bool:
    """Whether the disk had no room, which may be made: so what is there is worth resuming."""
    cause = error if isinstance(error, OSError) else error.__cause__
    return isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _is_lack_of_memory(error: BaseException) -> bool:
    """Whether the memory, an accelerator's or the machine's, was too small."""
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    # As torch, OpenCV and a DataLoader whose worker the system has killed say it.
    signs = (
        "out of memory",
        "not enough memory",
        "insufficient memory",
        "can't allocate memory",
        "defaultcpuallocator",
        "bad_alloc",
        "killed by signal: killed",
        "bus error",
    )
    return isinstance(error, RuntimeError | cv2.error) and any(sign in str(error).lower() for sign in signs)


def _lack_of_memory(net: Embedder, recipe: Recipe, kept: str) -> WhalereidError:
    height, width = net.preprocessing.image_size
    goes_on = (
        f"{kept} They can be resumed where there is more memory; other batches want another --out." if kept else ""
    )
    return WhalereidError(
        f"the memory is too small for batches of {recipe.batch_size} photos of {height}×{width} px; "
        f"lower --batch-size, --image-size or --workers.{f' {goes_on}' if kept else ''}"
    )


def _optimizer(net: nn.Module, head: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """One group for each learning rate and decay; each group's `peak` is its learning rate at the schedule's 1."""
    head_lr = recipe.lr if recipe.head_lr is None else recipe.head_lr
    groups = []
    for module, peak in ((net, recipe.lr), (head, head_lr)):
        parameters = [p for p in module.parameters() if p.requires_grad]
        for decay, chosen in (
            (recipe.weight_decay, [p for p in parameters if p.ndim > 1]),
            (0.0, [p for p in parameters if p.ndim <= 1]),
        ):
            if chosen:
                groups.append({"params": chosen, "lr": peak, "peak": peak, "weight_decay": decay})
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer]
    return kind(groups)


def _accelerator(precision: str) -> Accelerator:
    """Make Accelerate's object for this machine and this precision."""
    # The other processes wait while the main one validates, which may take longer than the default allows.
    state = PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU"), timeout=timedelta(hours=12))
    return Accelerator(mixed_precision=mixed_precision(precision, state.device))


def _workers(device: torch.device) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, 8)


def _mix(*numbers: int) -> int:
    """One seed from several numbers, unlike for unlike ones."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def _in_words(loss: float, figures: ValidationScores, rate: float, *, best: bool) -> str:
    words = f"loss {loss:.3f}"
    if not math.isnan(figures.loss):
        words += f", validation loss {figures.loss:.3f}"
    if not math.isnan(figures.mean_average_precision):
        words += f", mAP@20 {figures.mean_average_precision:.3f}, top-1 {figures.top_1:.3f}"
    return f"{words}{' (best so far)' if best else ''}; {rate:.0f} photos/s"


def _json_number(value: float) -> float | None:
    return value if math.isfinite(value) else None
