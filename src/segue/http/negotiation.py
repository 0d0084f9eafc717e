"""Content negotiation (RFC 9110 §12): which of several things the client likes best.

Only the first 32 items of a header count, and nothing is cached by its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

__all__ = ["best", "best_charset", "best_encoding", "best_language", "prefers_json", "quality"]

_MAX_ITEMS = 32
_MAX_HEADER = 8192
_MAX_LANGUAGE = 64

_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\Z").match
# One parameter, and one list item, separators in quotes included; the alternatives exclude each other.
_PART = re.compile(r'(?:[^";]|"(?:[^"\\]|\\.)*")+')
_ITEM = re.compile(r'[ \t,]*((?:[^",]|"(?:[^"\\]|\\.)*")+)').match


def best(header: str, offered: Sequence[str]) -> str | None:
    """Return the media type of *offered* that an `Accept` header likes best, or `None`.

    Of equals, the one that the header names more exactly, then the first offered.
    An empty header accepts everything.

    >>> best("text/html, application/json;q=0.9", ["application/json", "text/html"])
    'text/html'
    """
    ranges = _media_ranges(header)
    winner: str | None = None
    top = (0.0, -1)
    for each in offered:
        score = _score(ranges, each)
        if score[0] > 0 and score > top:
            winner, top = each, score
    return winner


def quality(header: str, offered: str) -> float:
    """Return how much an `Accept` header likes one media type: 0 (not at all) to 1."""
    return _score(_media_ranges(header), offered)[0]


def prefers_json(header: str) -> bool:
    """Whether an `Accept` header would rather have JSON than HTML.

    `*/*` alone prefers nothing; `application/json, */*` prefers JSON.
    """
    if "json" not in header.lower():
        return False
    ranges = _media_ranges(header)
    named = [kind for kind, *_ in ranges if kind == "application/json" or kind.endswith("+json")]
    top = max((_score(ranges, kind) for kind in named), default=(0.0, -1))
    return top[0] > 0 and top > _score(ranges, "text/html")


def best_encoding(header: str, offered: Sequence[str]) -> str | None:
    """Return the content coding of *offered* to use, or `"identity"`; `None` accepts nothing.

    An empty header, or none, takes what is not encoded.
    """
    accepted = _tokens(header)
    winner, top = "", 0.0
    for each in offered:
        value = accepted.get(each.lower(), accepted.get("*", 0.0))
        if each.lower() != "identity" and value > top:
            winner, top = each, value
    identity = accepted.get("identity")
    if winner and (identity is None or identity <= top):
        return winner
    plain = accepted.get("*", 1.0) if identity is None else identity
    return "identity" if plain > 0 else None


def best_charset(header: str, offered: Sequence[str]) -> str | None:
    """Return the charset of *offered* that an `Accept-Charset` header likes best, or `None`."""
    accepted = _tokens(header) or {"*": 1.0}
    winner, top = None, 0.0
    for each in offered:
        value = accepted.get(each.lower(), accepted.get("*", 0.0))
        if value > top:
            winner, top = each, value
    return winner


def best_language(header: str, offered: Sequence[str]) -> str | None:
    """Return the language tag of *offered* that an `Accept-Language` header likes best, or `None`.

    A range matches a tag that it begins (`de` takes `de-AT`), else is shortened
    from its end (`de-AT` takes `de`; RFC 4647 §3.4). Tags over 64 characters are skipped.
    """
    wanted = sorted(_tokens(header).items(), key=lambda item: -item[1])
    refused = {tag for tag, value in wanted if value == 0}
    known = [(each, each.lower().replace("_", "-")) for each in offered]
    known = [(each, tag) for each, tag in known if tag not in refused]
    for tag, value in wanted:
        if value == 0 or len(tag) > _MAX_LANGUAGE:
            continue
        if tag == "*":
            return known[0][0] if known else None
        found = _look_up(tag, known)
        if found is not None:
            return found
    return None


def _look_up(tag: str, known: list[tuple[str, str]]) -> str | None:
    for each, candidate in known:
        if candidate == tag:
            return each
    for each, candidate in known:
        if candidate.startswith(f"{tag}-"):
            return each
    while "-" in tag:
        tag = tag.rpartition("-")[0]
        for each, candidate in known:
            if candidate == tag:
                return each
    return None


_Range = tuple[str, frozenset[str], float]
_ANYTHING: list[_Range] = [("*/*", frozenset(), 1.0)]


def _media_ranges(header: str) -> list[_Range]:
    if not header.strip(" \t"):
        return _ANYTHING
    found: list[_Range] = []
    for item in _items(header):
        kind, *params = _parts(item)
        value, extra = 1.0, set[str]()
        for param in params:
            name, _, text = param.partition("=")
            if name.lower() == "q":
                value = _weight(text)
                break  # what follows q is an extension, not a parameter of the type
            if param:
                extra.add(param.lower().replace('"', ""))
        if value >= 0:
            found.append((kind.lower(), frozenset(extra), value))
    return found


def _score(ranges: list[_Range], offered: str) -> tuple[float, int]:
    """Return the quality that the most exact matching range gives, and how exact it is."""
    kind, *params = _parts(offered.lower())
    given = {param.replace('"', "") for param in params}
    family = kind.partition("/")[0]
    top, value = -1, 0.0
    for pattern, needed, weight in ranges:
        if pattern == kind:
            exact = 2 + len(needed)
        elif pattern == f"{family}/*":
            exact = 1
        elif pattern in ("*/*", "*"):
            exact = 0
        else:
            continue
        if needed <= given and exact > top:
            top, value = exact, weight
    return value, top


def _tokens(header: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for item in _items(header):
        token, _, params = item.partition(";")
        name, _, text = params.strip(" \t").partition("=")
        value = _weight(text) if name.strip(" \t").lower() == "q" else 1.0
        if value >= 0:
            found.setdefault(token.strip(" \t").lower(), value)
    return found


def _items(header: str) -> Iterator[str]:
    header = header[:_MAX_HEADER]
    if '"' not in header:
        yield from (part for part in header.split(",", _MAX_ITEMS)[:_MAX_ITEMS] if part.strip(" \t"))
        return
    position = 0
    for _ in range(_MAX_ITEMS):
        found = _ITEM(header, position)
        if found is None:
            return
        yield found[1]
        position = found.end()


def _parts(item: str) -> list[str]:
    """Return a type and its parameters, split at the semicolons outside quotes."""
    parts = _PART.findall(item) if '"' in item else item.split(";")
    return [part.strip(" \t") for part in parts] or [""]


def _weight(text: str) -> float:
    """Return a q-value, or -1 for what is none: its item is left out."""
    text = text.strip(" \t")
    return float(text) if _QUALITY(text) else -1.0
