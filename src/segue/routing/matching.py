"""The compiled matcher: a dictionary of static paths, a tree of segments, then regular expressions.

A path is looked up segment by segment from the left. In each place literal
text comes first, then a segment that mixes text and parameters (the more text
the earlier), then whole parameters by the rank of their converter, then what
swallows the rest (`path`). What fails further right goes back to the next
choice; a node is visited at most once, so the cost of a path is bounded by
the number of rules that begin alike, never by the number of rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import SetupError
from .converters import NO_MATCH, Converter, is_clean
from .rules import Parameter, Rule

__all__ = ["WEBSOCKET", "Hit", "HostPattern", "Leaf", "Part", "Tree", "accepts", "split"]

WEBSOCKET = "WEBSOCKET"  # stands beside the methods in a table; no request can have it as its method

Part = str | Parameter
Segment = tuple[Part, ...]
Found = tuple["Leaf", tuple[Any, ...]]
Hit = tuple[Mapping[str, Any], tuple[Any, ...]]


class Leaf:
    """What answers one path: targets by method, and the rules they came from.

    Attributes:
        slashes: By method, rules that answer the same path with a slash behind it.
    """

    __slots__ = ("rules", "slashes", "table")

    def __init__(self) -> None:
        self.table: dict[str, Any] = {}
        self.rules: dict[str, Rule] = {}
        self.slashes: dict[str, Rule] = {}

    def add(self, rule: Rule, target: Any, methods: Iterable[str]) -> None:
        """Let *rule* answer *methods*.

        Raises:
            SetupError: Another rule answers one of them (`routing/duplicate-rule`).
        """
        for method in methods:
            other = self.rules.get(method)
            if other is not None:
                raise SetupError(
                    f"Two routes answer {method} {rule}: `{other.endpoint}` and `{rule.endpoint}`.",
                    code="routing/duplicate-rule",
                    where=f"{other.place} has {str(other)!r}\n{rule.place} has {str(rule)!r}",
                    why="Nothing could tell which one is meant; names of parameters make no difference.",
                    hint="Change one path, or give one of them other methods.",
                )
            self.fill(rule, target, method)

    def fill(self, rule: Rule, target: Any, method: str) -> None:
        """Let *rule* answer *method*, unless something does."""
        self.table.setdefault(method, target)
        self.rules.setdefault(method, rule)

    def seal(self) -> None:
        """Let HEAD be answered by what answers GET, unless it has its own."""
        for rules in (self.rules, self.slashes):
            if "GET" in rules:
                rules.setdefault("HEAD", rules["GET"])
        if "GET" in self.table:
            self.table.setdefault("HEAD", self.table["GET"])


class _Pattern:
    """A stretch of a path that mixes text and parameters.

    With `<a>-<b>-<c>` a text of many hyphens could be parted in a great many ways,
    and a plain expression would try them all. So only one parameter is free:
    the last whose text may hold what follows it. Those before it end at the first
    occurrence of that. What stands at both ends is compared beforehand.
    """

    __slots__ = ("_fullmatch", "_prefix", "_suffix", "converters")

    def __init__(self, parts: Sequence[Part]) -> None:
        inner = list(parts)
        self._prefix = str(inner.pop(0)) if inner and isinstance(inner[0], str) else ""
        self._suffix = str(inner.pop()) if inner and isinstance(inner[-1], str) else ""
        self.converters = [part.converter for part in inner if isinstance(part, Parameter)]
        between = [part for part in inner if isinstance(part, str)]
        loose = [index for index, text in enumerate(between) if _may_hold(self.converters[index], text)]
        source = ""
        for index, converter in enumerate(self.converters):
            text = re.escape(between[index]) if index < len(between) else ""
            regex = f"(?>(?:(?!{text}).)+)" if index in loose[:-1] else converter.regex
            source += f"(?P<v_{index}>{regex}){text}"
        self._fullmatch = re.compile(source).fullmatch

    def match(self, text: str) -> Any:  # Any: a tuple of values, or NO_MATCH
        if not (text.startswith(self._prefix) and text.endswith(self._suffix)):
            return NO_MATCH
        found = self._fullmatch(text, len(self._prefix), len(text) - len(self._suffix))
        if found is None:
            return NO_MATCH
        values = tuple(each.accept(found[f"v_{index}"]) for index, each in enumerate(self.converters))
        return NO_MATCH if any(value is NO_MATCH for value in values) else values


def _may_hold(converter: Converter, text: str) -> bool:
    return any(re.fullmatch(converter.regex, f"{char}{text}{char}") for char in "aA1")


class _Node:
    """One place in a path, and what may stand there.

    Attributes:
        steps: How a segment is accepted, where that leads, and whether it makes several values.
        tails: How all the rest is accepted, and what answers.
    """

    __slots__ = ("choices", "leaf", "literals", "steps", "tails")

    def __init__(self) -> None:
        self.leaf: Leaf | None = None
        self.literals: dict[str, _Node] = {}
        self.choices: dict[Hashable, tuple[Segment, _Node | Leaf]] = {}
        self.steps: list[tuple[Callable[[str], Any], _Node, bool]] = []
        self.tails: list[tuple[Callable[[str], Any], Leaf]] = []

    def child(self, segment: Segment) -> _Node:
        """Return the node behind *segment*, made if need be."""
        if all(isinstance(part, str) for part in segment):
            return self.literals.setdefault("".join(map(str, segment)), _Node())
        found = self.choices.setdefault(_key(segment), (segment, _Node()))[1]
        assert isinstance(found, _Node)
        return found

    def tail(self, parts: Segment) -> Leaf:
        """Return the leaf of what swallows the rest, made if need be."""
        found = self.choices.setdefault(_key(parts), (parts, Leaf()))[1]
        assert isinstance(found, Leaf)
        return found

    def seal(self) -> None:
        """Put the choices in their order; the sort keeps that of registration among equals."""
        for parts, content in sorted(self.choices.values(), key=lambda choice: _precedence(choice[0])):
            if isinstance(content, Leaf):
                self.tails.append((_Pattern(parts).match, content))
            elif len(parts) == 1 and isinstance(parts[0], Parameter):
                self.steps.append((parts[0].converter.accept, content, False))
            else:
                self.steps.append((_Pattern(parts).match, content, True))


def _key(parts: Segment) -> tuple[Hashable, ...]:
    return tuple(part if isinstance(part, str) else part.key for part in parts)


def _precedence(parts: Segment) -> tuple[int, list[int]]:
    text = sum(len(part) for part in parts if isinstance(part, str))
    return -text, [part.converter.rank for part in parts if isinstance(part, Parameter)]


class Tree:
    """Everything that answers for one host, or for every host.

    Attributes:
        static: Leaves of the paths without parameters.
        regexes: What is tried when nothing else matches, in the order of registration.
        ends: By literal text, what accepts one last segment after it, and which table answers.
    """

    __slots__ = ("ends", "regexes", "root", "static")

    def __init__(self) -> None:
        self.static: dict[str, Leaf] = {}
        self.root: _Node = _Node()
        self.regexes: dict[str, tuple[re.Pattern[str], Rule, Leaf]] = {}
        self.ends: dict[str, list[tuple[Callable[[str], Any], dict[str, Any]]]] = {}

    def leaf_of(self, rule: Rule) -> Leaf:
        """Return the leaf that *rule* belongs to, made if need be."""
        if rule.pattern is not None:
            return self.regexes.setdefault(rule.path, (rule.pattern, rule, Leaf()))[2]
        return self._leaf(rule.parts)

    def add_slash(self, rule: Rule, target: Any, methods: Iterable[str]) -> None:
        """Let *rule* answer with the other trailing slash, or redirect from without one."""
        parts = _toggle(rule.parts) if rule.pattern is None else ()
        if not parts:
            return
        if not rule.strict_slashes:
            leaf = self._leaf(parts)
            for method in methods:
                leaf.fill(rule, target, method)
        elif rule.path.endswith("/") and not rule.websocket:
            # In the tree even for static paths: a rule that swallows everything must not be before it.
            leaf = self._leaf(parts, is_static=False)
            for method in methods:
                leaf.slashes.setdefault(method, rule)

    def _leaf(self, parts: tuple[Part, ...], *, is_static: bool = True) -> Leaf:
        if is_static and all(isinstance(part, str) for part in parts):
            return self.static.setdefault("".join(map(str, parts)), Leaf())
        node = self.root
        segments = split(parts)
        for index, segment in enumerate(segments):
            if any(isinstance(part, Parameter) and not part.converter.part_isolating for part in segment):
                return node.tail(_joined(segments[index:]))
            node = node.child(segment)
        node.leaf = node.leaf or Leaf()
        return node.leaf

    def seal(self) -> None:
        """Put everything in its final order."""
        leaves = [*self.static.values(), *(leaf for _, _, leaf in self.regexes.values())]
        nodes = [self.root]
        while nodes:
            node = nodes.pop()
            node.seal()
            nodes += [*node.literals.values(), *(child for _, child, _ in node.steps)]
            leaves += [leaf for _, leaf in node.tails]
            if node.leaf is not None:
                leaves.append(node.leaf)
        for leaf in leaves:
            leaf.seal()
        self._index_ends(self.root, "")

    def _index_ends(self, node: _Node, text: str) -> None:
        # Not where literal text or a mixed segment could stand in the last place: they come first.
        if not any(child.leaf for child in node.literals.values()) and not any(step[2] for step in node.steps):
            ends = [(accept, child.leaf.table) for accept, child, _ in node.steps if child.leaf is not None]
            if ends and text:  # at the root, a path without its first slash would look the same
                self.ends[text] = ends
        for literal, child in node.literals.items():
            self._index_ends(child, f"{text}/{literal}")

    def first(self, path: str) -> Hit | None:
        """Return the table and the values of the best match among paths with parameters."""
        # PERF: half the time of the walk, for the commonest shape: text, then one parameter.
        begin, _, last = path.rpartition("/")
        for accept, table in self.ends.get(begin, ()):
            value = accept(last)
            if value is not NO_MATCH:
                return table, (value,)
        parts = path.split("/")
        if parts[0] or not path:
            return None
        found = _first(self.root, parts, 1, len(parts), ())
        if found is None and self.regexes:
            for leaf, values in self.by_regex(path):
                return leaf.table, values
        return found

    def every(self, path: str) -> Iterator[Found]:
        """Iterate over all matches, the best first."""
        if not path.startswith("/"):
            return
        if path in self.static:
            yield self.static[path], ()
        yield from _every(self.root, path.split("/"), 1, ())
        yield from self.by_regex(path)

    def by_regex(self, path: str) -> Iterator[Found]:
        """Iterate over the regular expressions that match."""
        if not path.startswith("/") or not is_clean(path):
            return
        rest = path[1:]  # not a start position: `^` would not match there
        for pattern, rule, leaf in self.regexes.values():
            match = pattern.fullmatch(rest)
            if match is not None:
                texts = match.groupdict().values() if pattern.groupindex else match.groups()
                values = tuple(
                    None if text is None else part.converter.accept(text)
                    for part, text in zip(rule.parts, texts, strict=True)
                    if isinstance(part, Parameter)
                )
                if not any(value is NO_MATCH for value in values):
                    yield leaf, values


# PERF: the next two say the same; the generator alone takes three times as long for a common path.
def _first(node: _Node, parts: list[str], at: int, end: int, values: tuple[Any, ...]) -> Hit | None:
    part = parts[at]
    at += 1
    child = node.literals.get(part)
    if child is not None:
        if at < end:
            found = _first(child, parts, at, end, values)
            if found is not None:
                return found
        elif child.leaf is not None:
            return child.leaf.table, values
    for accept, child, is_several in node.steps:
        value = accept(part)
        if value is not NO_MATCH:
            longer = values + value if is_several else (*values, value)
            if at < end:
                found = _first(child, parts, at, end, longer)
                if found is not None:
                    return found
            elif child.leaf is not None:
                return child.leaf.table, longer
    for accept, leaf in node.tails:
        several = accept("/".join(parts[at - 1 :]))
        if several is not NO_MATCH:
            return leaf.table, values + several
    return None


def _every(node: _Node, parts: list[str], at: int, values: tuple[Any, ...]) -> Iterator[Found]:
    if at == len(parts):
        if node.leaf is not None:
            yield node.leaf, values
        return
    part = parts[at]
    if part in node.literals:
        yield from _every(node.literals[part], parts, at + 1, values)
    for accept, child, is_several in node.steps:
        value = accept(part)
        if value is not NO_MATCH:
            yield from _every(child, parts, at + 1, values + value if is_several else (*values, value))
    for accept, leaf in node.tails:
        several = accept("/".join(parts[at:]))
        if several is not NO_MATCH:
            yield leaf, values + several


class HostPattern:
    """A host with parameters, matched label by label."""

    __slots__ = ("labels", "precedence")

    def __init__(self, parts: Sequence[Part]) -> None:
        segments = split(parts, ".")
        self.labels: list[_Pattern] = [_Pattern(segment) for segment in segments]
        self.precedence: list[tuple[int, list[int]]] = [_precedence(segment) for segment in segments]

    def match(self, host: str) -> Any:
        """Return the values of *host*, or `NO_MATCH`."""
        texts = host.split(".")
        if len(texts) != len(self.labels):
            return NO_MATCH
        values: list[Any] = []
        for label, text in zip(self.labels, texts, strict=True):
            found = label.match(text)
            if found is NO_MATCH:
                return NO_MATCH
            values += found
        return tuple(values)


def accepts(segment: Segment, text: str) -> Any:
    """Return the values of *text* as this segment, or `NO_MATCH`."""
    return _Pattern(segment).match(text)


def split(parts: Sequence[Part], separator: str = "/") -> list[Segment]:
    """Return what stands between the separators; a path's first slash parts nothing."""
    segments: list[list[Part]] = [[]]
    for part in parts:
        if isinstance(part, Parameter):
            segments[-1].append(part)
            continue
        first, *others = part.split(separator)
        if first:
            segments[-1].append(first)
        for other in others:
            segments.append([other] if other else [])
    return [tuple(segment) for segment in (segments[1:] if separator == "/" else segments)]


def _joined(segments: Sequence[Segment]) -> Segment:
    joined: list[Part] = []
    for index, segment in enumerate(segments):
        for part in ("/", *segment) if index else segment:
            if isinstance(part, str) and joined and isinstance(joined[-1], str):
                joined[-1] += part
            else:
                joined.append(part)
    return tuple(joined)


def _toggle(parts: Sequence[Part]) -> tuple[Part, ...]:
    last = parts[-1]
    if not isinstance(last, str) or not last.endswith("/"):
        return (*parts, "/")
    return (*parts[:-1], last[:-1]) if len(last) > 1 else tuple(parts[:-1])
