"""Finds values in places of a page where escaping alone does not make them safe.

The tags of a template are followed in the order they are written. Branches of
an `{% if %}` count as if each came after the other, which is right for pages
whose branches are whole, and at worst reports one place too many.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import nodes

from ..errors import Finding

__all__ = ["find_unsafe_places"]

_URL_ATTRIBUTES = frozenset({"action", "data", "formaction", "href", "poster", "src", "xlink:href"})
_SAFE_FILTERS = frozenset({"safe_url", "tojson"})
_SAFE_CALLS = frozenset({"get_absolute_url", "static", "url_for"})
_SCRIPT_FILTERS = frozenset({"escapejs", "json_script", "tojson"})
_TAG = re.compile(r"<(/?[A-Za-z][A-Za-z0-9:-]*)")
_ATTRIBUTE = re.compile(r"""[^\s=>"'/]+""")


class _Page:
    """Where in the HTML the reader is, after each piece of text."""

    def __init__(self) -> None:
        self.tag = ""  # inside <tag …>
        self.raw = ""  # inside <script> or <style>
        self.attribute = ""
        self.quote = ""
        self.is_value = False  # after the = of an attribute
        self.has_begun = False  # some of the value was read

    def read(self, text: str) -> None:
        """Go on by *text*."""
        at = 0
        while at < len(text):
            if self.raw and not self.tag:
                at = self._read_raw(text, at)
            elif not self.tag:
                at = self._read_text(text, at)
            elif self.is_value:
                at = self._read_value(text, at)
            else:
                at = self._read_tag(text, at)

    def _read_text(self, text: str, at: int) -> int:
        if text.startswith("<!--", at):
            end = text.find("-->", at)
            return len(text) if end < 0 else end + 3
        found = _TAG.match(text, at)
        if found is not None:
            self.tag = found[1].lower()
            return found.end()
        following = text.find("<", at + 1)
        return len(text) if following < 0 else following

    def _read_raw(self, text: str, at: int) -> int:
        end = text.lower().find(f"</{self.raw}", at)
        if end < 0:
            return len(text)
        self.tag, self.raw = f"/{self.raw}", ""
        return end + 1 + len(self.tag)

    def _read_tag(self, text: str, at: int) -> int:
        letter = text[at]
        if letter == ">":
            self.raw = self.tag if self.tag in {"script", "style"} else ""
            self.tag = self.attribute = ""
        elif letter == "=":
            self.is_value, self.has_begun, self.quote = True, False, ""
        else:
            found = _ATTRIBUTE.match(text, at)
            if found is not None:
                self.attribute = found[0].lower()
                return found.end()
        return at + 1

    def _read_value(self, text: str, at: int) -> int:
        letter = text[at]
        if not self.has_begun and not self.quote:
            if letter in "\"'":
                self.quote = letter
                return at + 1
            if letter.isspace():
                return at + 1
        ends = letter == self.quote if self.quote else letter.isspace() or letter == ">"
        if ends:
            self.is_value = False
            at_next = at + 1 if self.quote else at
            self.quote = self.attribute = ""
            return at_next
        self.has_begun = True
        return at + 1

    def danger(self, value: nodes.Expr) -> tuple[str, str, str] | None:
        """Return id, message and hint if *value* is not safe here; a value has been read then."""
        found = self._danger(value)
        if self.is_value:
            self.has_begun = True
        return found

    def _danger(self, value: nodes.Expr) -> tuple[str, str, str] | None:
        if self.raw and not self.tag:
            if self.raw == "style":
                return "security.W033", "A value is printed into a <style>.", "Use a class or a data attribute."
            if not _is_filtered(value, _SCRIPT_FILTERS):
                hint = "Write {{ value|tojson }}, or hand it over with {{ value|json_script('id') }}."
                return "security.W034", "A value is printed into a <script> without |tojson.", hint
            return None
        if not self.tag:
            return None
        if not self.is_value:
            return "security.W030", "A value is printed as an attribute.", "Use {{ {...}|xmlattr }}."
        if not self.quote and not self.has_begun:
            message = f"The value of the attribute {self.attribute!r} has no quotes."
            return "security.W031", message, f'Write {self.attribute}="{{{{ … }}}}".'
        if self.attribute.startswith("on") or self.attribute == "style":
            message = f"A value is printed into the attribute {self.attribute!r}, which is code."
            return "security.W032", message, "Put it into a data attribute, and read it from a script."
        if self.attribute in _URL_ATTRIBUTES and not self.has_begun and not _is_safe_address(value):
            message = f"The address in {self.attribute!r} may start with javascript:."
            return "security.W035", message, "Write {{ value|safe_url }}, or make it with url_for()."
        return None


def _is_filtered(value: nodes.Expr, names: frozenset[str]) -> bool:
    return isinstance(value, nodes.Filter) and value.name in names


def _is_safe_address(value: nodes.Expr) -> bool:
    if isinstance(value, nodes.Const) or _is_filtered(value, _SAFE_FILTERS):
        return True
    if isinstance(value, nodes.CondExpr):
        return _is_safe_address(value.expr1) and (value.expr2 is None or _is_safe_address(value.expr2))
    called = value.node if isinstance(value, nodes.Call) else value
    if isinstance(called, nodes.Getattr):
        return called.attr in _SAFE_CALLS
    return isinstance(called, nodes.Name) and isinstance(value, nodes.Call) and called.name in _SAFE_CALLS


def find_unsafe_places(tree: nodes.Template, filename: str) -> Iterator[Finding]:
    """Yield a warning for each value in a place that escaping does not make safe."""
    page = _Page()
    for part in _in_order(tree):
        if isinstance(part, nodes.TemplateData):
            page.read(part.data)
            continue
        found = page.danger(part)
        if found is not None:
            yield Finding(found[0], "warning", found[1], hint=found[2], where=f"{filename}:{part.lineno}")


def _in_order(node: nodes.Node) -> Iterator[nodes.Expr]:
    for child in node.iter_child_nodes():
        if isinstance(node, nodes.Output) and isinstance(child, nodes.Expr):
            yield child
        else:
            yield from _in_order(child)
