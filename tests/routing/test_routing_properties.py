"""Truths about any rules and any paths."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.routing import Match, NotAllowed, Redirect, RouteTable, Rule
from segue.web.advice import explain

TEXTS = st.text(min_size=1, max_size=12)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(0, 2**63 - 1),
    "int(signed=True)": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(0, 1e15).filter(lambda value: value == 0 or value > 1e-12),
    "date": st.dates(),
    "uuid": st.uuids(),
    "slug": st.from_regex(r"\A[-a-zA-Z0-9_]{1,12}\Z"),
    "any(a, b, c)": st.sampled_from("abc"),
    "string": TEXTS,
    "path": TEXTS,
}


@pytest.mark.slow
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_url_that_can_be_made_leads_back_to_its_values(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=3))
    path = "/" + "/x/".join(f"<{kind}:p{index}>" for index, kind in enumerate(kinds))
    values = {f"p{index}": data.draw(VALUES[kind]) for index, kind in enumerate(kinds)}
    table = RouteTable()
    table.add(table.rule(path, endpoint="it"), "it")
    router = table.compile()

    try:
        url = router.url_for("it", values)
    except LookupError:
        assert any(kind in ("string", "path") for kind in kinds)
        return

    assert url.isascii()
    assert url.startswith("/")
    assert not url.startswith("//")
    assert urlsplit(url).path == url
    match = router.resolve("GET", unquote(url, errors="strict"))
    assert isinstance(match, Match)
    if kinds.count("path") < 2:
        assert match.parameters == values


SEGMENTS = ["a", "b", "<int:{}>", "<slug:{}>", "<{}>", "v<int:{}>", "<date:{}>", "<path:{}>", "<any(a, b):{}>"]
ATTEMPTS = ["a", "b", "7", "v7", "x.y", "2024-02-29", "", "2024-02-30", "\n", "..", "é"]
# What comes first in the same place: text, text with a parameter, a parameter, what swallows the rest.
RANK = {"": 0, "v<int": 1, "<any(a, b)": 2, "<date": 3, "<int": 4, "<slug": 5, "<": 6, "<path": 7}
ONE = {
    "<int": r"[0-9]{1,18}",
    "<slug": r"[-a-zA-Z0-9_]+",
    "<": r"(?!\.\.?(?:/|\Z))[^/\n]+",
    "v<int": r"v[0-9]{1,18}",
    "<date": r"2024-02-29",
    "<any(a, b)": r"[ab]",
    "<path": r"(?!\.\.?(?:/|\Z))[^/\n]+(?:/(?!\.\.?(?:/|\Z))[^/\n]+)*/?",
}

rules_of_segments = st.lists(
    st.tuples(st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=4), st.booleans()), min_size=1, max_size=8
)


def kind_of(segment: str) -> str:
    return segment.partition("{")[0].rstrip(":") if "{" in segment else ""


def naive(rules: Sequence[tuple[list[str], bool, Rule]], path: str) -> Rule | None:
    """Try every rule as one regular expression, the most specific first, segment by segment from the left."""

    def precedence(entry: tuple[list[str], bool, Rule]) -> list[int]:
        return [RANK[kind_of(segment)] for segment in entry[0]]

    for segments, slash, rule in sorted(rules, key=precedence):
        source = "".join("/" + ONE.get(kind_of(segment), re.escape(segment)) for segment in segments)
        if re.fullmatch(source + ("/" if slash else ""), path):
            return rule
    return None


@pytest.mark.slow
@given(rules_of_segments, st.lists(st.sampled_from(ATTEMPTS), min_size=1, max_size=5))
@settings(max_examples=250, deadline=None)
def test_the_compiled_router_agrees_with_a_naive_one(shapes: list[tuple[list[str], bool]], attempt: list[str]) -> None:
    # Two that swallow the rest compete by their text, which the naive one does not know.
    table = RouteTable()
    seen: set[str] = set()
    rules: list[tuple[list[str], bool, Rule]] = []
    for segments, slash in shapes:
        swallows = [index for index, segment in enumerate(segments) if "path" in segment]
        text = "/" + "/".join(segments) + ("/" if slash else "")
        if text in seen or (swallows and (slash or swallows != [len(segments) - 1])):
            continue
        seen.add(text)
        named = "/" + "/".join(segment.format(f"p{index}") for index, segment in enumerate(segments))
        rule = table.rule(named + ("/" if slash else ""), endpoint=text)
        table.add(rule, text)
        rules.append((segments, slash, rule))
    router = table.compile()
    path = "/" + "/".join(attempt)

    found = router.resolve("GET", path)
    expected = naive(rules, path)

    if expected is not None and not isinstance(found, Redirect):
        assert isinstance(found, Match)
        assert found.rule == expected
        assert found.values == (router.find(path) or ({}, ()))[1] or not expected.values
    elif isinstance(found, Redirect):
        assert naive([entry for entry in rules if entry[1]], path + "/") is not None
    else:
        assert found is None


@pytest.mark.slow
@given(st.text(max_size=40), st.text(max_size=10), st.text(max_size=20))
@settings(max_examples=150, deadline=None)
def test_no_path_method_or_host_breaks_the_router(path: str, method: str, host: str) -> None:
    table = RouteTable()
    for text in ("/a/", "/<int:a>/<date:b>", "/<x>/", "/v<float:f>-<uuid:u>", "/<path:p>/edit/"):
        table.add(table.rule(text, endpoint=text), text)
    table.add(table.rule("/<any(a, b):x>/<y>", endpoint="host", host="<int:n>.<t>.test"), "host")
    table.add(table.rule(r"^r/(\w+)/$", endpoint="regex", is_regex=True), "regex")
    router = table.compile()

    found = router.resolve(method, "/" + path, host)

    router.find("/" + path)
    router.find_for_host(host, path)
    explain(router.rules, method, "/" + path)
    assert found is None or isinstance(found, Match | Redirect | NotAllowed)
    if isinstance(found, Redirect):
        assert re.fullmatch(r"/[^/\\].*/", found.location)
        assert found.location.isascii()


@given(st.dates())
def test_a_day_survives_its_url(day: date) -> None:
    table = RouteTable()
    table.add(table.rule("/<date:day>", endpoint="it"), "it")
    router = table.compile()

    assert router.find(router.url_for("it", {"day": day})) == ({"GET": "it", "HEAD": "it"}, (day,))
