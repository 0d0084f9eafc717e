"""`{% cache seconds, name, … %}`: a part of a page that is made once in a while.

Where it is kept is given to `Templates` as a function; without one, each part is made each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup

__all__ = ["FragmentExtension", "Fragments", "make_always"]

Fragments = Callable[[Any, tuple[Any, ...], Callable[[], str]], str]
"""Given the seconds, the parts of the key, and what renders it: returns the text."""


def make_always(seconds: Any, parts: tuple[Any, ...], render: Callable[[], str]) -> str:
    """Render a part and keep nothing."""
    return render()


class FragmentExtension(Extension):
    """The tag `cache`; `environment.fragments` keeps what is in it."""

    tags: set[str] = {"cache"}  # noqa: RUF012  # Jinja2's attribute

    def parse(self, parser: Parser) -> nodes.Node:
        """Read `{% cache seconds, name, … %}…{% endcache %}`."""
        line = next(parser.stream).lineno
        arguments = [parser.parse_expression()]
        while parser.stream.skip_if("comma"):
            arguments.append(parser.parse_expression())
        if len(arguments) < 2:
            parser.fail('{% cache %} takes the seconds, then a name: {% cache 300, "sidebar" %}', line)
        body = parser.parse_statements(("name:endcache",), drop_needle=True)
        call = self.call_method("keep", arguments)
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    def keep(self, seconds: Any, *parts: Any, caller: Callable[[], str]) -> str:
        """Return what is kept, else what *caller* renders."""
        fragments: Fragments = getattr(self.environment, "fragments", make_always)
        # What was escaped stays as it is, kept or not.
        return Markup(fragments(seconds, parts, lambda: str(caller())))
