"""Texts of templates in the visitor's language: `{% trans %}`, `_()` and `gettext()`.

Holds: the extension of the tags, and the functions.
Imports: floor 0 (`text` knows what translates), Jinja2's `i18n` extension, MarkupSafe.
Never: takes a value for safe. What a template's author wrote between tags is HTML, and so is its
translation; what a function is given may come from anybody, and is escaped like every value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from jinja2 import nodes
from jinja2.ext import InternationalizationExtension
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser
from markupsafe import Markup

from .. import text

__all__ = ["FUNCTIONS", "TransTag"]


def _filled(message: Any, translated: str, values: Mapping[str, Any]) -> str:
    """Put *values* into a text; markup stays markup, with its values escaped."""
    found = Markup(translated) if isinstance(message, Markup) else translated
    return found % values if values else found


def _gettext(message: Any, /, **values: Any) -> str:
    return _filled(message, text.gettext(str(message)), values)


def _ngettext(singular: Any, plural: Any, n: int, /, **values: Any) -> str:
    return _filled(singular, text.ngettext(str(singular), str(plural), n), {"num": n, **values} if values else values)


def _pgettext(context: str, message: Any, /, **values: Any) -> str:
    return _filled(message, text.pgettext(context, str(message)), values)


def _npgettext(context: str, singular: Any, plural: Any, n: int, /, **values: Any) -> str:
    translated = text.npgettext(context, str(singular), str(plural), n)
    return _filled(singular, translated, {"num": n, **values} if values else values)


FUNCTIONS: Mapping[str, Callable[..., str]] = {
    "_": _gettext,
    "gettext": _gettext,
    "ngettext": _ngettext,
    "pgettext": _pgettext,
    "npgettext": _npgettext,
}


class TransTag(InternationalizationExtension):
    """Jinja2's `{% trans %}…{% pluralize %}…{% endtrans %}`, and Django's `{% trans "text" %}`.

    Django's is `{% translate "text" %}` by its later name.
    """

    tags: set[str] = {"trans", "translate"}  # noqa: RUF012 - as Jinja2 declares it

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Write `translate` for a `trans "text"` that no `endtrans` follows; Jinja2 takes the text for a context."""
        tokens = list(stream)
        for at, token in enumerate(tokens):
            is_tag = token.test("name:trans") and tokens[at - 1].type == "block_begin"
            if is_tag and tokens[at + 1].type == "string" and not _has_body(tokens[at:]):
                yield Token(token.lineno, token.type, "translate")
            else:
                yield token

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        """Read the tag of either kind."""
        return _parse_text(parser) if parser.stream.current.test("name:translate") else super().parse(parser)


def _has_body(tokens: Sequence[Token]) -> bool:
    """Whether the next tag ends this one: in Jinja2's kind none can come between but `pluralize`."""
    following = next((after for token, after in pairwise(tokens) if token.type == "block_begin"), None)
    return following is not None and following.test_any("name:endtrans", "name:pluralize")


def _parse_text(parser: Parser) -> nodes.Node:
    """Read `"text"`, perhaps with `context "where"` and `as name`."""
    line = next(parser.stream).lineno
    arguments: list[nodes.Expr] = [nodes.Const(parser.stream.expect("string").value, lineno=line)]
    if parser.stream.skip_if("name:context"):
        arguments.insert(0, parser.parse_expression())
    function = nodes.Name("pgettext" if len(arguments) == 2 else "gettext", "load", lineno=line)
    called = nodes.Call(function, arguments, [], None, None, lineno=line)
    translated = nodes.MarkSafeIfAutoescape(called, lineno=line)
    if parser.stream.skip_if("name:as"):
        name = parser.parse_assign_target(name_only=True)
        return nodes.Assign(name, translated, lineno=line)
    return nodes.Output([translated], lineno=line)
