"""From an endpoint's name and values to a URL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from ..errors import SegueError, UsageError, cut, did_you_mean
from .converters import NO_MATCH
from .regexes import reverse_regex
from .rules import Parameter, Rule

__all__ = ["BuildError", "Reverser", "quote_path"]

_SAFE = "/:@!$&'()*+,;="  # RFC 3986, what a path may hold unquoted
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


class Reverser:
    """Makes URLs of the rules of one app."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_endpoint: dict[str, list[Rule]] = {}
        for rule in rules:
            self._by_endpoint.setdefault(rule.endpoint, []).append(rule)

    def build(
        self, endpoint: str, values: Mapping[str, Any], args: Sequence[Any] = (), anchor: str | None = None
    ) -> tuple[Rule, str, str]:
        """Return the rule that fits, the host it wants (or an empty text), and the URL's path and query.

        Raises:
            BuildError: No such endpoint, a missing parameter, or a value that does not fit.
        """
        rules = self._by_endpoint.get(endpoint)
        if rules is None:
            raise BuildError(
                f"There is no endpoint {endpoint!r}.",
                code="routing/unknown-endpoint",
                endpoint=endpoint,
                values=values,
                choices=self._by_endpoint,
            )
        values = {name: value for name, value in values.items() if value is not None}
        wanted = values
        problem: BuildError | None = None
        for rule in rules if len(rules) == 1 else sorted(rules, key=lambda rule: _fitness(rule, wanted, args)):
            try:
                host, url = self._build(rule, values, args)
            except BuildError as error:
                problem = problem or error
            else:
                return rule, host, url if anchor is None else f"{url}#{quote(anchor, safe=_SAFE + '?')}"
        assert problem is not None
        raise problem

    def _build(self, rule: Rule, values: Mapping[str, Any], args: Sequence[Any]) -> tuple[str, str]:
        given = dict(zip((value.name for value in rule.values if value.name), args, strict=False)) | dict(values)
        for name, default in rule.defaults.items():
            if name not in rule.parameters and given.pop(name, default) != default:
                raise _refused(rule, name, values[name], values, f"This route always has {cut(default)}.")
        host = "".join(part if isinstance(part, str) else _text(rule, part, given, values) for part in rule.host_parts)
        path = self._regex_path(rule, given, values, args) if rule.pattern else self._path(rule, given, values)
        if path.startswith("//") or any(part in (".", "..") for part in path.split("/")):
            raise _refused(rule, "", path, values, "Browsers and proxies make another path of it.")
        extras = [(name, value) for name, value in given.items() if name not in rule.parameters]
        try:
            query = urlencode(extras, doseq=True)
        except UnicodeEncodeError as error:
            raise _refused(rule, "", error.object, values, "It has half of a surrogate pair.") from None
        return host, f"{path}?{query}" if query else path

    def _path(self, rule: Rule, given: Mapping[str, Any], values: Mapping[str, Any]) -> str:
        texts = [part if isinstance(part, str) else _text(rule, part, given, values) for part in rule.parts]
        return quote_path("".join(texts))

    def _regex_path(self, rule: Rule, given: Mapping[str, Any], values: Mapping[str, Any], args: Sequence[Any]) -> str:
        assert rule.pattern is not None
        texts: dict[str, str] = {}
        for part in rule.parts:
            if isinstance(part, Parameter) and part.name and (part.name in given or part.name in rule.defaults):
                texts[part.name] = _text(rule, part, given, values)
        positional = [] if texts else [str(arg) for arg in args]
        try:
            path = reverse_regex(rule.pattern.pattern, texts, positional)
        except KeyError as error:
            raise _missing(rule, error.args[0], values) from None
        match = rule.pattern.fullmatch(path) if path is not None else None
        if path is None or match is None:
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


def _text(rule: Rule, part: Parameter, given: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    value = given.get(part.name, _MISSING)
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
