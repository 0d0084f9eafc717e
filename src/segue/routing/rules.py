"""Rules: how a route's path and host are written, read, and kept."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NoReturn

from ..errors import SetupError, did_you_mean
from .converters import CONVERTERS, Converter, is_clean

__all__ = ["Parameter", "Rule", "parse_rule"]

_PARAMETER = re.compile(r"<(?:([a-zA-Z_]\w*)(?:\(((?:[^()'\"]|'[^']*'|\"[^\"]*\")*)\))?:)?([a-zA-Z_]\w*)>")
_GROUP_WITH_CONVERTER = re.compile(r"\(\?P(<[^<>]*:\w+>)\)")
_ARGUMENT = re.compile(r"\s*(?:([a-zA-Z_]\w*)\s*=)?\s*(?:\"([^\"]*)\"|'([^']*)'|([^,'\"]*?))\s*(?:,|$)")
_WORDS: dict[str, Any] = {"True": True, "False": False, "None": None}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of a rule that varies.

    Attributes:
        name: Empty for a group of a regular expression without a name.
        key: Equal for two parameters that match the same, whatever their names.
    """

    name: str
    converter: Converter
    key: Hashable


class _Group(Converter):
    """What a group without a converter has: any text, for the expression itself decides."""

    part_isolating = False

    def accept(self, text: str) -> Any:
        return text


_GROUP = _Group()


def parse_rule(
    text: str, converters: Mapping[str, type[Converter]] = CONVERTERS, *, where: str = ""
) -> tuple[str | Parameter, ...]:
    """Return the literal texts and the parameters of a rule's path.

    Raises:
        SetupError: It cannot be read (`routing/bad-rule`), or names a converter that
            nobody added (`routing/unknown-converter`).
    """
    if not text.startswith("/"):
        refuse_rule(text, 0, "It does not begin with a slash.", f'Write "/{text}".', where)
    parts = _parse(text, converters, where)
    at = 0
    for segment in re.sub(_PARAMETER, lambda match: "x" * len(match[0]), text).split("/")[1:]:
        at += 1
        if segment in (".", "..") or (not segment and at < len(text)):
            problem = "Browsers and proxies make another path of an empty, `.` or `..` part."
            refuse_rule(text, at, problem, "Write the path that is meant.", where)
        at += len(segment)
    return parts


def parse_host(
    text: str, converters: Mapping[str, type[Converter]] = CONVERTERS, *, where: str = ""
) -> tuple[str | Parameter, ...]:
    """Return the literal texts and the parameters of a host pattern such as `<tenant>.example.com`."""
    parts = _parse(text, converters, where)
    for part in parts:
        if isinstance(part, str):
            bad = re.search(r"[:/\s]", part)
            if bad is not None:
                at = text.index(part) + bad.start()
                refuse_rule(text, at, "A host has no port, slash or space.", "Write the name alone.", where)
        elif not part.converter.part_isolating:
            refuse_rule(text, text.index(f":{part.name}>"), "This converter is for paths.", f"<{part.name}>", where)
    return tuple(part.lower() if isinstance(part, str) else part for part in parts)


def _parse(text: str, converters: Mapping[str, type[Converter]], where: str) -> tuple[str | Parameter, ...]:
    parts: list[str | Parameter] = []
    at = 0
    while at < len(text):
        if text[at] == "<":
            match = _PARAMETER.match(text, at)
            if match is None:
                problem = "A parameter is <name>, <converter:name> or <converter(argument):name>."
                refuse_rule(text, at, problem, "Write for example <int:pk>.", where)
            parameter = _parameter(text, match, converters, where)
            if any(isinstance(part, Parameter) and part.name == parameter.name for part in parts):
                refuse_rule(text, at, f"Two parameters are called `{parameter.name}`.", "Rename one of them.", where)
            if parts and isinstance(parts[-1], Parameter):
                refuse_rule(text, at, "Nothing stands between two parameters.", "Put a slash between them.", where)
            parts.append(parameter)
            at = match.end()
        else:
            end = text.find("<", at)
            literal = text[at : end if end >= 0 else len(text)]
            bad = re.search(r"[>?#\\]", literal)
            if bad is not None or not is_clean(literal):
                problem = f"A path has no {bad[0]!r}." if bad else "It has a control character."
                hint = "Take it out; what stands behind a ? in a URL is a parameter of the handler, not of the rule."
                refuse_rule(text, at + (bad.start() if bad else 0), problem, hint, where)
            parts.append(literal)
            at += len(literal)
    return tuple(parts)


def _parameter(text: str, match: re.Match[str], converters: Mapping[str, type[Converter]], where: str) -> Parameter:
    kind, arguments, name = match[1] or "default", match[2] or "", match[3]
    factory = converters.get(kind)
    if factory is None:
        raise SetupError(
            f"The rule {text!r} names the converter `{kind}`, and there is none.",
            code="routing/unknown-converter",
            where=where,
            why=f"Converters: {', '.join(sorted(set(converters) - {'default'}))}.",
            hint=did_you_mean(kind, converters) or "add_converter() adds your own.",
        )
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for argument in _ARGUMENT.finditer(arguments) if arguments.strip() else ():
        if argument.start() == len(arguments):
            break
        quoted = argument[2] if argument[2] is not None else argument[3]
        value = quoted if quoted is not None else _value(argument[4])
        if argument[1]:
            named[argument[1]] = value
        else:
            positional.append(value)
    try:
        converter = factory(*positional, **named)
        re.compile(converter.regex)
    except (TypeError, ValueError, re.error) as error:
        problem = f"The converter `{kind}` refuses its arguments: {error}."
        refuse_rule(text, match.start(), problem, f"{factory.__doc__ or kind}".partition("\n")[0], where)
    return Parameter(name, converter, (factory, tuple(positional), tuple(sorted(named.items()))))


