"""A template that reads a bound method gets what it returns."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from segue.errors import UsageError
from segue.templating import Templates, UndefinedName


def counted(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


class Group:
    name = "Brass"

    def members(self) -> list[str]:
        return ["Miles", "Dizzy"]


class User:
    deleted = 0
    settings = {"theme": "dark"}

    def __init__(self) -> None:
        self.callback = lambda: "called"

    def get_full_name(self) -> str:
        return "Billie <Holiday>"

    def is_admin(self) -> bool:
        return False

    def group(self, kind: str = "any", *, deep: bool = False) -> Group:
        return Group()

    def has_perm(self, name: str) -> bool:
        return name == "view"

    @property
    def age(self) -> int:
        return 44

    @property
    def broken(self) -> int:
        return self.no_such_thing  # type: ignore[attr-defined, no-any-return]

    @classmethod
    def kind(cls) -> str:
        return cls.__name__

    @staticmethod
    def plain() -> str:
        return "static"

    @counted
    def wrapped(self) -> str:
        return "wrapped"

    @counted
    def wrapped_with_argument(self, value: str) -> str:
        return value

    def delete(self) -> str:
        self.deleted += 1
        return "deleted"

    delete.alters_data = True  # type: ignore[attr-defined]

    def rendered(self) -> str:
        return "called"

    rendered.do_not_call_in_templates = True  # type: ignore[attr-defined]

    async def aget_name(self) -> str:
        return "late"


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates([], debug=True)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ user.get_full_name }}", "Billie &lt;Holiday&gt;"),
        ("{{ user.get_full_name() }}", "Billie &lt;Holiday&gt;"),
        ("{{ user.get_full_name|upper }}", "BILLIE &lt;HOLIDAY&gt;"),
        ("{{ user.get_full_name.upper }}", "BILLIE &lt;HOLIDAY&gt;"),
        ("{{ user.get_full_name.split()[0] }}", "Billie"),
        ("{% if user.is_admin %}admin{% else %}guest{% endif %}", "guest"),
        ("{{ 'admin' if user.is_admin else 'guest' }}", "guest"),
        ("{{ not user.is_admin }}", "True"),
        ("{% for name in user.group.members %}{{ name }} {% endfor %}", "Miles Dizzy "),
        ("{{ user.group.members[0] }}", "Miles"),
        ("{{ user.group('x').members|length }}", "2"),
        ("{{ user.group.name }}", "Brass"),
        ("{{ user.age }}", "44"),
        ("{{ user.kind }}", "User"),
        ("{{ user.wrapped }}", "wrapped"),
        ("{{ user.has_perm('view') }}", "True"),
        ("{{ user.wrapped_with_argument('x') }}", "x"),
        ("{{ user.settings.theme }}", "dark"),
        ("{% set g = user.group %}{{ g.name }}", "Brass"),
        ("{% with g = user.group %}{{ g.members|join(',') }}{% endwith %}", "Miles,Dizzy"),
        ("{{ [user]|map(attribute='get_full_name')|join }}", "Billie &lt;Holiday&gt;"),
        ("{{ ([user]|selectattr('is_admin')|list)|length }}", "0"),
        ("{{ user.get_full_name ~ '!' }}", "Billie &lt;Holiday&gt;!"),
        ("{{ {'a': user.get_full_name}['a'] }}", "Billie &lt;Holiday&gt;"),
    ],
)
def test_a_bound_method_is_called_where_it_is_read(templates: Templates, source: str, expected: str) -> None:
    assert templates.render_string(source, {"user": User()}) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ user.get_full_name is defined }}", "True"),
        ("{{ user.delete is defined }}", "True"),
        ("{{ user.get_full_name is callable }}", "True"),
        ("{{ user.has_perm is callable }}", "True"),
        ("{{ user.nothing is defined }}", "False"),
        ("{{ ['view', 'edit']|map('string')|list|length }}", "2"),
        ("{{ user.callback is callable }}", "True"),
        ("{{ user.callback() }}", "called"),
        ("{{ user['get_full_name']() }}", "Billie &lt;Holiday&gt;"),
    ],
)
def test_a_method_that_is_asked_about_or_called_is_left_alone(templates: Templates, source: str, expected: str) -> None:
    assert templates.render_string(source, {"user": User()}) == expected


def test_a_method_with_an_argument_can_be_handed_on(templates: Templates) -> None:
    text = templates.render_string("{{ ask(user.has_perm) }}", {"user": User(), "ask": lambda check: check("view")})

    assert text == "True"


def test_a_method_marked_as_not_to_be_called_is_left_alone(templates: Templates) -> None:
    text = templates.render_string("{{ same(user.rendered) }}", {"user": User(), "same": lambda method: method()})

    assert text == "called"


def test_reading_a_method_that_alters_data_does_not_call_it_in_production() -> None:
    user = User()

    text = Templates([], debug=False).render_string("[{{ user.delete }}]", {"user": user})

    assert text == "[]"
    assert user.deleted == 0


def test_reading_a_method_that_alters_data_is_an_error_in_debug(templates: Templates) -> None:
    user = User()

    with pytest.raises(UndefinedName, match="changes data"):
        templates.render_string("{{ user.delete }}", {"user": user})

    assert user.deleted == 0


def test_a_template_can_call_a_method_that_alters_data_by_itself(templates: Templates) -> None:
    assert templates.render_string("{{ user.delete() }}", {"user": User()}) == "deleted"


def test_an_async_method_says_that_a_template_cannot_wait(templates: Templates) -> None:
    with pytest.raises(UsageError) as caught:
        templates.render_string("{{ user.aget_name }}", {"user": User()})

    assert caught.value.code == "templates/async-method"
    assert "User.aget_name" in caught.value.message


def test_an_error_inside_a_method_is_the_methods_own(templates: Templates) -> None:
    class Broken:
        def name(self) -> str:
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        templates.render_string("{{ it.name }}", {"it": Broken()})


def test_an_error_inside_a_property_is_not_taken_for_its_absence(templates: Templates) -> None:
    with pytest.raises(AttributeError, match="no_such_thing"):
        templates.render_string("{{ user.broken }}", {"user": User()})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% for key, value in table.items %}{{ key }}={{ value }} {% endfor %}", "a=1 b=2 "),
        ("{% for key, value in table.items() %}{{ key }}={{ value }} {% endfor %}", "a=1 b=2 "),
        ("{{ table.keys|list|join }}", "ab"),
        ("{{ table.values|sum }}", "3"),
        ("{{ table.a }}", "1"),
        ("{{ text.upper }}", "TEXT"),
        ("{{ text.isdigit }}", "False"),
        ("{{ day.isoformat }}", "2024-01-02"),
        ("{{ day.year }}", "2024"),
        ("{{ day.strftime('%d') }}", "02"),
    ],
)
def test_methods_written_in_c_that_only_read_are_called_too(templates: Templates, source: str, expected: str) -> None:
    values = {"table": {"a": 1, "b": 2}, "text": "text", "day": date(2024, 1, 2)}

    assert templates.render_string(source, values) == expected


def test_methods_written_in_c_that_change_things_are_not_called(templates: Templates) -> None:
    values: dict[str, Any] = {"rows": [1, 2], "table": {"a": 1}, "ids": {1}}

    templates.render_string(
        "{% if rows.pop and rows.clear and rows.reverse and table.clear and table.popitem and ids.pop %}{% endif %}",
        values,
    )

    assert values == {"rows": [1, 2], "table": {"a": 1}, "ids": {1}}


def test_a_read_calls_once(templates: Templates) -> None:
    calls: list[int] = []

    class Rows:
        def all(self) -> list[int]:
            calls.append(1)
            return [1, 2, 3]

    templates.render_string("{% for row in rows.all %}{{ row }}{{ loop.last }}{% endfor %}", {"rows": Rows()})

    assert calls == [1]


def test_loop_macro_and_self_work_as_in_jinja(templates: Templates) -> None:
    text = templates.render_string(
        "{% macro m(x, y=user.kind) %}{{ x }}{{ y }}{% endmacro %}{% block b %}B{% endblock %}{{ self.b() }}"
        "{% for i in [1, 2] %}{{ loop.cycle('a', 'b') }}{{ loop.index }}{% endfor %}{{ m(1) }}{{ m.name }}"
        "{% set ns = namespace(n=0) %}{% set ns.n = 5 %}{{ ns.n }}",
        {"user": User()},
    )

    assert text == "BBa1b21Userm5"
