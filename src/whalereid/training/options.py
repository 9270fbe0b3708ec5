"""FitOptions: what a training can be told beside its recipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from whalereid import arguments
from whalereid.candidates import CandidateRules
from whalereid.candidates.rules import AnyRule
from whalereid.images.classes import label_columns
from whalereid.images.cropping import Crop

__all__ = ["FitOptions"]


@dataclass(frozen=True)
class FitOptions:
    """What a training can be told beside its recipe: what is told apart, by which rules, and how it runs.

    Attributes
    ----------
    labels_from : str or sequence of str, optional
        The columns whose values together are a photo's class, by default ``identity`` (a data set's are its own). With
        ``["identity", "viewpoint"]`` each flank of an animal is a class of its own;
        ``whalereid.images.class_names(train, labels_from)`` lists them. Validation ranks by identity all the same.
    rules : CandidateRules or sequence of rules, optional
        Of the validation's ranking; by default candidates of the query's own encounter are excluded where encounters
        are known. ``()`` is no rule.
    seed : int
        Of the order of photos, augmentation, dropout, a head made by name, and the head's margins.
    workers : int, optional
        Processes that prepare photos; by default chosen by the machine. It doesn't change the result.
    on_error : {"raise", "skip"}
        What to do with a photo that can't be read, where a catalogue is trained on. Those skipped are listed at the
        end.
    crop : Crop, optional
        How much of each photo is shown around its box or mask, and of the background, in training and validation; by
        default boxes are cut as they are (a data set's photos as it cuts them).
    resume : bool
        Go on with the training that the folder holds; everything else must be as it was. One that stopped before the
        end of its first epoch begins anew.
    force : bool
        Remove the training that the folder holds, and begin anew.
    progress : bool
        Tell on stderr how it goes.

    Raises
    ------
    WhalereidError
        A value can't be used; the message names it.
    """

    labels_from: str | Sequence[str] | None = None
    rules: CandidateRules | AnyRule | Iterable[AnyRule] | None = None
    seed: int = 0
    workers: int | None = None
    on_error: str = "raise"
    crop: Crop | None = None
    resume: bool = False
    force: bool = False
    progress: bool = True

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        if self.labels_from is not None:
            put("labels_from", label_columns(self.labels_from))
        if self.rules is not None:
            put("rules", CandidateRules.of(self.rules))
        put("seed", arguments.seed(self.seed))
        if self.workers is not None:
            put("workers", arguments.whole_number(self.workers, "workers", 0))
        arguments.choice(self.on_error, "on_error", ("raise", "skip"))
        put("on_error", str(self.on_error))
        if self.crop is not None:
            arguments.instance(self.crop, "crop", Crop, "a Crop, such as Crop(pad=0.1)")
        for name in ("resume", "force", "progress"):
            arguments.instance(getattr(self, name), name, bool, "True or False")
