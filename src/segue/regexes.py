"""Regular expressions taken apart: reversed into the texts they match, and looked at for traps.

Holds: `reverse_regex`, `lint_regex`, `strip_anchors`.
Imports: the standard library.
Never: knows what an expression is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["lint_regex", "reverse_regex", "strip_anchors"]

_QUANTIFIER = re.compile(r"(?:([*+?])|\{(\d*)(?:(,)(\d*))?\})[?+]?")
_OPENING = re.compile(r"\((?:\?(?:P<(\w+)>|P=\w+|#[^)]*|<?[=!]|>|[a-zA-Z-]*:|[a-zA-Z]+(?=\))))?")
_ESCAPE = re.compile(r"\\(?:x..|u.{4}|U.{8}|N\{[^}]*\}|\d{1,2}|.)", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


@dataclass(slots=True)
class Item:
    """One element of a regular expression, with how often it may occur.

    Attributes:
        source: What it is, without its quantifier.
        literal: The text it stands for, if only one; empty for `^` and `$`.
        branches: The alternatives of a group.
        group: The name of a capturing group, or `""` for one without a name.
        most: `None` means without end.
    """

    source: str
    literal: str | None = None
    branches: list[list[Item]] | None = None
    group: str | None = None
    least: int = 1
    most: int | None = 1


def parse_regex(regex: str) -> list[list[Item]]:
    """Return the alternatives of *regex*, which `re.compile` has accepted."""
    return _Parser(regex).branches()


class _Parser:
    def __init__(self, regex: str) -> None:
        self.regex = regex
        self.at = 0
        self.depth = 0
        self.bars: list[int] = []  # where the outermost alternatives are parted

    def branches(self) -> list[list[Item]]:
        found: list[list[Item]] = [[]]
        while self.at < len(self.regex) and self.regex[self.at] != ")":
            if self.regex[self.at] == "|":
                if self.depth == 0:
                    self.bars.append(self.at)
                self.at += 1
                found.append([])
                continue
            item = self._item()
            self._quantify(item)
            found[-1].append(item)
        return found

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self.regex, self.at)
        if match is None:
            raise ValueError(self.regex)
        self.at = match.end()
        return match

    def _item(self) -> Item:
        char = self.regex[self.at]
        if char == "(":
            return self._group()
        if char == "[":
            return Item(self._take(_CLASS)[0])
        if char == "\\":
            source = self._take(_ESCAPE)[0]
            if source in (r"\A", r"\Z"):
                return Item(source, "")
            return Item(source, source[1] if len(source) == 2 and not source[1].isalnum() else None)
        self.at += 1
        return Item(char, {"^": "", "$": "", ".": None}.get(char, char))

    def _group(self) -> Item:
        start = self.at
        opening = self._take(_OPENING)
        self.depth += 1
        item = Item("", branches=self.branches())
        self.depth -= 1
        self.at += 1
        item.source = self.regex[start : self.at]
        if opening[0] == "(" or opening[1]:
            item.group = opening[1] or ""
        elif not opening[0].endswith((":", ">")):
            item.branches, item.literal = None, None if opening[0].startswith("(?P=") else ""
        return item

    def _quantify(self, item: Item) -> None:
        match = _QUANTIFIER.match(self.regex, self.at)
        if match is None or not (match[1] or match[2] or match[3]):
            return
        self.at = match.end()
        if match[1]:
            item.least = int(match[1] == "+")
            item.most = 1 if match[1] == "?" else None
        else:
            item.least = int(match[2] or 0)
            item.most = item.least if match[3] is None else int(match[4]) if match[4] else None


def strip_anchors(regex: str) -> str:
    """Return *regex* without `^`, a first slash and `$`, to stand inside another one."""
    parser = _Parser(regex)
    try:
        parser.branches()
    except ValueError:
        return regex  # not a regular expression: who compiles it will say why
    ends = [*parser.bars, len(regex)]
    texts = [regex[start:end] for start, end in zip([0, *(bar + 1 for bar in parser.bars)], ends, strict=True)]
    texts = [re.sub(r"(?<!\\)\$$", "", text.removeprefix("^").removeprefix("/")) for text in texts]
    return texts[0] if len(texts) == 1 else f"(?:{'|'.join(texts)})"


def reverse_regex(regex: str, values: Mapping[str, str], positional: Sequence[str]) -> str | None:
    """Return a text that *regex* matches with these groups, or `None`.

    What is optional is left out, unless it holds a group that has a value; of
    alternatives the first is taken. The caller checks that the result matches.

    Raises:
        KeyError: A group that must be there has no value.
    """
    rest = iter(positional)

    def write(items: list[Item]) -> str:
        return "".join(write_item(item) for item in items)

    def write_item(item: Item) -> str:
        if item.group is not None and (item.group or not values):
            value = values.get(item.group) if item.group else next(rest, None)
            if value is None and item.least:
                raise KeyError(item.group)
            return value or ""
        times = max(item.least, 1) if _has_value(item, values) else item.least
        if times == 0:
            return ""
        if item.branches is not None:
            return write(item.branches[0]) * times
        if item.literal is None:
            raise ValueError(item.source)
        return item.literal * times

    try:
        return write(parse_regex(regex)[0])
    except ValueError:
        return None


def _has_value(item: Item, values: Mapping[str, str]) -> bool:
    return any(inner.group in values for branch in item.branches or () for inner in _walk(branch))


def _walk(items: list[Item]) -> Iterator[Item]:
    for item in items:
        yield item
        for branch in item.branches or ():
            yield from _walk(branch)


def lint_regex(regex: str) -> str | None:
    """Return what makes *regex* take exponential time on some texts, or `None`.

    >>> lint_regex(r"(a+)+$")
    '`(a+)+` repeats what already repeats, with nothing between'
    >>> lint_regex(r"(?:[a-z]+-)+x")
    """
    for branch in parse_regex(regex):
        for item in _walk(branch):
            if item.most is not None or item.branches is None:
                continue
            shown = f"`{item.source}{'+' if item.least else '*'}`"
            if any(_runs_into_itself(_flat(inner)) for inner in item.branches):
                return f"{shown} repeats what already repeats, with nothing between"
            choices = [_flat(inner) for inner in item.branches]
            if any(_begins(one, other) for at, one in enumerate(choices) for other in choices[at + 1 :]):
                return f"{shown} repeats alternatives that one text fits both of"
    return None


def _flat(items: list[Item]) -> list[Item]:
    flat: list[Item] = []
    for item in items:
        if item.branches is not None and len(item.branches) == 1 and item.least == item.most == 1:
            flat.extend(_flat(item.branches[0]))
        else:
            flat.append(item)
    return flat


def _runs_into_itself(items: list[Item]) -> bool:
    """Whether repeating *items* can split one text in many ways."""
    return any(
        item.most is None
        and not any(other.least and other is not item and not _overlap(item, other) for other in items)
        for item in items
    )


def _begins(one: list[Item], other: list[Item]) -> bool:
    """Whether a text of one alternative may be the beginning of one of the other."""
    return all(_overlap(first, second) for first, second in zip(one, other, strict=False))


def _overlap(first: Item, second: Item) -> bool:
    """Whether both may match the same character, as far as one can tell."""
    if first.branches is not None or second.branches is not None:
        return True
    return not _characters(first).isdisjoint(_characters(second))


@lru_cache(256)
def _matching(source: str) -> frozenset[str]:
    try:
        return frozenset(char for char in map(chr, range(32, 256)) if re.fullmatch(source, char))
    except re.error:  # a back reference alone
        return frozenset()


def _characters(item: Item) -> frozenset[str]:
    return frozenset(item.literal) if item.literal is not None else _matching(item.source)