def _value(text: str) -> Any:  # Any: a number, a truth value, None or a word
    if re.fullmatch(r"-?(?:0|[1-9]\d{0,18})", text):
        return int(text)
    if re.fullmatch(r"-?\d{1,18}\.\d{1,18}", text):
        return float(text)
    return _WORDS.get(text, text)


def refuse_rule(text: str, at: int, problem: str, hint: str, where: str) -> NoReturn:
    """Raise `routing/bad-rule` with a mark under the place."""
    raise SetupError(
        f"The rule {text!r} cannot be read at column {at + 1}.\n  {text}\n  {' ' * at}^",
        code="routing/bad-rule",
        where=where,
        why=problem,
        hint=hint,
    )


def rule_regex(text: str) -> str:
    """Return a rule's path as a regular expression; parameters become `(?P<int:pk>)`."""
    parts: list[str] = []
    at = 0
    for match in _PARAMETER.finditer(text):
        inner = match[0] if match[1] else f"<default:{match[3]}>"
        parts += [re.escape(text[at : match.start()]), f"(?P{inner})"]
        at = match.end()
    return "".join([*parts, re.escape(text[at:])])


@dataclass(frozen=True, slots=True)
class Rule:
    """One route: what it matches, and its endpoint's name. Equal to every rule that says the same.

    Attributes:
        path: As written; a regular expression if *is_regex*, matched without the first slash.
        methods: As declared: HEAD and OPTIONS come by themselves.
        host: A pattern such as `<tenant>.example.com`; `None` for every host.
        defaults: Values for parameters that the path does not have.
        strict_slashes: Whether a trailing slash matters.
        place: `file:line` of the declaration. It does not take part in `==`.
        parts: The literal texts and the parameters of the path.
        values: The parameters in the order of the values that a match has: host, then path.
    """

    path: str
    endpoint: str
    methods: frozenset[str] = frozenset({"GET"})
    host: str | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)
    strict_slashes: bool = True
    websocket: bool = False
    is_regex: bool = False
    place: str = field(default="", compare=False)
    converters: Mapping[str, type[Converter]] = field(default_factory=lambda: CONVERTERS, compare=False, repr=False)
    parts: tuple[str | Parameter, ...] = field(init=False, compare=False, repr=False)
    host_parts: tuple[str | Parameter, ...] = field(init=False, compare=False, repr=False)
    values: tuple[Parameter, ...] = field(init=False, compare=False, repr=False)
    pattern: re.Pattern[str] | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        host = parse_host(self.host, self.converters, where=self.place) if self.host else ()
        pattern: re.Pattern[str] | None = None
        parts: tuple[str | Parameter, ...]
        if self.is_regex:
            pattern, parts = self._compile()
        else:
            parts = parse_rule(self.path, self.converters, where=self.place)
        values = tuple(part for part in (*host, *parts) if isinstance(part, Parameter))
        names = [value.name for value in values if value.name]
        if len(names) != len(set(names)):
            refuse_rule(self.path, 0, "Its host has a parameter of the same name.", "Rename one.", self.place)
        made = {"parts": parts, "host_parts": host, "values": values, "pattern": pattern}
        for name, value in {**made, "defaults": MappingProxyType(dict(self.defaults))}.items():
            object.__setattr__(self, name, value)

    def _compile(self) -> tuple[re.Pattern[str], tuple[Parameter, ...]]:
        found: dict[str, Parameter] = {}

        def group(match: re.Match[str]) -> str:
            (parameter,) = _parse(match[1], self.converters, self.place)
            assert isinstance(parameter, Parameter)
            found[parameter.name] = parameter
            return f"(?P<{parameter.name}>{parameter.converter.regex})"

        text = _GROUP_WITH_CONVERTER.sub(group, self.path)
        if text.startswith(("^/", "/")):
            text = text.replace("/", "", 1)
        try:
            pattern = re.compile(text)
        except re.error as error:
            problem = f"The regular expression is wrong: {error.msg}."
            refuse_rule(text, error.pos or 0, problem, "A backslash stands before what is meant as text.", self.place)
        names = sorted(pattern.groupindex, key=pattern.groupindex.__getitem__) or [""] * pattern.groups
        return pattern, tuple(found.get(name) or Parameter(name, _GROUP, None) for name in names)

    @property
    def parameters(self) -> Mapping[str, Converter]:
        """The converters by the names of their parameters."""
        return {value.name: value.converter for value in self.values if value.name}

    @property
    def value_names(self) -> tuple[str | None, ...]:
        """The names of a match's values, in order; `None` for a group without a name."""
        return tuple(value.name or None for value in self.values)

    @property
    def value_types(self) -> tuple[type, ...]:
        """The types of a match's values, in order."""
        return tuple(value.converter.python_type for value in self.values)

    def __str__(self) -> str:
        return f"{self.host or ''}{self.path}"
