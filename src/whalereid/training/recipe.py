"""Recipe: how to train, in one frozen object that goes to and from JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from whalereid import arguments
from whalereid.errors import WhalereidError, listing
from whalereid.parts import BATCHES, HEADS, MINERS, SCHEDULES
from whalereid.registry import Part
from whalereid.training.schedules import Schedule, WarmupCosine

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
    schedule : Schedule, str or mapping
        The learning rate's course: an object, such as `WarmupCosine()`, or its name with options
        (``"ramp-then-decay:ramp=15"``).
    transform : str
        Augmentation of training photos, a name in `whalereid.images.TRAINING_TRANSFORMS`.
    flip : bool or None
        Whether the augmentation mirrors half of the photos. A mirrored left flank is no left flank: None mirrors unless
        left and right are told apart, that is, unless the training photos have viewpoints of the one or the other.
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
    head : Part, str or mapping
        The head that `fit` makes where it is given none, by name and options: ``"elastic-arcface:margin=0.3"``.
    batches : Part, str, mapping or None
        Which photos make a batch: ``"by-identity:per_identity=4"``, where losses of pairs want several photos of an
        animal; None deals each photo once an epoch, as `shuffle` says.
    miner : Part, str, mapping or None
        Which pairs or triplets of a batch the loss looks at: ``"batch-hard"``; None is all.

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
    flip: bool | None = None
    clip: float | None = 1.0
    shuffle: bool = True
    select_by: str = "mAP"
    patience: int | None = None
    precision: str = "auto"
    head: Part = field(default_factory=lambda: Part("elastic-arcface"))
    batches: Part | None = None
    miner: Part | None = None

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)  # NumPy's numbers become Python's, which JSON can hold

        for name, least in (("epochs", 1), ("batch_size", 2), ("patience", 1)):
            if not (name == "patience" and self.patience is None):
                put(name, arguments.whole_number(getattr(self, name), f"recipe: {name}", least))
        for name in ("lr", "head_lr", "clip"):
            if not (name != "lr" and getattr(self, name) is None):
                most = math.inf if name == "clip" else arguments.HIGHEST_RATE
                put(name, arguments.number(getattr(self, name), f"recipe: {name}", 0, most, open_ends=True))
        most = arguments.HIGHEST_RATE
        put("weight_decay", arguments.number(self.weight_decay, "recipe: weight_decay", 0, most))
        arguments.instance(self.transform, "recipe: transform", str, "a name in TRAINING_TRANSFORMS, such as 'strong'")
        arguments.instance(self.shuffle, "recipe: shuffle", bool, "True or False")
        arguments.instance(self.flip, "recipe: flip", (bool, type(None)), "True, False or None")
        for name, known in (("optimizer", OPTIMIZERS), ("select_by", SELECTIONS), ("precision", PRECISIONS)):
            arguments.choice(getattr(self, name), f"recipe: {name}", known)
            put(name, str(getattr(self, name)))  # of a command's options, which are more than text
        for name, registry in (("head", HEADS), ("batches", BATCHES), ("miner", MINERS)):
            if getattr(self, name) is not None or name == "head":
                with _of_the_recipe(name):
                    put(name, registry.part(getattr(self, name)))
        schedule: Any = self.schedule
        if isinstance(schedule, str | Mapping | Part):
            with _of_the_recipe("schedule"):
                put("schedule", SCHEDULES.make(_as_noted_before(schedule)))
        elif isinstance(schedule, type) or not (is_dataclass(schedule) and callable(getattr(schedule, "factor", None))):
            wanted = "a schedule, such as WarmupCosine() or RampThenDecay(), or its name"
            raise WhalereidError(f"recipe: schedule is {schedule!r:.60}; give {wanted}.")

    def but(self, **changes: Any) -> Recipe:
        """Return this recipe with some fields changed; None is a value like others, such as ``clip=None``.

        Raises
        ------
        WhalereidError
            A field is unknown, or its value is refused.
        """
        self._known(changes)
        return replace(self, **changes)

    @classmethod
    def _known(cls, names: Mapping[str, Any]) -> None:
        known = [f.name for f in fields(cls)]
        for name in names:
            if name not in known:
                raise WhalereidError(f"recipe: no field {name!r}; it has {listing(map(repr, known), most=99)}.")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them; parts as their names and options.

        Raises
        ------
        WhalereidError
            The schedule is known by no name.
        """
        plain = {f.name: getattr(self, f.name) for f in fields(self)} | {"schedule": SCHEDULES.describe(self.schedule)}
        return {name: value.to_dict() if isinstance(value, Part) else value for name, value in plain.items()}

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Recipe:
        """Build the recipe that `to_dict` described.

        Raises
        ------
        WhalereidError
            A field is unknown, or its value is refused.
        """
        arguments.instance(settings, "settings", Mapping, "a mapping, as Recipe.to_dict() gives it")
        cls._known(settings)
        return cls(**settings)

    @classmethod
    def named(cls, name: str) -> Recipe:
        """Return the recipe of this name in `RECIPES`.

        Raises
        ------
        WhalereidError
            There is none; the message lists those there are.
        """
        if not isinstance(name, str) or name not in RECIPES:
            raise WhalereidError(
                f"Unknown recipe {name!r:.60}; choose from {listing(map(repr, sorted(RECIPES)), most=99)}."
            )
        return RECIPES[name]


@contextmanager
def _of_the_recipe(name: str) -> Iterator[None]:
    """Name the field in a refusal."""
    try:
        yield
    except WhalereidError as error:
        raise WhalereidError(f"recipe: {name}: {error}") from error


def _as_noted_before(schedule: Any) -> Any:
    """A schedule as earlier versions noted it, its settings beside its name, in today's form."""
    if isinstance(schedule, Mapping) and "name" in schedule and "options" not in schedule:
        return {"name": schedule["name"], "options": {key: schedule[key] for key in schedule if key != "name"}}
    return schedule


# For a species new to the library: the family of the competition's second place (AdamW at 1.6e-3, the head ten times
# faster, warm-up then cosine, heavy augmentation).
RECIPES: dict[str, Recipe] = {"default": Recipe()}
