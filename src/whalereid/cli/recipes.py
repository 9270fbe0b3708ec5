"""What the options of a training say: a recipe with changes, and columns that may be none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from whalereid.cli.options import Precision

if TYPE_CHECKING:
    from whalereid.training import Recipe

__all__ = ["columns_of", "recipe_of"]


def recipe_of(name: str, *, lr: float | None, precision: Precision | None, **changes: Any) -> Recipe:
    """The recipe of this name, with what the options change in it."""
    from whalereid.training import Recipe

    named = Recipe.named(name)
    changes |= {"lr": lr, "precision": None if precision is None else precision.value}
    if lr is not None and named.head_lr is not None:
        changes["head_lr"] = named.head_lr * lr / named.lr
    return named.but(**{option: value for option, value in changes.items() if value is not None})


def columns_of(given: list[str] | None) -> list[str] | None:
    """The columns of an option that may also be 'none'; None where it was left out."""
    return given if given is None else [name for name in given if name != "none"]
