"""What each converter takes and refuses, and what becomes of it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from segue.errors import SetupError
from segue.routing import Converter, Match, Router, RouteTable


def router(path: str, **converters: type[Converter]) -> Router:
    table = RouteTable(converters)
    table.add(table.rule(path, endpoint="it"), "target")
    return table.compile()


def value_of(path: str, request: str, **converters: type[Converter]) -> Any:
    match = router(path, **converters).resolve("GET", request)
    return match.values[0] if isinstance(match, Match) else "no match"


@pytest.mark.parametrize(
    ("path", "request_path", "value"),
    [
        ("/<int:x>", "/42", 42),
        ("/<int:x>", "/007", 7),
        ("/<int:x>", "/9223372036854775807", 2**63 - 1),
        ("/<int(signed=True):x>", "/-5", -5),
        ("/<int(min=1900, max=2100):x>", "/2026", 2026),
        ("/<int(min=-3):x>", "/-3", -3),
        ("/<int(fixed_digits=4):x>", "/0042", 42),
        ("/<float:x>", "/0.5", 0.5),
        ("/<float(signed=True, max=0):x>", "/-1.25", -1.25),
        ("/<uuid:x>", "/6f0d2fda-7c2f-4a53-9f55-0f3a1b7f0001", UUID("6f0d2fda-7c2f-4a53-9f55-0f3a1b7f0001")),
        ("/<date:x>", "/2024-02-29", date(2024, 2, 29)),
        ("/<slug:x>", "/kind-of_Blue-1959", "kind-of_Blue-1959"),
        ("/<any(about, help):x>", "/help", "help"),
        ('/<any("a,b", c):x>', "/a,b", "a,b"),
        ("/<any(01, 02):x>", "/01", "01"),
        ("/<x>", "/жук and more", "жук and more"),
        ("/<string(length=2):x>", "/de", "de"),
        ("/<string(minlength=2, maxlength=3):x>", "/abc", "abc"),
        ("/<path:x>", "/a/b/c.txt", "a/b/c.txt"),
        ("/<path:x>", "/a/", "a/"),
    ],
)
def test_a_converter_makes_its_value(path: str, request_path: str, value: object) -> None:
    found = value_of(path, request_path)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("path", "request_path"),
    [
        ("/<int:x>", "/" + "9" * 5000),
        ("/<int:x>", "/" + "0" * 20),
        ("/<int:x>", f"/{2**63}"),
        ("/<int:x>", "/-1"),
        ("/<int:x>", "/１２"),
        ("/<int:x>", "/²"),
        ("/<int:x>", "/1_0"),
        ("/<int:x>", "/ 5 "),
        ("/<int:x>", "/+5"),
        ("/<int:x>", "/0x1"),
        ("/<int:x>", "/1.0"),
        ("/<int:x>", "/5\n"),
        ("/<int:x>", "/"),
        ("/<int(signed=True):x>", "/--5"),
        ("/<int(signed=True):x>", "/-"),
        ("/<int(min=1900, max=2100):x>", "/1899"),
        ("/<int(fixed_digits=4):x>", "/42"),
        ("/<float:x>", "/nan"),
        ("/<float:x>", "/inf"),
        ("/<float:x>", "/1e999"),
        ("/<float:x>", "/1"),
        ("/<float:x>", "/-1.5"),
        ("/<float:x>", "/１.５"),
        ("/<float(max=2):x>", "/2.5"),
        ("/<uuid:x>", "/{6f0d2fda-7c2f-4a53-9f55-0f3a1b7f0001}"),
        ("/<uuid:x>", "/6f0d2fda7c2f4a539f550f3a1b7f0001"),
        ("/<date:x>", "/2023-02-29"),
        ("/<date:x>", "/20230228"),
        ("/<date:x>", "/infinity"),
        ("/<slug:x>", "/abc\n"),
        ("/<slug:x>", "/a.b"),
        ("/<any(about, help):x>", "/other"),
        ("/<x>", "/a\n"),
        ("/<x>", "/a\x00b"),
        ("/<x>", "/a\x85b"),
        ("/<x>", "/\ud800"),
        ("/<x>", "/.."),
        ("/<x>", "/."),
        ("/<x>", "/a/b"),
        ("/<string(length=2):x>", "/deu"),
        ("/<path:x>", "//evil.example"),
        ("/<path:x>", "/a/../b"),
        ("/<path:x>", "/a/./b"),
        ("/<path:x>", "/a//b"),
        ("/<path:x>", "/a\n"),
        ("/<path:x>", "/"),
    ],
)
def test_a_converter_refuses_what_only_looks_right(path: str, request_path: str) -> None:
    assert value_of(path, request_path) == "no match"


class Musician(Converter):
    """Knows two musicians."""

    regex = "[a-z]+"

    def to_python(self, text: str) -> dict[str, str]:
        if text not in ("miles", "nina"):
            raise ValueError(text)
        return {"name": text}

    def to_url(self, value: dict[str, str]) -> str:
        return value["name"]


def test_an_own_converter_makes_its_value_and_its_url() -> None:
    site = router("/<musician:who>", musician=Musician)

    match = site.resolve("GET", "/nina")

    assert isinstance(match, Match)
    assert match.parameters == {"who": {"name": "nina"}}
    assert site.url_for("it", match.parameters) == "/nina"


def test_an_own_converter_that_raises_value_error_does_not_match() -> None:
    assert value_of("/<musician:who>", "/bird", musician=Musician) == "no match"


@pytest.mark.parametrize("text", ["a\n", "a\x00", "a\ud800", "\x85"])
def test_an_own_converter_that_takes_anything_takes_no_control_character(text: str) -> None:
    class Anything(Converter):
        regex = "(?s:.+)"

    assert value_of("/<anything:x>", "/a", anything=Anything) == "a"
    assert value_of("/<anything:x>", f"/{text}", anything=Anything) == "no match"


def test_a_subclass_of_a_built_in_converter_is_asked_itself() -> None:
    class Even(type(router("/<int:x>").rules[0].parameters["x"])):  # type: ignore[misc]
        def to_python(self, text: str) -> int:
            if int(text) % 2:
                raise ValueError(text)
            return int(text) * 10

    assert value_of("/<even:x>", "/4", even=Even) == 40
    assert value_of("/<even:x>", "/5", even=Even) == "no match"


def test_a_rule_tells_the_types_of_its_values() -> None:
    rule = router("/<int:a>/<date:b>/<c>/<uuid:d>/<float:e>").rules[0]

    assert rule.value_types == (int, date, str, UUID, float)
    assert rule.value_names == ("a", "b", "c", "d", "e")


@pytest.mark.parametrize("path", ["/<any():x>", "/<int(nonsense=1):x>", "/<int(a, b, c, d, e):x>", "/<any(a/b):x>"])
def test_arguments_that_a_converter_cannot_take_are_refused(path: str) -> None:
    with pytest.raises(SetupError) as caught:
        router(path)

    assert caught.value.code == "routing/bad-rule"


def test_an_unknown_converter_is_named_with_the_nearest() -> None:
    with pytest.raises(SetupError) as caught:
        router("/<integer:x>/<intt:y>".replace("integer", "int"))

    assert caught.value.code == "routing/unknown-converter"
    assert "int" in caught.value.hint
