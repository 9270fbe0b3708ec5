"""Recipe: how to train, in one frozen object that goes to and from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from whalereid.errors import WhalereidError
from whalereid.training.schedules import Schedule, WarmupCosine, schedule_from_dict, schedule_to_dict

__all__ = ["OPTIMIZERS", "PRECISIONS", "RECIPES", "SELECTIONS", "Recipe"]

OPTIMIZERS = ("adam", "adamw")
SELECTIONS = ("mAP", "loss")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")


@dataclass(frozen=True)
class Recipe:
    """How to train; what to train are `Embedder` and head.

    Attributes
    ----------
    epochs : int
        How often each photo is seen.
    batch_size : int
        Photos (or pairs) a step and process, at most; the photos of an epoch are dealt to batches of nearly equal
        size, so that no step stands on a few left over.
    optimizer : {"adamw", "adam"}
        AdamW decays the weights themselves, Adam adds the decay to the gradient.
    lr : float
        Peak learning rate of the network.
    head_lr : float or None
        Peak learning rate of the head; None is `lr`.
    weight_decay : float
        Decay of matrices and kernels; biases, norms and GeM's exponent have none.
    schedule : Schedule
        The learning rate's course; a `WarmupCosine` or `RampThenDecay`.
    transform : str
        Augmentation of training photos, a name in `whalereid.images.TRAINING_TRANSFORMS`.
    clip : float or None
        Gradients longer than this are scaled down to it (one norm over network and head); None leaves them.
    shuffle : bool
        Draw a new order of the photos each epoch; False keeps the table's.
    select_by : {"mAP", "loss"}
        Keep the epoch of highest mAP@20 among the validation photos, or of lowest validation loss (which needs
        validation photos of identities seen in training).
    patience : int or None
        Stop after this many epochs without a better one; None trains all of them.
    precision : {"auto", "fp32", "bf16", "fp16"}
        Of the network's arithmetic; weights and head stay in float32. "auto" is what the hardware does natively.

    Raises
    ------
    WhalereidError
        A value is out of range or unknown; the message names it and what there is.

    Examples
    --------
    >>> recipe = Recipe(epochs=5, optimizer="adam", schedule=WarmupCosine(warmup=0.0))
    >>> Recipe.from_dict(recipe.to_dict()) == recipe
    True
    >>> RECIPES["default"].but(epochs=3).epochs
    3
    """

    epochs: int = 20
    batch_size: int = 32
    optimizer: str = "adamw"
    lr: float = 1.6e-3
    head_lr: float | None = 1.6e-2
    weight_decay: float = 1e-2
    schedule: Schedule = field(default_factory=WarmupCosine)
    transform: str = "strong"
    clip: float | None = 1.0
    shuffle: bool = True
    select_by: str = "mAP"
    patience: int | None = None
    precision: str = "auto"

    def __post_init__(self) -> None:
        for name, lowest in (("epochs", 1), ("batch_size", 2), ("patience", 1)):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int) and value >= lowest):
                raise WhalereidError(f"recipe: {name} is {value!r}; it is a whole number from {lowest}.")
        for name in ("lr", "head_lr", "clip"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise WhalereidError(f"recipe: {name} is {value!r}; it is a number above 0.")
        if not 0 <= self.weight_decay < float("inf"):
            raise WhalereidError(f"recipe: weight_decay is {self.weight_decay!r}; it is a number from 0.")
        for name, known in (("optimizer", OPTIMIZERS), ("select_by", SELECTIONS), ("precision", PRECISIONS)):
            if getattr(self, name) not in known:
                raise WhalereidError(f"Unknown {name} {getattr(self, name)!r}; choose from {listing_of(known)}.")

    def but(self, **changes: Any) -> Recipe:
        """Return this recipe with some fields changed; those given as None, as by an option left out, stay."""
        return replace(self, **{name: value for name, value in changes.items() if value is not None})

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        return {**{f.name: getattr(self, f.name) for f in fields(self)}, "schedule": schedule_to_dict(self.schedule)}

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Recipe:
        """Build the recipe that `to_dict` described.

        Raises
        ------
        WhalereidError
            A field is unknown, or its value is refused.
        """
        known = [f.name for f in fields(cls)]
        for name in settings:
            if name not in known:
                raise WhalereidError(f"recipe: no field {name!r}; it has {listing_of(known)}.")
        given = dict(settings)
        if isinstance(given.get("schedule"), Mapping):
            given["schedule"] = schedule_from_dict(given["schedule"])
        return cls(**given)

    @classmethod
    def named(cls, name: str) -> Recipe:
        """Return the recipe of this name in `RECIPES`.

        Raises
        ------
        WhalereidError
            There is none; the message lists those there are.
        """
        if name not in RECIPES:
            raise WhalereidError(f"Unknown recipe {name!r}; choose from {listing_of(sorted(RECIPES))}.")
        return RECIPES[name]


def listing_of(names: Any) -> str:
    """Quote the choices, all of them."""
    return ", ".join(repr(name) for name in names)


# For a species new to the library: the family of the competition's second place (AdamW at 1.6e-3, the head ten times
# faster, warm-up then cosine, heavy augmentation).
RECIPES: dict[str, Recipe] = {"default": Recipe()}
