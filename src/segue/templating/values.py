"""The names a template sees: what it was given, the globals, and late ones.

A *late* name comes from a context processor, which is a function that returns a
dictionary. It runs at the first look-up of a name that neither the values given
nor the globals have, so a template that uses none of its names never runs it.
"""

from __future__ import annotations

import inspect
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, cast

import jinja2
from jinja2.nodes import EvalContext
from jinja2.runtime import Context as BaseContext
from jinja2.utils import missing

from ..errors import SetupError, UsageError, place_of

__all__ = ["Context", "Late", "Processor", "Values"]


class Processor:
    """A context processor, and the names it is known to give.

    Attributes:
        provides: Names it declared (`function.provides`), or gave in earlier renderings.
        is_closed: It declared them all: it never runs for another name.
    """

    __slots__ = ("function", "is_closed", "provides", "takes_request")

    def __init__(self, function: Callable[..., Any]) -> None:
        if inspect.iscoroutinefunction(function):
            raise SetupError(
                f"The context processor {_name(function)}() is async, and templates cannot wait.",
                code="templates/async-processor",
                where=place_of(function),
                why="It runs in the middle of a rendering, at the first use of one of its names.",
                hint="Make it a `def`, or await the value in the handler and pass it to render_template.",
            )
        declared: Iterable[str] | None = getattr(function, "provides", None)
        self.function: Callable[..., Any] = function
        self.provides: set[str] = set(declared or ())
        self.is_closed: bool = declared is not None
        self.takes_request: bool = _required(function) == 1

    def run(self, request: Any) -> Mapping[str, Any]:
        """Return its names, and learn them."""
        found: object = self.function(request) if self.takes_request else self.function()
        if not isinstance(found, Mapping):
            raise UsageError(
                f"The context processor {_name(self.function)}() returned {type(found).__name__}, not a dictionary.",
                code="templates/processor-result",
                where=place_of(self.function),
                why="The keys of the dictionary become names in templates.",
                hint='return {"name": value}',
            )
        given = cast(Mapping[str, Any], found)
        self.provides.update(given)
        return given


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__qualname__", type(function).__name__))


def _required(function: Callable[..., Any]) -> int:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(each.default is inspect.Parameter.empty and each.kind in positional for each in parameters)


class Late:
    """The late names of one rendering; each processor runs at most once in it."""

    __slots__ = ("_failed", "_found", "_processors", "_request", "_waiting")

    def __init__(self, processors: Sequence[Processor], request: Any) -> None:
        # The nearest scope registered last, and wins.
        self._processors = processors
        self._waiting = list(reversed(processors))
        self._found: dict[str, Any] = {}
        self._failed: list[tuple[Processor, Exception]] = []
        self._request = request

    @property
    def known(self) -> set[str]:
        """The names that processors declared or gave so far."""
        return set[str]().union(*(each.provides for each in self._processors))

    def find(self, name: str) -> Any:
        """Return the value of *name*, else Jinja2's `missing`.

        A processor known to give *name* is asked first; of the others one that
        raises is put aside, and its error is raised only if nothing else has it.
        """
        if name in self._found:
            return self._found[name]
        for processor in sorted(self._waiting, key=lambda each: name not in each.provides):
            if processor.is_closed and name not in processor.provides:
                continue
            if self._run(processor) and name in self._found:
                return self._found[name]
        for processor, error in self._failed:
            if name in processor.provides or not processor.is_closed:
                raise error
        return missing

    def _run(self, processor: Processor) -> bool:
        self._waiting.remove(processor)
        try:
            given = processor.run(self._request)
        except Exception as error:  # it may belong to a name that nobody asks for
            error.add_note(f"Raised by the context processor {place_of(processor.function)}.")
            self._failed.append((processor, error))
            return False
        for name, value in given.items():
            self._found.setdefault(name, value)
        return True


class Values(dict[str, Any]):
    """The values given to a template, with the late ones that go wherever they go."""

    __slots__ = ("late",)

    def __init__(self, values: Mapping[str, Any], late: Late | None = None) -> None:
        super().__init__(values)
        self.late: Late | None = late


class Context(BaseContext):
    """A context that looks up names in the values, the globals, then the processors.

    The globals are not copied into it, which Jinja2's own does for each rendering.
    """

    def __init__(
        self,
        environment: jinja2.Environment,
        parent: dict[str, Any],
        name: str | None,
        blocks: dict[str, Any],
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - Jinja2's signature
    ) -> None:
        self.parent = parent
        self.vars: dict[str, Any] = {}
        self.environment = environment
        self.eval_ctx: EvalContext = EvalContext(environment, name)
        self.exported_vars: set[str] = set()
        self.name = name
        self.blocks: dict[str, list[Any]] = {key: [block] for key, block in blocks.items()}
        self.globals_keys: set[str] = set[str]()
        # PERF: a template without globals of its own has a ChainMap whose look-ups cost ten of a dict's.
        own = globals.maps[0] if isinstance(globals, ChainMap) else globals
        self.globals: MutableMapping[str, Any] = globals if globals and own else environment.globals
        self.late: Late | None = parent.late if isinstance(parent, Values) else None

    def resolve_or_missing(self, key: str) -> Any:
        """Return the value of *key*, or `missing`."""
        if key in self.vars:
            return self.vars[key]
        if key in self.parent:
            return self.parent[key]
        if key in self.globals:
            return self.globals[key]
        return missing if self.late is None else self.late.find(key)

    def get_all(self) -> dict[str, Any]:
        """Return the names given and set, which an included template is to see."""
        if not self.vars:
            return self.parent
        together = Values(self.parent, self.late)
        together.update(self.vars)
        return together

    def derived(self, locals: dict[str, Any] | None = None) -> Context:  # noqa: A002 - Jinja2's signature
        """Return a context of the same names and *locals*, for a scoped block."""
        context = type(self)(
            self.environment, with_locals(self.get_all(), self.late, locals), self.name, {}, self.globals
        )
        context.eval_ctx = self.eval_ctx
        context.blocks.update((key, list(blocks)) for key, blocks in self.blocks.items())
        return context

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.resolve_or_missing(name) is not missing


def with_locals(values: Mapping[str, Any], late: Late | None, local: Mapping[str, Any] | None) -> Values:
    """Return *values* and what a template's own scope adds to them."""
    together = Values(values, late)
    if local:
        together.update((key, value) for key, value in local.items() if value is not missing)
    return together
