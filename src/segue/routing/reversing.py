"""From an endpoint's name and values to a URL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from ..errors import SegueError, UsageError, cut, did_you_mean
from .converters import NO_MATCH, is_clean
from .rules import Parameter, Rule

__all__ = ["BuildError", "Reverser", "quote_path"]

_SAFE = "/:@!$&'()*+,;="  # RFC 3986, what a path may hold unquoted
_DOTS = frozenset({".", ".."})
_MISSING = object()


def quote_path(path: str) -> str:
    """Return *path* percent-encoded."""
    return quote(path, safe=_SAFE)


class BuildError(UsageError, LookupError):
    """`url_for` cannot make a URL of these values.

    Attributes:
        endpoint: The name that was asked for.
        values: What was given.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        endpoint: str,
        values: Mapping[str, Any],
        choices: Iterable[str] = (),
        **more: str,
    ) -> None:
        super().__init__(message, code=code, **more)
        self.endpoint = endpoint
        self.values = values
        self._choices = choices

    @property
    def hint(self) -> str:
        """What to type; the nearest names are looked for only when somebody reads this."""
        return self._hint or did_you_mean(self.endpoint, self._choices)


class _Plan:
    """A rule, and what is known of its URLs beforehand.

    Attributes:
        parts: As the rule's, the literal texts quoted.
        fixed: Defaults that no part of the URL shows.
        known: The names that do not become the query.
    """

    __slots__ = ("fixed", "known", "parts", "rule")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.parts = [quote_path(part) if isinstance(part, str) else part for part in rule.parts]
        names = rule.parameters.keys()
        self.fixed = {name: value for name, value in rule.defaults.items() if name not in names}
        self.known = frozenset(names | self.fixed.keys())


class Reverser:
    """Makes URLs of the rules of one app."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_endpoint: dict[str, list[_Plan]] = {}
        for rule in rules:
            self._by_endpoint.setdefault(rule.endpoint, []).append(_Plan(rule))

    def build(
        self, endpoint: str, values: Mapping[str, Any], args: Sequence[Any] = (), anchor: str | None = None
    ) -> tuple[str, str]:
        """Return the host that the URL needs (or an empty text), and its path and query.

        Raises:
            BuildError: No such endpoint, a missing parameter, or a value that does not fit.
        """
        plans = self._by_endpoint.get(endpoint)
        if plans is None:
            raise BuildError(
                f"There is no endpoint {endpoint!r}.",
                code="routing/unknown-endpoint",
                endpoint=endpoint,
                values=values,
                choices=self._by_endpoint,
            )
        given = {name: value for name, value in values.items() if value is not None}
        if len(plans) > 1:
            plans = sorted(plans, key=lambda plan: _fitness(plan.rule, given, args))
        problem: BuildError | None = None
        for plan in plans:
            try:
                host, url = _build(plan, given, args)
            except BuildError as error:
                problem = problem or error
            else:
                return host, url if anchor is None else f"{url}#{quote(anchor, safe=_SAFE + '?', errors='replace')}"
        assert problem is not None
        raise problem


def _build(plan: _Plan, values: Mapping[str, Any], args: Sequence[Any]) -> tuple[str, str]:
    rule = plan.rule
    if args:
        values = {**dict(zip((value.name for value in rule.values if value.name), args, strict=False)), **values}
    for name, default in plan.fixed.items():
        if values.get(name, default) != default:
            raise _refused(rule, name, values[name], values, f"This route always has {cut(default)}.")
    host = "".join(part if isinstance(part, str) else _text(rule, part, values) for part in rule.host_parts)
    if rule.pattern is not None:
        path = _regex_path(rule, rule.pattern, values, args)
    else:
        path = "".join([part if isinstance(part, str) else _quoted(rule, part, values) for part in plan.parts])
    if path.startswith("//") or ("/." in path and not _DOTS.isdisjoint(path.split("/"))):
        raise _refused(rule, "", path, values, "Browsers and proxies make another path of it.")
    extras = [(name, value) for name, value in values.items() if name not in plan.known]
    if not extras:
        return host, path
    try:
        return host, f"{path}?{urlencode(extras, doseq=True)}"
    except UnicodeEncodeError as error:
        raise _refused(rule, "", error.object, values, "It has half of a surrogate pair.") from None


def _regex_path(rule: Rule, pattern: re.Pattern[str], values: Mapping[str, Any], args: Sequence[Any]) -> str:
    from ..regexes import reverse_regex  # its weight is for routes by regular expressions

    texts: dict[str, str] = {}
    for part in rule.parts:
        if isinstance(part, Parameter) and part.name and (part.name in values or part.name in rule.defaults):
            texts[part.name] = _text(rule, part, values)
    positional = [] if texts else [str(arg) for arg in args]
    try:
        path = reverse_regex(pattern.pattern, texts, positional)
    except KeyError as error:
        raise _missing(rule, error.args[0], values) from None
    match = pattern.fullmatch(path) if path is not None else None
    if path is None or match is None or not is_clean(path):
        raise _refused(rule, "", values or args, values, "The regular expression does not match the result.")
    wrong = [name for name, text in texts.items() if match[name] != text]
    if wrong or (not texts and [text for text in match.groups() if text is not None] != positional):
        raise _refused(rule, "", values or args, values, "The regular expression reads it otherwise.")
    return "/" + quote_path(path)


def _fitness(rule: Rule, values: Mapping[str, Any], args: Sequence[Any]) -> tuple[int, int]:
    """Sort first the rule that puts most of the values into its path or its defaults, rather by defaults."""
    fixed = sum(name in values and values[name] == default for name, default in rule.defaults.items())
    used = sum(name in values for name in rule.parameters) + min(len(args), len(rule.values))
    return -(used + fixed), -fixed


def _quoted(rule: Rule, part: Parameter, values: Mapping[str, Any]) -> str:
    text = _text(rule, part, values)
    return text if text.isalnum() and text.isascii() else quote_path(text)


def _text(rule: Rule, part: Parameter, values: Mapping[str, Any]) -> str:
    value = values.get(part.name, _MISSING)
    if value is _MISSING:
        value = rule.defaults.get(part.name, _MISSING)
        if value is _MISSING:
            raise _missing(rule, part.name, values)
    try:
        text = part.converter.to_url(value)
    except (ValueError, TypeError, AttributeError, OverflowError):
        text = ""
    if not text or part.converter.accept(text) is NO_MATCH:
        kind = type(part.converter).__name__
        raise _refused(rule, part.name, value, values, f"{kind} takes no such value.")
    return text


def _missing(rule: Rule, name: str, values: Mapping[str, Any]) -> SegueError:
    shown = f"`{name}`" if name else "a positional value"
    return BuildError(
        f"url_for({rule.endpoint!r}) misses {shown} of the rule {str(rule)!r}.",
        code="routing/missing-parameter",
        endpoint=rule.endpoint,
        values=values,
        where=rule.place,
        why=f"Given: {', '.join(values) or 'nothing'}.",
        hint=f"url_for({rule.endpoint!r}, {name}=…)" if name else f"url_for({rule.endpoint!r}, args=[…])",
    )


def _refused(rule: Rule, name: str, value: object, values: Mapping[str, Any], why: str) -> SegueError:
    shown = f"{name}={cut(value)}" if name else cut(value)
    return BuildError(
        f"url_for({rule.endpoint!r}): {shown} does not fit the rule {str(rule)!r}.",
        code="routing/bad-value",
        endpoint=rule.endpoint,
        values=values,
        where=rule.place,
        why=why,
        hint="Give a value that the route would accept in a request.",
    )
