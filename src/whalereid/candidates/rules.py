"""CandidateRules: all rules of a ranking in one object that travels with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from whalereid.arguments import column_names
from whalereid.candidates.columns import Differ, Same
from whalereid.candidates.mask import CandidateMask
from whalereid.candidates.rule import Photos, Rule
from whalereid.errors import WhalereidError
from whalereid.parts import RULES
from whalereid.registry import Part

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["AnyRule", "CandidateRules"]

AnyRule: TypeAlias = Rule | Part | str | Mapping[str, Any]
"""A rule, or what it is asked for by: ``"within-days:days=30"``."""


@dataclass(frozen=True, init=False)
class CandidateRules:
    """What a biologist knows about who may be compared with whom. A photo is never its own candidate.

    Parameters
    ----------
    exclude : sequence of str
        Short for `Differ`: columns in which a candidate must not equal the query, such as ``encounter``; a missing
        value equals nothing. One string is one column.
    match : sequence of str
        Short for `Same`: columns in which a candidate must equal the query, such as ``viewpoint``; a missing value
        matches nothing.
    rules : sequence of Rule or str
        Further rules: objects, or names with options as the command line has them (``"within-days:days=30"``).

    Attributes
    ----------
    rules : tuple of Rule
        All of them, each once. A candidate is a photo that every rule allows.

    Raises
    ------
    WhalereidError
        Something is no name of a column, or no rule.

    Examples
    --------
    >>> import pandas as pd
    >>> from whalereid import Catalogue
    >>> photos = Catalogue(pd.DataFrame({"image_id": ["a", "b", "c"], "path": ["a", "b", "c"],
    ...                                  "encounter": ["monday", "monday", None]}))
    >>> CandidateRules(exclude=["encounter"]).mask(photos, photos).block(slice(None), slice(None)).astype(int)
    array([[0, 0, 1],
           [0, 0, 1],
           [1, 1, 0]])
    >>> CandidateRules(rules=["within-days:days=30"]).in_words()
    ['at most 30 days apart']
    """

    rules: tuple[Rule, ...]

    def __init__(
        self,
        exclude: Sequence[str] = (),
        match: Sequence[str] = (),
        *,
        rules: AnyRule | Iterable[AnyRule] = (),
    ) -> None:
        given: Any = [rules] if isinstance(rules, str | Mapping | Part) or hasattr(rules, "bind") else rules
        try:
            asked = list(given)
        except TypeError as error:
            raise WhalereidError(f"rules is {rules!r:.60}; give a list of rules, such as [WithinDays(30)].") from error
        every: list[Rule] = [Differ(name) for name in column_names(exclude, "exclude")]
        every += [Same(name) for name in column_names(match, "match")]
        every += [_made(rule) for rule in asked]
        object.__setattr__(self, "rules", tuple(dict.fromkeys(every)))

    @classmethod
    def of(
        cls,
        rules: CandidateRules | AnyRule | Iterable[AnyRule] | None,
        *,
        exclude: Sequence[str] = (),
        match: Sequence[str] = (),
    ) -> CandidateRules:
        """Gather what a public door takes: rules in any form, and the two shorthands."""
        if isinstance(rules, CandidateRules):
            rules = rules.rules
        return cls(exclude, match, rules=() if rules is None else rules)

    @property
    def exclude(self) -> tuple[str, ...]:
        """Columns in which a candidate must not equal the query."""
        return tuple(rule.column for rule in self.rules if isinstance(rule, Differ))

    @property
    def match(self) -> tuple[str, ...]:
        """Columns in which a candidate must equal the query."""
        return tuple(rule.column for rule in self.rules if isinstance(rule, Same))

    def but(self, *, exclude: Sequence[str] | None = None, match: Sequence[str] | None = None) -> CandidateRules:
        """Return these rules with other columns excluded or matched; None leaves them."""
        replaced = tuple(kind for kind, given in ((Differ, exclude), (Same, match)) if given is not None)
        kept = [rule for rule in self.rules if not isinstance(rule, replaced)]
        return CandidateRules(exclude or (), match or (), rules=kept)

    def mask(self, queries: Photos, database: Photos) -> CandidateMask:
        """Bind the rules to Q queries and D database photos.

        Parameters
        ----------
        queries, database : Catalogue, or sequence of str
            Lists of image ids will do where there is no rule.

        Raises
        ------
        WhalereidError
            A column is absent from either or has no value at all, or lists of ids were given where columns are needed.
        """
        return CandidateMask(self.rules, queries, database)

    def in_words(self) -> list[str]:
        """Each rule as a part of a sentence: ``["never of the same encounter"]``."""
        return [rule.in_words() for rule in self.rules]

    def to_list(self) -> list[dict[str, Any]]:
        """Return the rules as JSON can hold them: name and options of each.

        Raises
        ------
        WhalereidError
            A rule isn't known by a name, so it can't be noted.
        """
        return [RULES.describe(rule).to_dict() for rule in self.rules]

    @classmethod
    def from_list(cls, noted: Any) -> CandidateRules:
        """Return the rules that `to_list` noted; a file from elsewhere makes nothing but rules.

        Raises
        ------
        WhalereidError
            It is something else, or a rule isn't known here.
        """
        if not isinstance(noted, list):
            raise WhalereidError(f"the rules are {noted!r:.60}; a list of them is noted as name and options.")
        parts = [Part.from_dict(part) for part in noted]
        for part in parts:
            if not hasattr(RULES.find(part.name), "bind"):  # a function, which may read files
                raise WhalereidError(f"rule {part.name!r} is never noted by that name; it can't be taken from a file.")
        return cls(rules=parts)

    def __repr__(self) -> str:
        others = [repr(rule) for rule in self.rules if not isinstance(rule, Differ | Same) or rule.unknown != "nothing"]
        plain = [rule for rule in self.rules if isinstance(rule, Differ | Same) and rule.unknown == "nothing"]
        exclude = tuple(rule.column for rule in plain if isinstance(rule, Differ))
        match = tuple(rule.column for rule in plain if isinstance(rule, Same))
        said = f"exclude={exclude}, match={match}" + (f", rules=[{', '.join(others)}]" if others else "")
        return f"CandidateRules({said})"


def _made(rule: AnyRule) -> Rule:
    if isinstance(rule, str | Mapping | Part):
        made: Rule = RULES.make(rule)
        return made
    if isinstance(rule, type) or not all(callable(getattr(rule, verb, None)) for verb in ("bind", "in_words")):
        raise WhalereidError(f"rules: {rule!r:.60} is no rule; give one such as WithinDays(30), or its name.")
    try:
        hash(rule)
    except TypeError as error:
        raise WhalereidError(f"rules: {rule!r:.60} can change; make it a frozen dataclass of plain values.") from error
    return rule
