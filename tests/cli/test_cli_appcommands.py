from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import click
import pytest
from click.testing import CliRunner

from segue import App, Blueprint, Finding, current_app
from segue.cli import call_command
from segue.cli.appcommands import commands_of
from segue.errors import SetupError, UsageError
from segue.handling.markers import mark
from segue.typing import Setup


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


Run = Callable[..., Any]


@pytest.fixture
def run(app: App) -> Run:
    """Run a command of the app with words and return what its function returned."""

    def invoke(*words: str) -> Any:
        name, *rest = words
        with click.Context(click.Group("segue")) as root:
            command = commands_of(app)[name]
            with command.make_context(name, rest, parent=root) as context:
                return command.invoke(context)

    return invoke


def help_of(app: App, name: str) -> str:
    return CliRunner().invoke(commands_of(app)[name], ["--help"]).output


def test_a_parameter_without_default_is_an_argument_and_a_bool_a_flag(app: App, run: Run) -> None:
    @app.command
    def greet(name: str, loud: bool = False) -> str:
        return name.upper() if loud else name

    assert run("greet", "Bob") == "Bob"
    assert run("greet", "Bob", "--loud") == "BOB"
    assert run("greet", "Bob", "--no-loud") == "Bob"


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "3", 3),
        (float, "1.5", 1.5),
        (bool, "yes", True),
        (Path, "a/b", Path("a/b")),
        (Decimal, "1.10", Decimal("1.10")),
        (date, "2024-02-29", date(2024, 2, 29)),
        (Literal["a", "b"], "b", "b"),
        (Size, "large", Size.LARGE),
        (int | None, "7", 7),
    ],
)
def test_an_argument_has_the_type_of_its_annotation(app: App, run: Run, annotation: Any, text: str, value: Any) -> None:
    def show(thing: Any) -> Any:
        return thing

    show.__annotations__["thing"] = annotation
    app.command(show)

    assert run("show", text) == value


@pytest.mark.parametrize(
    ("annotation", "text"), [(int, "x"), (date, "2023-02-29"), (Literal["a"], "b"), (Decimal, "1,5")]
)
def test_a_text_of_the_wrong_type_is_a_usage_error(app: App, run: Run, annotation: Any, text: str) -> None:
    def show(thing: Any) -> Any:
        return thing

    show.__annotations__["thing"] = annotation
    app.command(show)

    with pytest.raises(click.BadParameter):
        run("show", text)


def test_a_list_is_many_arguments_or_a_repeatable_option(app: App, run: Run) -> None:
    @app.command
    def add(numbers: list[int], tag: tuple[str, ...] = ("x",)) -> Any:
        return numbers, tag

    assert run("add", "1", "2") == ([1, 2], ("x",))
    assert run("add", "1", "--tag", "a", "--tag", "b") == ([1], ("a", "b"))


def test_star_arguments_are_what_is_left(app: App, run: Run) -> None:
    @app.command
    def join(first: str, *rest: str, by: str = "-") -> str:
        return by.join([first, *rest])

    assert run("join", "a", "b", "c", "--by", "+") == "a+b+c"
    assert run("join", "a") == "a"


def test_a_keyword_only_parameter_without_default_is_a_required_option(app: App, run: Run) -> None:
    @app.command
    def send(*, to: str) -> str:
        return to

    assert run("send", "--to", "me") == "me"
    with pytest.raises(click.MissingParameter):
        run("send")


def test_an_optional_option_is_none_by_default(app: App, run: Run) -> None:
    @app.command
    def find(limit: int | None = None) -> Any:
        return limit

    assert run("find") is None
    assert run("find", "--limit", "3") == 3


def test_a_default_gives_the_type_where_no_annotation_does(app: App, run: Run) -> None:
    @app.command
    def count(times=2):  # type: ignore[no-untyped-def]  # that is what is tested
        return times

    assert run("count", "--times", "5") == 5


def test_underscores_become_dashes(app: App, run: Run) -> None:
    @app.command
    def make_user(user_name: str, is_admin: bool = False) -> Any:
        return user_name, is_admin

    assert run("make-user", "ann", "--is-admin") == ("ann", True)


def test_a_command_has_the_name_it_is_given(app: App, run: Run) -> None:
    app.command(name="import")(lambda: "imported")

    assert run("import") == "imported"


def test_the_docstring_is_the_help(app: App) -> None:
    @app.command
    def load(file: Path, limit: int = 10) -> None:
        """Load records from a file.

        Existing ones are kept.

        Args:
            file: Where they are.
            limit: The most to load,
                from the start.

        Returns:
            Nothing.
        """

    text = help_of(app, "load")

    assert "Load records from a file." in text
    assert "Existing ones are kept." in text
    assert "Where they are." in text
    assert "The most to load, from the start." in text
    assert "Nothing." not in text


def test_a_command_runs_in_the_context_of_its_app(app: App, run: Run) -> None:
    app.command(name="which")(lambda: current_app())

    assert run("which") is app


def test_an_async_command_runs_on_a_loop_in_the_context(app: App, run: Run) -> None:
    @app.command
    async def which() -> Any:
        return current_app()

    assert run("which") is app


def test_a_click_command_is_used_as_it_is(app: App, run: Run) -> None:
    @app.command
    @click.command("shout")
    @click.argument("text")
    def shout(text: str) -> Any:
        return text.upper(), current_app()

    assert run("shout", "hey") == ("HEY", app)


