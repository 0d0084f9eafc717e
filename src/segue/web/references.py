"""Where a style sheet or a script names other files.

Holds `Reference` and `references_in`, which finds `url(…)`, `@import`, the specifiers of
`import` and `export`, `new URL(…, import.meta.url)` and `sourceMappingURL`.

It reads tokens, not grammar: comments, texts and regular expressions are stepped over, so
that what they hold is no reference. One pattern with alternatives does this in one pass;
the alternative that captures nothing is what is stepped over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Reference", "references_in"]

_TEXT = r""""(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'"""
_MAP = r"[#@]\s*sourceMappingURL=(?P<map>[^\s'\"*]+)"

_CSS = re.compile(
    rf"""
    /\*{_MAP}\s*\*/
    | /\*.*?\*/
    | @import\s+(?P<import>{_TEXT})
    | (?<![\w-])url\(\s*(?P<url>{_TEXT}|[^"'()\s]+)\s*\)
    | {_TEXT}
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
).finditer

# A slash begins a regular expression where no value stands before it.
_JS = re.compile(
    rf"""
    //{_MAP}
    | //[^\n]*
    | /\*.*?\*/
    | (?<![\w$.])(?:import|export)\b\s*(?:[\w$*{{][^;"'`()=]*?\bfrom\s*)?(?P<from>{_TEXT})
    | (?<![\w$.])import\s*\(\s*(?P<late>{_TEXT})\s*[,)]
    | (?<![\w$.])new\s+URL\(\s*(?P<url>{_TEXT})\s*,\s*import\.meta\.url
    | `(?:\\.|[^`\\])*`
    | {_TEXT}
    | (?:(?<=[(,=:\[!&|?{{}};+\-*%~^<>\n])|(?<=\breturn))\s*/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/
    """,
    re.DOTALL | re.VERBOSE,
).finditer

_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|\#|\?|$", re.IGNORECASE).match


@dataclass(frozen=True, slots=True)
class Reference:
    """One place where a file names another.

    Attributes:
        target: The other file, relative to this one, or absolute in its site.
        rest: The query and fragment behind it.
        start, end: Where the target stands in the text.
        line: The line, counted from 1.
        kind: What names it, as an error may say it.
    """

    target: str
    rest: str
    start: int
    end: int
    line: int
    kind: str


def references_in(name: str, text: str) -> list[Reference]:
    """Return what *text*, the file *name*, refers to in its own site, in order.

    Addresses of other sites and `data:` are none, and so are the bare names of packages
    in scripts.
    """
    if name.endswith(".css"):
        return list(_found(_CSS(text), text, bare=True))
    if name.endswith((".js", ".mjs")):
        return list(_found(_JS(text), text, bare=False))
    return []


def _found(matches: Iterator[re.Match[str]], text: str, *, bare: bool) -> Iterator[Reference]:
    line, counted = 1, 0
    for match in matches:
        group = match.lastgroup
        if group is None:
            continue
        start, end = match.span(group)
        if text[start] in "\"'":
            start, end = start + 1, end - 1
        address = text[start:end]
        if _ELSEWHERE(address) or (not bare and group != "map" and not address.startswith((".", "/"))):
            continue
        target = re.split(r"[?#]", address, maxsplit=1)[0]
        line += text.count("\n", counted, start)
        counted = start
        yield Reference(target, address[len(target) :], start, start + len(target), line, _KINDS.get(group, "import"))


_KINDS = {"map": "sourceMappingURL", "url": "url()", "import": "@import"}
