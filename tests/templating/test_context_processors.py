"""A context processor runs when one of its names is used, in its scope, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segue.errors import SetupError, UsageError
from segue.templating import Folder, Templates, UndefinedName

Processors = dict[str | None, list[Callable[..., Any]]]


class Counted:
    """Processors that count how often they run."""

    def __init__(self) -> None:
        self.runs = 0

    def clock(self) -> dict[str, Any]:
        self.runs += 1
        return {"hour": 12, "minute": 30}


def broken() -> dict[str, Any]:
    raise RuntimeError("the processor broke")


def nothing() -> dict[str, Any]:
    return {}


def made(processors: Processors, tmp_path: Path | None = None) -> Templates:
    return Templates([Folder(tmp_path)] if tmp_path else [], debug=True, processors=processors)


def test_a_processor_gives_names() -> None:
    assert made({None: [Counted().clock]}).render_string("{{ hour }}:{{ minute }}", {}) == "12:30"


def test_a_processor_runs_once_for_all_its_names() -> None:
    counted = Counted()

    made({None: [counted.clock]}).render_string("{{ hour }}{{ minute }}{{ hour }}", {})

    assert counted.runs == 1


def test_a_processor_does_not_run_for_a_template_that_ignores_it() -> None:
    counted = Counted()

    made({None: [counted.clock]}).render_string("{{ given }}{{ range(2)|list }}", {"given": 1})

    assert counted.runs == 0


def test_a_processor_runs_anew_for_each_rendering() -> None:
    counted = Counted()
    templates = made({None: [counted.clock]})

    templates.render_string("{{ hour }}", {})
    templates.render_string("{{ hour }}", {})

    assert counted.runs == 2


def test_a_raising_processor_does_not_disturb_a_template_that_ignores_it() -> None:
    templates = made({None: [Counted().clock, broken]})

    assert templates.render_string("{{ hour }}{{ given }}", {"given": 1}) == "121"


def test_a_raising_processor_is_heard_where_nothing_else_has_the_name() -> None:
    with pytest.raises(RuntimeError, match="the processor broke") as caught:
        made({None: [broken, nothing]}).render_string("{{ user }}", {})

    assert "context processor" in caught.value.__notes__[0]
    assert "test_context_processors.py" in caught.value.__notes__[0]


def test_a_value_given_goes_before_a_processors() -> None:
    assert made({None: [Counted().clock]}).render_string("{{ hour }}", {"hour": 1}) == "1"


def test_the_later_processor_wins() -> None:
    templates = made({None: [lambda: {"x": "first"}, lambda: {"x": "second"}]})

    assert templates.render_string("{{ x }}", {}) == "second"


def test_a_blueprints_processor_is_seen_in_its_scope_only() -> None:
    templates = made({None: [lambda: {"site": "Club"}], "blog": [lambda: {"entries": 3}], "shop": []})

    assert templates.render_string("{{ site }}{{ entries }}", {}, scope="blog") == "Club3"
    assert templates.render_string("{{ entries is defined }}{{ site }}", {}, scope="shop") == "FalseClub"
    assert templates.render_string("{{ entries is defined }}{{ site }}", {}) == "FalseClub"
    assert templates.render_string("{{ site }}", {}, scope="unheard of") == "Club"


def test_a_blueprints_processor_goes_before_the_apps() -> None:
    templates = made({None: [lambda: {"x": "app"}], "blog": [lambda: {"x": "blog"}]})

    assert templates.render_string("{{ x }}", {}, scope="blog") == "blog"


def test_declared_names_keep_a_processor_from_running_for_others() -> None:
    counted = Counted()

    def declared() -> dict[str, Any]:
        return counted.clock()

    declared.provides = ("hour", "minute")  # type: ignore[attr-defined]
    templates = made({None: [declared]})

    assert templates.render_string("{{ other is defined }}", {}) == "False"
    assert counted.runs == 0
    assert templates.render_string("{{ hour }}", {}) == "12"


def test_a_processor_may_take_the_request() -> None:
    templates = made({None: [lambda request: {"path": request["path"]}]})

    assert templates.render_string("{{ path }}", {"request": {"path": "/x"}}) == "/x"


def test_late_names_reach_includes_imports_parents_blocks_and_streams(tmp_path: Path) -> None:
    (tmp_path / "base.html").write_text("{{ hour }}{% block b %}{% endblock %}")
    (tmp_path / "i.html").write_text("i{{ hour }}{{ n }}")
    (tmp_path / "m.html").write_text("{% macro m() %}m{{ hour }}{% endmacro %}")
    (tmp_path / "a.html").write_text(
        "{% extends 'base.html' %}{% from 'm.html' import m with context %}{% block b %}"
        "{% for n in [1] %}{% include 'i.html' %}{% endfor %}{{ m() }}{% endblock %}"
    )
    counted = Counted()
    templates = made({None: [counted.clock]}, tmp_path)

    assert templates.render("a.html", {}) == "12i121m12"
    assert counted.runs == 1
    assert templates.render("a.html#b", {}) == "i121m12"
    assert "".join(templates.stream("a.html", {})) == "12i121m12"


def test_a_misspelt_late_name_names_the_nearest() -> None:
    with pytest.raises(UndefinedName) as caught:
        made({None: [Counted().clock]}).render_string("{{ huor }}", {})

    assert "hour" in caught.value.hint


def test_an_async_processor_is_refused_at_the_start() -> None:
    async def late() -> dict[str, Any]:
        return {}

    with pytest.raises(SetupError) as caught:
        made({None: [late]})

    assert caught.value.code == "templates/async-processor"


def test_a_processor_that_returns_no_dictionary_says_so() -> None:
    with pytest.raises(UsageError, match="returned list, not a dictionary"):
        made({None: [list]}).render_string("{{ x }}", {})
