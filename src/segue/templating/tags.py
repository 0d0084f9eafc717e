"""Tags that Jinja2 has not: `{% csrf %}`.

A tag knows no web: it writes the value of a name that a context processor of the site gives.
"""

from __future__ import annotations

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

__all__ = ["CsrfTag"]


class CsrfTag(Extension):
    """`{% csrf %}`, or Django's `{% csrf_token %}`: the hidden field of a form."""

    tags: set[str] = {"csrf", "csrf_token"}  # noqa: RUF012 - as Jinja2 declares it

    def parse(self, parser: Parser) -> nodes.Node:
        """Write the value of `csrf_input`."""
        line = next(parser.stream).lineno
        return nodes.Output([nodes.Name("csrf_input", "load", lineno=line)], lineno=line)
