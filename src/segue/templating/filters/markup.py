"""Filters that make HTML: `linebreaks`, `urlize`, `truncatewords_html`, `json_script`.

Whatever is not `Markup` is escaped before tags are put around it; what cannot
be handled in linear time within a megabyte is escaped and left as it is.
"""

from __future__ import annotations

import datetime
import decimal
import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from jinja2 import pass_eval_context
from jinja2.filters import do_urlize
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape

__all__ = [
    "as_json", "escapejs", "escapeseq", "force_escape", "json_script", "linebreaks", "linebreaksbr", "linenumbers",
    "safeseq", "truncatechars_html", "truncatewords_html", "unordered_list", "urlize", "urlizetrunc",
]  # fmt: skip

_MOST = 1_000_000

_PARAGRAPHS = re.compile(r"\n{2,}")
_IN_SCRIPT = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}
_IN_STRING = {
    **{code: f"\\u{code:04X}" for code in range(32)},
    **{ord(each): f"\\u{ord(each):04X}" for each in "\\'\"<>&=-;`\u2028\u2029\x7f"},
}
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TAG_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9:-]*)")
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_Counter = Callable[[str], tuple[int, list[int]]]
_LINK = re.compile(r"(<a [^<>]*>)([^<>]*)</a>")


def _lines(value: Any) -> str:
    return str(value).replace("\r\n", "\n").replace("\r", "\n")


def _escaped(context: EvalContext, value: Any, text: str) -> str:
    """Return *text*, made from *value*, escaped unless *value* was markup or nothing is escaped here."""
    return text if isinstance(value, Markup) or not context.autoescape else str(escape(text))


@pass_eval_context
def linebreaks(context: EvalContext, value: Any) -> Markup:
    """Make paragraphs of what empty lines part, and `<br>` of single line breaks."""
    blocks = _PARAGRAPHS.split(_lines(value))
    made = (_escaped(context, value, block).replace("\n", "<br>") for block in blocks)
    return Markup("\n\n".join(f"<p>{block}</p>" for block in made))


@pass_eval_context
def linebreaksbr(context: EvalContext, value: Any) -> Markup:
    """Make `<br>` of line breaks."""
    return Markup(_escaped(context, value, _lines(value)).replace("\n", "<br>"))


@pass_eval_context
def linenumbers(context: EvalContext, value: Any) -> Markup:
    """Put its number before each line."""
    lines = _lines(value).split("\n")
    width = len(str(len(lines)))
    return Markup(
        "\n".join(f"{at:0{width}}. {_escaped(context, value, line)}" for at, line in enumerate(lines, start=1))
    )


def force_escape(value: Any) -> Markup:
    """Escape, markup too."""
    return escape(str(value))


def escapeseq(value: Iterable[Any]) -> list[Markup]:
    """Escape each item."""
    return [escape(item) for item in value]


def safeseq(value: Iterable[Any]) -> list[Markup]:
    """Take each item for markup."""
    return [Markup(item) for item in value]


def escapejs(value: Any) -> Markup:
    """Escape for the inside of a string in a script. For whole values `tojson` is safer."""
    return Markup(str(value).translate(_IN_STRING))


def as_json(value: Any) -> Any:
    """Return what JSON writes for values it does not know: dates, decimals, ids, sets."""
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, decimal.Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(cast(frozenset[Any], value))
    if hasattr(value, "__html__"):
        return str(value)
    raise TypeError(f"A value of type {type(value).__name__} cannot be written as JSON.")


def json_script(value: Any, element_id: str | None = None) -> Markup:
    """Return a `<script type="application/json">` that holds *value* and that nothing in it can close.

    Nothing runs it, so it needs no nonce.
    """
    text = json.dumps(value, default=as_json).translate(_IN_SCRIPT)
    if element_id is None:
        return Markup('<script type="application/json">{}</script>').format(Markup(text))
    return Markup('<script id="{}" type="application/json">{}</script>').format(element_id, Markup(text))


@pass_eval_context
def urlize(
    context: EvalContext,
    value: Any,
    trim_url_limit: int | None = None,
    nofollow: bool = False,  # noqa: FBT001, FBT002 - Jinja2's signature
    target: str | None = None,
    rel: str | None = None,
    extra_schemes: Iterable[str] | None = None,
) -> str:
    """Make links of addresses in a text of at most a million characters."""
    text = str(value)
    if len(text) > _MOST:
        return escape(text)
    return do_urlize(context, text, trim_url_limit, nofollow, target, rel, extra_schemes)


