"""The Jinja2 environment of an app, and its template class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from types import MethodType
from typing import Any

import jinja2
import markupsafe
from jinja2 import nodes
from jinja2.compiler import CodeGenerator
from jinja2.utils import internalcode
from markupsafe import escape

from .compiler import Generator, as_skeleton
from .fragments import Fragments
from .reading import call_builtin, call_method, is_computed
from .values import Context, Values, with_locals

__all__ = ["Environment", "Template"]

# Not public, and so not counted on.
_escape_text: Callable[[str], str] = getattr(markupsafe, "_escape_inner", escape)


class Template(jinja2.Template):
    """A compiled template; its contexts keep late names wherever they go."""

    environment: Environment  # pyright: ignore[reportIncompatibleVariableOverride] - ours makes only ours
    globals: MutableMapping[str, Any]
    blocks: dict[str, Any]

    def new_context(
        self,
        vars: dict[str, Any] | None = None,  # noqa: A002 - Jinja2's signature
        shared: bool = False,  # noqa: FBT001, FBT002 - Jinja2's signature
        locals: Mapping[str, Any] | None = None,  # noqa: A002 - Jinja2's signature
    ) -> Context:
        """Return a context of *vars*, the globals, and *locals* of an including template."""
        late = vars.late if isinstance(vars, Values) else None
        values = vars if vars is not None and not locals else with_locals(vars or {}, late, locals)
        return Context(self.environment, values, self.name, self.blocks, self.globals)


class Environment(jinja2.Environment):
    """Jinja2's environment with Segue's reads.

    Attributes:
        is_skeleton: Templates are compiled without what they print outside blocks.
        fragments: Keeps what stands in `{% cache %}`.
    """

    fragments: Fragments

    template_class: type[jinja2.Template] = Template
    context_class: type[jinja2.runtime.Context] = Context
    code_generator_class: type[CodeGenerator] = Generator
    is_skeleton = False

    @internalcode
    def read(self, value: Any, name: str) -> Any:
        """Return `value.name` as a template reads it: a bound method is called."""
        try:
            found = getattr(value, name)
        except AttributeError:
            return self._read_item(value, name)
        # PERF: this comparison is all that a plain value pays: a page of 12 rows with 4 reads each
        # takes 0.83 of plain Jinja2's time, by what `Templates` and `Context` save elsewhere.
        if type(found) is MethodType:
            return call_method(found, self.undefined)
        return found

    @internalcode
    def read_builtin(self, value: Any, name: str) -> Any:
        """Return `value.name` for a name that methods written in C have too, such as `items`."""
        return call_builtin(self.read(value, name), name)

    @staticmethod
    @internalcode
    def escaped(value: Any) -> str:
        """Return *value* as the text that a page shows for it."""
        # PERF: `escape` makes a Markup of each text, which takes most of its time; what is printed
        # is joined, and so need not be one. A page of twenty rows takes a tenth less.
        if type(value) is str:
            return _escape_text(value)
        return str(value) if type(value) is int else escape(value)

    def _read_item(self, value: Any, name: str) -> Any:
        # PERF: a plain dictionary has no properties to look for.
        if value.__class__ is not dict and is_computed(value, name):
            raise  # what the property raised, which `read` is handling
        try:
            return value[name]
        except (TypeError, LookupError, AttributeError):
            return self.undefined(obj=value, name=name)

    def subscript(self, value: Any, key: Any) -> Any:
        """Return `value[key]`, else the attribute of that name, never called."""
        return super().getitem(value, key)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return what filters such as `map(attribute=…)` and `sort(attribute=…)` look up.

        Names that start with an underscore are not looked up: they may come from a request.
        """
        if isinstance(argument, str) and argument.startswith("_"):
            return self.undefined(obj=obj, name=argument)
        found = super().getitem(obj, argument)
        return call_method(found, self.undefined) if type(found) is MethodType else found

    def _generate(
        self,
        source: nodes.Template,
        name: str | None,
        filename: str | None,
        defer_init: bool = False,  # noqa: FBT001, FBT002 - Jinja2's signature
    ) -> str:
        if self.is_skeleton:
            source = as_skeleton(source)
        return super()._generate(source, name, filename, defer_init)

    def to_skeletons(self) -> Environment:
        """Return an environment of the same names whose templates are skeletons."""
        twin = self.overlay()
        assert isinstance(twin, Environment)
        twin.is_skeleton = True
        return twin

    @internalcode
    def skeleton_of(self, named: Any) -> Template:
        """Return the skeleton of a template, which may be given by its name."""
        name: Any = named.name if isinstance(named, jinja2.Template) else named
        found = super()._load_template(name, None)
        assert isinstance(found, Template)
        return found

    @internalcode
    def _load_template(self, name: str, globals: MutableMapping[str, Any] | None) -> jinja2.Template:  # noqa: A002 - Jinja2's
        if self.is_skeleton and self.linked_to is not None:
            return self.linked_to._load_template(name, globals)
        return super()._load_template(name, globals)
