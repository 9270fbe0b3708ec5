from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

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
    assert default.but(epochs=None, lr=0.5) == default.but(lr=0.5)
    assert default.but(lr=0.5).lr == 0.5
    assert default.but(lr=0.5).epochs == default.epochs


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("epochs", 1.5),
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
