"""Every public name of the room, called with what it isn't made for: one line that names the argument."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from training.drawing import make_parts
from whalereid import training
from whalereid.catalogue import Catalogue
from whalereid.errors import WhalereidError
from whalereid.heads import ElasticArcFace
from whalereid.images import PhotoDataset
from whalereid.models import Embedder
from whalereid.training import RECIPES, FitOptions, RampThenDecay, Recipe, WarmupCosine, crop_of, fit

WRONG = [None, 3, -1.5, float("nan"), "nyala", b"nyala", [1, 2], {"a": 1}, object(), Recipe, torch.zeros(3)]
NOTHING = type(None)

# name: (field, what may be given)
RECIPE_FIELDS: dict[str, tuple[type, ...]] = {
    "epochs": (int,),
    "batch_size": (int,),
    "optimizer": (),
    "lr": (int,),
    "head_lr": (int, NOTHING),
    "weight_decay": (int,),
    "schedule": (),
    "transform": (str,),
    "flip": (NOTHING,),
    "clip": (int, NOTHING),
    "shuffle": (),
    "select_by": (),
    "patience": (int, NOTHING),
    "precision": (),
    "head": (),
    "batches": (NOTHING,),
    "miner": (NOTHING,),
}
FIT_ARGUMENTS: dict[str, tuple[type, ...]] = {
    "net": (),
    "head": (NOTHING,),
    "train": (),
    "valid": (NOTHING,),
    "recipe": (),
    "out": (str,),
    "batches": (NOTHING, list),  # a list of items' numbers is a sampler
    "options": (NOTHING,),
}
OPTIONS: dict[str, tuple[type, ...]] = {
    "labels_from": (NOTHING, str, dict),  # a column that isn't there is refused with the photos
    "rules": (NOTHING,),
    "seed": (int,),
    "workers": (int, NOTHING),
    "on_error": (),
    "crop": (NOTHING,),
    "resume": (),
    "force": (),
    "progress": (),
}
SCHEDULE_SETTINGS = [
    (WarmupCosine, "warmup"),
    (WarmupCosine, "start"),
    (WarmupCosine, "floor"),
    (RampThenDecay, "ramp"),
    (RampThenDecay, "start"),
    (RampThenDecay, "floor"),
    (RampThenDecay, "decay"),
    (RampThenDecay, "steps_per_epoch"),
]


def refused(call: Any, names: str) -> None:
    with pytest.raises(WhalereidError, match=names) as error:
        call()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("argument", list(FIT_ARGUMENTS))
def test_fit(drawn: Catalogue, tmp_path: Path, argument: str) -> None:
    net, head = make_parts()
    good: dict[str, Any] = {"net": net, "head": head, "train": drawn, "valid": drawn, "out": tmp_path / "run"}
    for value in [*WRONG, Embedder, ElasticArcFace, PhotoDataset, nn.Identity]:
        if isinstance(value, FIT_ARGUMENTS[argument]):
            continue
        # A column by a name that isn't there is refused as a column, an unknown recipe as a recipe.
        refused(lambda given=good | {argument: value}: fit(**given), f"{argument}|column|recipe")
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", list(OPTIONS))
def test_options(name: str) -> None:
    for value in WRONG:
        if not isinstance(value, OPTIONS[name]):
            refused(lambda given=value: FitOptions(**{name: given}), f"{name}|rule|column|no part")
    assert {field.name for field in fields(FitOptions)} == set(OPTIONS)


def test_fit_has_no_argument_beside_these() -> None:
    import inspect

    assert set(inspect.signature(fit).parameters) == set(FIT_ARGUMENTS)


@pytest.mark.parametrize("name", list(RECIPE_FIELDS))
def test_recipe(name: str) -> None:
    for value in WRONG:
        if not isinstance(value, RECIPE_FIELDS[name]):
            refused(lambda given=value: Recipe(**{name: given}), f"recipe: {name}")
            refused(lambda given=value: RECIPES["default"].but(**{name: given}), f"recipe: {name}")
    assert set(RECIPE_FIELDS) == set(Recipe().to_dict())


def test_recipes_by_name_and_from_json() -> None:
    for value in WRONG:
        refused(lambda given=value: Recipe.named(given), "Unknown recipe")
        refused(lambda given=value: Recipe.from_dict(given), "settings|no field 'a'")
        if value is not None:
            refused(lambda given=value: Recipe.from_dict({"schedule": given}), "schedule")


@pytest.mark.parametrize(("kind", "setting"), SCHEDULE_SETTINGS)
def test_schedules(kind: Any, setting: str) -> None:
    for value in WRONG:
        if not (isinstance(value, int) and setting in ("ramp", "steps_per_epoch")):
            refused(lambda given=value: kind(**{setting: given}), setting)


@pytest.mark.parametrize("schedule", [WarmupCosine(), RampThenDecay()])
def test_moments(schedule: Any) -> None:
    for value in WRONG:
        if not isinstance(value, int):
            refused(lambda given=value: schedule.factor(given, 5), "epoch")
            refused(lambda given=value: schedule.factor(0, given), "epochs")


def test_the_tables_have_every_public_name() -> None:
    covered = {"crop_of", "fit", "FitOptions", "Recipe", "RECIPES", "WarmupCosine", "RampThenDecay"}
    assert set(training.__all__) == covered | {"Run", "Schedule"}  # what fit returns, and a protocol


def test_the_crop_of_a_run() -> None:
    for value in WRONG:
        if not isinstance(value, str):  # a folder that isn't there holds no training
            refused(lambda given=value: crop_of(given), "run is")


def test_paths_of_any_kind(drawn: Catalogue, tmp_path: Path) -> None:
    recipe = Recipe(epochs=1, batch_size=8, transform="plain")
    for out in (os.fspath(tmp_path / "text"), tmp_path / "path"):
        run = fit(*make_parts(), drawn, out=out, recipe=recipe, options=FitOptions(workers=0, progress=False))
        assert (run.folder / "run.json").exists()
