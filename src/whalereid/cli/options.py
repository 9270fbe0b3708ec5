"""Options that take several values: after one name, or the name repeated."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

__all__ = ["ManyValues"]


class ManyValues(TyperCommand):
    """A command without arguments, whose list options take every value up to the next option.

    ``--embeddings a b`` is ``--embeddings a --embeddings b``, which works as well.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat a list option's name before each of its values, then parse as usual."""
        many = {name for p in self.params if getattr(p, "multiple", False) for name in p.opts}
        spread: list[str] = []
        last: str | None = None  # the list option whose values these are, if any
        wants_value = False
        for word in args:
            if word.startswith("-") and not wants_value:
                name, equals, _ = word.partition("=")
                last = name if name in many else None
                wants_value = last is not None and not equals
                spread.append(word)
            elif last is not None and not wants_value:
                spread += [last, word]
            else:
                spread.append(word)
                wants_value = False
        parsed: list[str] = super().parse_args(ctx, spread)
        return parsed
