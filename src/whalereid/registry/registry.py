"""Parts by name: what a head, a rule or a re-ranker is called on the command line, in a recipe, and in a file.

One registry a kind of part. It knows the library's own parts, those that installed packages offer as entry points
(group ``whalereid.heads`` and so on), and those that a script adds. A part is asked for as ``name:key=value,...``.
Nothing is imported until a part is made: names and options are read off the source, so that ``--help`` and refusals
are quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Generic, TypeVar

from whalereid.errors import WhalereidError
from whalereid.registry.option import Option
from whalereid.registry.part import Part
from whalereid.registry.signatures import options_of, options_of_source

__all__ = ["Registry"]

_Made = TypeVar("_Made")


class Registry(Generic[_Made]):
    """The parts of one kind, by name.

    Parameters
    ----------
    kind : str
        What they are called in errors: ``"head"``.
    group : str
        The entry points under which other packages offer theirs: ``"whalereid.heads"``.
    built_in : mapping of str to str
        The library's own: name to ``"module:attribute"``, imported when it is first made.
    given : tuple of str
        Parameters that the library fills itself, such as a head's ``dim``; they are no options.

    Examples
    --------
    >>> sorts = Registry("sort", "whalereid.sorts")
    >>> @sorts.add("by-length")
    ... def by_length(most: int = 3) -> str:
    ...     return f"the {most} longest"
    >>> sorts.make("by-length:most=2")
    'the 2 longest'
    >>> sorts.make("by-length:least=2")
    Traceback (most recent call last):
    ...
    whalereid.errors.WhalereidError: sort 'by-length' has no option 'least'; it has most=3.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        built_in: Mapping[str, str] | None = None,
        *,
        given: tuple[str, ...] = (),
    ) -> None:
        self.kind, self.group, self.given = kind, group, given
        self.own: dict[str, str] = dict(built_in or {})
        self._added: dict[str, Callable[..., _Made]] = {}

    def __iter__(self) -> Iterator[str]:
        yield from sorted({*self.own, *self._added, *self._offered()})

    def __contains__(self, name: object) -> bool:
        return name in tuple(self)

    def add(self, name: str) -> Callable[[Callable[..., _Made]], Callable[..., _Made]]:
        """Decorate a class or function of a script's own, so that it can be asked for by this name.

        Raises
        ------
        WhalereidError
            The name is taken, or can't be written on a command line.
        """
        if not name or any(sign in name for sign in ":,=") or name != name.strip():
            raise WhalereidError(f"{self.kind} {name!r}: a name has no ':', ',' or '=', and no space around it.")
        if name in self:
            raise WhalereidError(f"{self.kind} {name!r} is there already; choose another name.")

        def keep(make: Callable[..., _Made]) -> Callable[..., _Made]:
            self._added[name] = make
            return make

        return keep

    def find(self, name: str) -> Callable[..., _Made]:
        """Import the class or function of this name.

        Raises
        ------
        WhalereidError
            There is none; or another package's can't be imported, which is named.
        """
        if name in self._added:
            return self._added[name]
        module, _, attribute = self._source(name).partition(":")
        with self._blaming_its_package(name):
            made: Callable[..., _Made] = getattr(import_module(module), attribute)
            return made

    def options(self, name: str) -> dict[str, Option]:
        """What can be set on a part, in the order of its signature; nothing is imported.

        Raises
        ------
        WhalereidError
            There is no such part.
        """
        with self._blaming_its_package(name):
            found = options_of(self._added[name]) if name in self._added else options_of_source(self._source(name))
        return {option.name: option for option in found if option.name not in self.given}

    def part(self, asked: str | Mapping[str, Any] | Part) -> Part:
        """Check what was asked for against the signature; text becomes what the signature says.

        Parameters
        ----------
        asked : str, mapping or Part
            ``"name:key=value,..."``, ``{"name": ..., "options": {...}}``, or a part.

        Raises
        ------
        WhalereidError
            There is no such part, it has no such option, or a value is no such thing; the message lists what there is.
        """
        written = isinstance(asked, str)
        if isinstance(asked, Part):
            part = asked
        else:
            part = Part.parse(asked) if isinstance(asked, str) else Part.from_dict(asked)
        options = self.options(part.name)
        known = {name: option for name, option in options.items() if not option.takes_any}
        for key in part.options:
            if key not in known and len(known) == len(options):
                has = ", ".join(map(str, known.values())) or "none"
                raise WhalereidError(f"{self.kind} {part.name!r} has no option {key!r}; it has {has}.")
        for option in known.values():
            if option.required and option.name not in part.options:
                raise WhalereidError(
                    f"{self.kind} {part.name!r} needs {option.name}; write {part.name}:{option.name}=..."
                )
        if not written:
            return part
        read = {
            key: known[key].read(value, f"{self.kind} {part.name!r}: {key}") if key in known else value
            for key, value in part.options.items()
        }
        return Part(part.name, read)

    def make(self, asked: str | Mapping[str, Any] | Part, **given: Any) -> _Made:
        """Make a part; what the library gives it beside its options are those of `given` that it asks for.

        Raises
        ------
        WhalereidError
            It can't be: see `part`; or it refuses its options.
        """
        part = self.part(asked)
        make = self.find(part.name)
        wanted = {option.name for option in options_of(make)}
        try:
            return make(**{name: value for name, value in given.items() if name in wanted}, **part.options)
        except WhalereidError as error:
            raise WhalereidError(f"{self.kind} {part.name!r}: {error}") from error
        except TypeError as error:
            raise WhalereidError(f"{self.kind} {part}: {error}") from error

    def describe(self, made: Any) -> Part:
        """Return what a part that is a dataclass was asked for by: its name, and the fields that aren't defaults.

        Raises
        ------
        WhalereidError
            It is none that this registry has made, so it can't be noted.
        """
        for name in self:
            if is_dataclass(made) and self._is_called(name, type(made)):
                set_on_it = {f.name: getattr(made, f.name) for f in fields(made) if f.init and not _is_default(made, f)}
                return Part(name, set_on_it)
        raise WhalereidError(
            f"{made!r:.80} is no {self.kind} that can be noted; make it a frozen dataclass, and add it by a name "
            f"(entry point {self.group})."
        )

    def lines(self) -> list[tuple[str, str]]:
        """Each part with its options, as ``--help`` lists them."""
        said = []
        for name in self:
            try:
                said.append((name, ", ".join(map(str, self.options(name).values()))))
            except WhalereidError as error:  # another package's, which must not take the others down
                said.append((name, str(error)))
        return said

    @contextmanager
    def _blaming_its_package(self, name: str) -> Iterator[None]:
        """Name the package whose part can't be imported; ours would be a bug."""
        try:
            yield
        except Exception as error:
            if name in self.own or name not in self._offered():
                raise
            raise WhalereidError(
                f"{self.kind} {name!r} comes from {self._offered()[name]}, which can't be imported "
                f"({type(error).__name__}: {error}); mend or remove that package."
            ) from error

    def _is_called(self, name: str, kind: type) -> bool:
        """Whether a class is the one of this name; others of the registry aren't imported to find out."""
        if name in self._added:
            return self._added[name] is kind
        return self._source(name).rpartition(":")[2] == kind.__name__ and self.find(name) is kind

    def _source(self, name: str) -> str:
        source = self.own.get(name) or self._offered().get(name)
        if source is None:
            near = get_close_matches(str(name), list(self), 1)
            hint = f"did you mean {near[0]!r}? There is" if near else "choose from"
            raise WhalereidError(f"{self.kind} {name!r:.60} is unknown; {hint} {', '.join(self)}.")
        return source

    def _offered(self) -> dict[str, str]:
        """What installed packages offer, but for names that are taken."""
        from importlib.metadata import entry_points

        return {point.name: point.value for point in entry_points(group=self.group) if point.name not in self.own}


def _is_default(made: Any, item: Any) -> bool:
    if item.default_factory is not MISSING:
        return bool(getattr(made, item.name) == item.default_factory())
    return item.default is not MISSING and bool(getattr(made, item.name) == item.default)