def test_a_click_group_keeps_its_commands_in_the_context(app: App, run: Run) -> None:
    group = click.Group("tools")
    group.command("which")(lambda: current_app())
    app.command(group)

    assert run("tools", "which") is app


def test_a_blueprint_with_commands_is_a_group(app: App, run: Run) -> None:
    blog, drafts = Blueprint("blog", __name__), Blueprint("drafts", __name__)
    blog.command(name="publish")(lambda: "published")
    drafts.command(name="purge")(lambda: "purged")
    blog.register(drafts)
    app.register(blog)

    assert run("blog", "publish") == "published"
    assert run("blog", "drafts", "purge") == "purged"


def test_a_battery_adds_its_command_to_the_app(app: App, run: Run) -> None:
    class Battery:
        def install(self, setup: Any) -> None:
            setup.command(lambda: "created", name="createsuperuser")

    app.register(Battery())

    assert run("createsuperuser") == "created"


def test_two_commands_of_one_name_are_refused(app: App) -> None:
    app.command(name="same")(lambda: None)
    app.command(name="same")(lambda: None)

    with pytest.raises(SetupError) as caught:
        commands_of(app)

    assert caught.value.code == "cli/registered-twice"


@pytest.mark.parametrize("annotation", [dict, int | str, tuple[int, str, float]])
def test_a_type_that_no_text_can_become_is_refused(app: App, annotation: Any) -> None:
    def show(thing: Any) -> None: ...

    show.__annotations__["thing"] = annotation
    app.command(show)

    with pytest.raises(SetupError, match="`thing`") as caught:
        commands_of(app)

    assert caught.value.code == "cli/bad-parameter"


def test_any_names_are_refused(app: App) -> None:
    @app.command
    def show(**anything: str) -> None: ...

    with pytest.raises(SetupError) as caught:
        commands_of(app)

    assert caught.value.code == "cli/bad-parameter"


def test_call_command_returns_what_the_function_returns(app: App) -> None:
    @app.command
    def greet(name: str, loud: bool = False, size: Size = Size.SMALL) -> Any:
        return name, loud, size

    assert call_command("greet", "Bob", app=app, loud=True, size=Size.LARGE) == ("Bob", True, Size.LARGE)


def test_call_command_takes_arguments_by_name_whatever_they_begin_with(app: App) -> None:
    app.command(name="echo")(lambda words: words)

    assert call_command("echo", app=app, words="--loud") == "--loud"


def test_call_command_uses_the_current_app(app: App) -> None:
    app.command(name="which")(lambda: current_app())

    with app.context():
        assert call_command("which") is app


def test_call_command_finds_a_blueprints_command(app: App) -> None:
    blog = Blueprint("blog", __name__)
    blog.command(name="publish")(lambda: "published")
    app.register(blog)

    assert call_command("blog publish", app=app) == "published"


async def in_a_loop(app: App) -> Any:
    return call_command("which", app=app)


def test_call_command_runs_an_async_command_inside_a_running_loop(app: App) -> None:
    import asyncio

    @app.command
    async def which() -> Any:
        await asyncio.sleep(0)
        return current_app()

    assert asyncio.run(in_a_loop(app)) is app


def test_an_unknown_command_names_the_nearest(app: App) -> None:
    app.command(name="greet")(lambda: None)

    with pytest.raises(UsageError, match="Did you mean greet") as caught:
        call_command("great", app=app)

    assert caught.value.code == "cli/unknown-command"


@pytest.mark.parametrize("options", [{"nam": "x"}, {"times": "many"}])
def test_arguments_that_do_not_fit_say_why(app: App, options: dict[str, Any]) -> None:
    @app.command
    def greet(name: str = "", times: int = 1) -> None: ...

    with pytest.raises(UsageError) as caught:
        call_command("greet", app=app, **options)

    assert caught.value.code == "cli/bad-arguments"


def test_a_command_that_needs_the_checks_is_stopped_by_an_error(app: App, run: Run) -> None:
    app.command(mark(lambda: "migrated", needs_checks=True), name="migrate")
    app.check(lambda: [Finding("shop.E1", "error", "no currency")])

    with pytest.raises(click.exceptions.Exit) as caught:
        run("migrate")

    assert caught.value.exit_code == 1
    assert run("migrate", "--skip-checks") == "migrated"


def test_a_warning_does_not_stop_a_command_that_needs_the_checks(app: App, run: Run) -> None:
    app.command(mark(lambda: "migrated", needs_checks=True), name="migrate")
    app.check(lambda: [Finding("shop.W1", "warning", "small")])

    assert run("migrate") == "migrated"


class Battery:
    """What adds commands to the app that registers it."""

    def install(self, setup: Setup) -> None:
        setup.command(rebuild, name="search-rebuild")

        @setup.command(name="search-drop")
        def drop() -> str:
            return "dropped"

        @setup.command
        def status() -> str:
            return "fine"


def rebuild(*, batch: int = 10) -> int:
    """Build the index anew."""
    return batch


def test_a_battery_names_its_commands(app: App, run: Run) -> None:
    app.register(Battery())

    assert run("search-rebuild", "--batch", "3") == 3
    assert run("search-drop") == "dropped"
    assert run("status") == "fine"
