"""fit: trains an embedder and its head, keeps the best epoch, and can be killed and resumed at any moment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from whalereid import arguments, stopping
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.heads import Mined
from whalereid.models import Embedder
from whalereid.parts import HEADS, MINERS
from whalereid.registry import Part
from whalereid.splits import leakage
from whalereid.training.arithmetic import repeatable
from whalereid.training.batches import AnySampler
from whalereid.training.checks import check_head, check_preprocessing
from whalereid.training.failures import explained, to_go_on_with
from whalereid.training.folder import RunFolder
from whalereid.training.items import PhotosAsItems, TrainingItems, crop_of_items, make_items
from whalereid.training.loop import TrainingLoop
from whalereid.training.optimizer import make_accelerator
from whalereid.training.options import FitOptions
from whalereid.training.photos import check_files
from whalereid.training.progress import TrainingProgress
from whalereid.training.recipe import Recipe
from whalereid.training.run import Run
from whalereid.training.settings import settings_of
from whalereid.training.validation import Validation

__all__ = ["fit"]

_NAMED = str | Mapping | Part


def fit(
    net: Embedder,
    head: nn.Module | Part | Mapping[str, Any] | str | None,
    train: Any,
    valid: Any = None,
    *,
    recipe: Recipe | str = "default",
    out: str | os.PathLike[str],
    batches: AnySampler | Part | Mapping[str, Any] | str | None = None,
    options: FitOptions | None = None,
) -> Run:
    """Train an embedder with its head, and keep the epoch that ranks the validation photos best.

    The folder `out` holds the network of the best epoch from the first epoch's end on, and a checkpoint a finished
    epoch; killed at any moment, ``FitOptions(resume=True)`` goes on to the same weights as if it had not been (on one
    machine). Two trainings of one seed on one machine are equal. Under ``accelerate launch`` it trains on several
    devices.

    Parameters
    ----------
    net : Embedder
        Trained in place; at the end it has the weights of the best epoch.
    head : nn.Module, Part, str, mapping or None
        ``head(embeddings (B, D) float32, labels (B,) int64)`` → mean loss, with a class for each identity. Any loss of
        pytorch-metric-learning is one, with weights of its own or without; `whalereid.heads.Mined` puts a miner before
        it. None makes the one that the recipe names, and a name (``"triplet:margin=0.1"``) takes that one's place.
    train : Catalogue or Dataset
        What to train on. Of a catalogue, photos of known identity, augmented as the recipe says. A data set yields
        (image, label, row) and comes with its own transform and seed: a `PhotoDataset` or `CrossViewPairs`, whose
        transform must prepare photos as ``net.preprocessing`` says, or any with ``len`` and such items. The loss of a
        pair is the sum of its photos' losses, each view a batch of its own, so that batch norm sees one viewpoint at a
        time.
    valid : Catalogue, PhotoDataset or CrossViewPairs, optional
        What to choose the epoch by (of a data set its catalogue), prepared as `embed` does. Without it the last epoch
        is kept.
    recipe : Recipe or str
        How to train; a name is one of ``whalereid.training.RECIPES``.
    out : path
        RUN, a new or empty folder.
    batches : sampler, callable, Part, str, mapping or None
        Which items make a batch. A sampler of items' numbers, such as pytorch-metric-learning's ``MPerClassSampler``,
        or of lists of them; a function ``(labels (N,), batch_size, seed)`` that makes one for each epoch; or a name,
        in place of the recipe's. By default as the recipe says.
    options : FitOptions, optional
        What is told apart, the rules of the validation, the seed, and how the training runs.

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
    >>> options = FitOptions(seed=1)                                         # doctest: +SKIP
    >>> fit(net, None, train, valid, out="runs/first", options=options)      # doctest: +SKIP
    Run('runs/first', best of 20 epochs: 17, mAP@20 0.512, top-1 0.603)
    """
    arguments.instance(net, "net", Embedder, "an Embedder")
    wanted = "a head, such as ElasticArcFace(net.dim, train.n_identities), its name, or None for the recipe's"
    arguments.instance(head, "head", (nn.Module, str, Mapping, Part, type(None)), wanted)
    arguments.instance(recipe, "recipe", (Recipe, str), "a Recipe, or the name of one")
    arguments.instance(out, "out", (str, os.PathLike), "the path of a folder")
    options = FitOptions() if options is None else options
    arguments.instance(options, "options", FitOptions, "FitOptions, such as FitOptions(seed=1)")
    recipe = Recipe.named(recipe) if isinstance(recipe, str) else recipe
    if isinstance(head, _NAMED):
        recipe, head = recipe.but(head=head), None
    if isinstance(batches, _NAMED):
        recipe, batches = recipe.but(batches=batches), None
    items, notes = make_items(train, net, recipe, options)
    mirrors, untold = check_preprocessing(items, net, recipe)
    head = _head(head, net, np.bincount(items.labels, minlength=len(items.classes)), recipe, options.seed)
    check_head(head, net.dim, len(items.classes))
    validation = _validation(valid, items, recipe, options)
    settings = settings_of(
        net, head, items, validation, recipe, batches=batches, mirrors=mirrors, seed=options.seed
    )  # fmt: skip
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else CUDA's products differ from run to run
    with repeatable(options.seed), stopping.later(lambda: to_go_on_with(Path(out), recipe)):
        accelerator, folder = make_accelerator(), None
        try:
            if accelerator.is_main_process:
                folder = RunFolder(out, settings, resume=options.resume, force=options.force)
            accelerator.wait_for_everyone()
            with TrainingProgress(recipe.epochs, show=options.progress and folder is not None) as display:
                unmasked = "" if validation is None else crop_of_items(items).check(validation.photos)
                for note in (*notes, *untold, *([f"Validation: {unmasked}"] if unmasked else [])):
                    display.say(note)
                if validation is not None and folder is not None:
                    _warn_of_leakage(items, validation.photos, display)
                loop = TrainingLoop(net, head, items, validation, recipe, accelerator, batches, options)
                return loop.run(Path(out), folder, display)
        except Exception as error:
            told = explained(error, net, recipe, Path(out), folder)
            if told is error:
                raise
            raise told from error
        finally:
            accelerator.free_memory()


def _head(head: Any, net: Embedder, class_sizes: np.ndarray, recipe: Recipe, seed: int) -> nn.Module:
    """The head that was given, or the one that the recipe names; with the recipe's miner before it, if it has one."""
    n_classes = len(class_sizes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if head is None:
            sizes = {"dim": net.dim, "embedding_size": net.dim, "n_identities": n_classes, "num_classes": n_classes}
            head = HEADS.make(recipe.head, **sizes, class_sizes=class_sizes)
            arguments.instance(head, f"head {recipe.head.name!r}", nn.Module, "a module")
        made: nn.Module = head if recipe.miner is None else Mined(head, MINERS.make(recipe.miner))
    return made


def _validation(valid: Any, items: TrainingItems, recipe: Recipe, options: FitOptions) -> Validation | None:
    if valid is None:
        return None
    photos: Any = valid if isinstance(valid, Catalogue | type) else getattr(valid, "catalogue", valid)
    wanted = "a Catalogue (Catalogue.read(path) makes one), a data set that has one as its catalogue, or None"
    arguments.instance(photos, "valid", Catalogue, wanted)
    rules: Any = options.rules  # CandidateRules by now
    validation = Validation(photos, items, rules)
    if items.on_error == "raise":
        check_files(photos, crop_of_items(items))
    if recipe.select_by == "mAP" and not validation.n_queries:
        words = ", ".join(validation.rules.in_words())
        raise WhalereidError(
            f"{photos.source}: no validation photo has another of its identity among its candidates"
            f"{f' ({words})' if words else ''}, so no epoch can be chosen; take other validation photos or other rules "
            "(--exclude, --match, --rule)."
        )
    if recipe.select_by == "loss" and not validation.n_losses:
        kind = "an identity" if tuple(items.labels_from) == ("identity",) else "a class"
        raise WhalereidError(
            f"{photos.source}: no validation photo is of {kind} seen in training, so there is no validation loss "
            "to choose the epoch by; use select_by='mAP'."
        )
    return validation


def _warn_of_leakage(items: TrainingItems, valid: Catalogue, display: TrainingProgress) -> None:
    """Say in one line what validation shares with training, if it does: its figures flatter then."""
    if isinstance(items, PhotosAsItems) and items.catalogue.n_identities and valid.n_identities:
        shared = leakage(items.catalogue, valid)
        if shared.n_straddling or shared.count("photo"):
            display.warn(shared.sentence())
