"""What developers are told about rules: which nearly match a path, which some path makes slow. Costs what it costs."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import Finding, nearest
from ..regexes import lint_regex
from ..routing import NO_MATCH, Parameter, Rule
from ..routing.matching import Part, accepts, split

__all__ = ["explain", "slow_rules"]


def explain(rules: Iterable[Rule], method: str, path: str, *, most: int = 5) -> list[str]:
    """Return sentences about the rules that nearly match, the nearest first."""
    found: list[tuple[int, str]] = []
    for rule in rules:
        distance, problem = _distance(rule, method, path)
        if problem:
            found.append((distance, f"{str(rule)!r} ({rule.place or rule.endpoint}) {problem}"))
    return [text for _, text in sorted(found, key=lambda entry: entry[0])[:most]]


def _distance(rule: Rule, method: str, path: str) -> tuple[int, str]:
    if rule.pattern is not None:
        return _answers(rule, method) if rule.pattern.fullmatch(path[1:]) else (0, "")
    wanted, texts = split(rule.parts), path.split("/")[1:]
    swallows = any(isinstance(part, Parameter) and not part.converter.part_isolating for part in rule.parts)
    if not swallows and wanted[-1:] == [()] and texts[-1] and len(wanted) == len(texts) + 1:
        texts.append("")
    if not swallows and texts[-1] == "" and len(texts) == len(wanted) + 1 and len(texts) > 1:
        return 1, "has no slash at the end." if not _misses(wanted, texts[:-1]) else ""
    if swallows or len(wanted) != len(texts):
        return 0, ""
    misses = _misses(wanted, texts)
    if not misses:
        return _answers(rule, method)
    if len(misses) > 1 or (len(wanted) > 1 and len(misses) == len(wanted)):
        return 0, ""
    segment, text = misses[0]
    shown = "".join(part if isinstance(part, str) else f"<{part.name}>" for part in segment)
    if all(isinstance(part, str) for part in segment):
        return (3, f"has {shown!r}, not {text!r}.") if nearest(text, [shown]) else (0, "")
    kinds = ", ".join(type(part.converter).__name__ for part in segment if isinstance(part, Parameter))
    return 2, f"does not take {text!r} as {shown} ({kinds})."


def _misses(wanted: list[tuple[Part, ...]], texts: list[str]) -> list[tuple[tuple[Part, ...], str]]:
    return [(segment, text) for segment, text in zip(wanted, texts, strict=True) if accepts(segment, text) is NO_MATCH]


def _answers(rule: Rule, method: str) -> tuple[int, str]:
    if method in rule.methods or (method == "HEAD" and "GET" in rule.methods):
        return (0, f"answers only the host {rule.host}.") if rule.host else (0, "")
    kinds = "WebSockets" if rule.websocket else ", ".join(sorted(rule.methods))
    return 0, f"answers {kinds}, not {method}."


def slow_rules(rules: Iterable[Rule]) -> list[Finding]:
    """Return what is suspicious in *rules*: expressions that some path makes very slow."""
    findings: list[Finding] = []
    for rule in rules:
        sources = [rule.pattern.pattern] if rule.pattern else []
        sources += [part.converter.regex for part in rule.parts if isinstance(part, Parameter)]
        for problem in filter(None, map(lint_regex, sources)):
            findings.append(
                Finding(
                    "routing.W001",
                    "warning",
                    f"The expression of {str(rule)!r} may take exponential time: {problem}.",
                    hint="Repeat only once, or put text between that the repeated part does not match.",
                    where=rule.place,
                )
            )
    return findings
