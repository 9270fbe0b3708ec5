from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from whalereid.errors import WhalereidError
from whalereid.images import TRAINING_TRANSFORMS
from whalereid.training import RECIPES, RampThenDecay, Recipe


def test_a_recipe_goes_to_json_and_back() -> None:
    recipe = Recipe(epochs=3, schedule=RampThenDecay(ramp=4, steps_per_epoch=2), head_lr=None, clip=None, patience=2)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@pytest.mark.parametrize("name", list(RECIPES))
def test_named_recipes_name_what_exists(name: str) -> None:
    recipe = Recipe.named(name)
    TRAINING_TRANSFORMS[recipe.transform](32)
    assert Recipe.from_dict(recipe.to_dict()) == recipe


def test_a_recipe_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        RECIPES["default"].epochs = 2  # type: ignore[misc]


def test_but_changes_what_is_given() -> None:
    default = RECIPES["default"]
    assert default.but() == default
    assert default.but(lr=0.5).lr == 0.5
    assert default.but(lr=0.5).epochs == default.epochs


@pytest.mark.parametrize("field", ["clip", "patience", "head_lr", "flip"])
def test_none_is_a_value_like_others(field: str) -> None:
    set_to_something = Recipe(clip=2.0, patience=3, head_lr=0.5, flip=True)
    assert getattr(set_to_something.but(**{field: None}), field) is None


def test_but_refuses_what_the_fields_refuse() -> None:
    with pytest.raises(WhalereidError, match="epochs is None"):
        RECIPES["default"].but(epochs=None)
    with pytest.raises(WhalereidError, match="no field 'epoch'"):
        RECIPES["default"].but(epoch=3)


def test_numpys_numbers_go_to_json() -> None:
    recipe = Recipe(epochs=np.int64(3), lr=np.float32(0.5), schedule=RampThenDecay(ramp=np.int64(2)))
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_a_recipe_needs_no_torch() -> None:
    code = "import sys; from whalereid.training import Recipe; Recipe(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("epochs", 1.5),
        ("epochs", None),
        ("epochs", True),
        ("batch_size", None),
        ("lr", "fast"),
        ("lr", None),
        ("clip", [1.0]),
        ("shuffle", 1),
        ("flip", "yes"),
        ("transform", None),
        ("schedule", "warmup"),
        ("schedule", RampThenDecay),
        ("batch_size", 1),
        ("patience", 0),
        ("lr", 0.0),
        ("lr", float("nan")),
        ("head_lr", -1.0),
        ("clip", 0.0),
        ("weight_decay", -0.1),
        ("optimizer", "sgd"),
        ("select_by", "map"),
        ("precision", "half"),
    ],
)
def test_values_out_of_range_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(WhalereidError, match=field):
        Recipe(**{field: value})  # type: ignore[arg-type]


def test_unknown_names_list_what_there_is() -> None:
    with pytest.raises(WhalereidError, match="'defualt'; choose from 'default'"):
        Recipe.named("defualt")
    with pytest.raises(WhalereidError, match="no field 'epoch'"):
        Recipe.from_dict({"epoch": 3})