@pass_eval_context
def urlizetrunc(context: EvalContext, value: Any, length: Any) -> str:
    """Make links of addresses, and show at most *length* characters of each."""
    most = max(int(length), 1)

    def shorten(found: re.Match[str]) -> str:
        shown = Markup(found[2]).unescape()
        if len(shown) > most:
            shown = shown[: most - 1] + "…"
        return f"{found[1]}{escape(shown)}</a>"

    return Markup(_LINK.sub(shorten, str(urlize(context, value))))


@pass_eval_context
def unordered_list(context: EvalContext, value: Iterable[Any]) -> Markup:
    """Make `<li>` of a list, and `<ul>` of each list in it, without the outermost `<ul>`."""
    return Markup(_items(context, value, 1))


def _items(context: EvalContext, value: Iterable[Any], depth: int) -> str:
    indent = "\t" * depth
    made: list[str] = []
    for item, inner in _with_inner(value):
        below = ""
        if inner is not None:
            below = f"\n{indent}<ul>\n{_items(context, inner, depth + 1)}\n{indent}</ul>\n{indent}"
        made.append(f"{indent}<li>{_escaped(context, item, str(item))}{below}</li>")
    return "\n".join(made)


def _with_inner(value: Iterable[Any]) -> Iterator[tuple[Any, Iterable[Any] | None]]:
    """Yield each item with the list that follows it, if one does."""
    items = list(value)
    for at, item in enumerate(items):
        if _is_list(item):
            continue
        after = items[at + 1] if at + 1 < len(items) else None
        yield item, after if _is_list(after) else None


def _is_list(value: Any) -> bool:
    return hasattr(value, "__iter__") and not isinstance(value, str | bytes) and not hasattr(value, "__html__")


# Cutting HTML


def truncatechars_html(value: Any, length: Any) -> str:
    """Cut HTML to *length* characters of text, the last an ellipsis, and close the tags left open."""
    return _truncate(value, int(length), _count_characters, end="…", reserved=1)


def truncatewords_html(value: Any, count: Any) -> str:
    """Cut HTML to *count* words and an ellipsis, and close the tags left open."""
    return _truncate(value, int(count), _count_words, end=" …", reserved=0)


def _truncate(value: Any, most: int, count: _Counter, *, end: str, reserved: int) -> str:
    """Cut a text that is read as HTML. It is markup afterwards only if it was before."""
    kind = Markup if isinstance(value, Markup) else str
    text = str(value)
    if most <= 0:
        return kind()
    if len(text) > _MOST:
        text = text[:_MOST]
        text = text[: text.rfind("<")] if text.rfind("<") > text.rfind(">") else text
    pieces = list(_pieces(text))
    if sum(count(piece)[0] for is_tag, piece in pieces if not is_tag) <= most:
        return kind(text)
    parts: list[str] = []
    opened: list[str] = []
    left = most - reserved
    for is_tag, piece in pieces:
        if is_tag:
            _note(piece, opened)
            parts.append(piece)
            continue
        amount, ends = count(piece)
        if amount > left:
            parts.append(piece[: ends[left - 1]] if left else "")
            break
        left -= amount
        parts.append(piece)
    closing = "".join(f"</{name}>" for name in reversed(opened))
    return kind("".join(parts).rstrip() + end + closing)


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """Yield tags and the text between them; once no `>` is left, the rest is text."""
    at = 0
    while True:
        start = text.find("<", at)
        end = -1 if start < 0 else _end_of_tag(text, start)
        if end < 0:
            if at < len(text):
                yield False, text[at:]
            return
        if start > at:
            yield False, text[at:start]
        yield True, text[start:end]
        at = end


def _end_of_tag(text: str, start: int) -> int:
    closing = "-->" if text.startswith("<!--", start) else ">"
    found = text.find(closing, start)
    return -1 if found < 0 else found + len(closing)


def _note(tag: str, opened: list[str]) -> None:
    found = _TAG_NAME.match(tag)
    if found is None:
        return
    name = found[1].lower()
    if tag.startswith("</"):
        if opened and opened[-1] == name:
            opened.pop()
    elif name not in _VOID and not tag.endswith("/>"):
        opened.append(name)


def _count_words(text: str) -> tuple[int, list[int]]:
    ends = [found.end() for found in re.finditer(r"\S+", text)]
    return len(ends), ends


def _count_characters(text: str) -> tuple[int, list[int]]:
    """Return how many characters a text shows, and where each ends; an entity is one."""
    ends: list[int] = []
    at = 0
    while at < len(text):
        found = _ENTITY.match(text, at) if text[at] == "&" else None
        at = found.end() if found is not None else at + 1
        ends.append(at)
    return len(ends), ends
