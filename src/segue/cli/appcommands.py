"""From a function to a command: `@app.command def greet(name: str, loud: bool = False)`.

A parameter without a default is an argument, one with a default an option; a `bool`
option is a pair of flags. The docstring is the help: its first paragraphs that of the
command, its `Args:` section that of the parameters.
"""

from __future__ import annotations

import asyncio
import contextvars
import enum
import inspect
import re
import threading
import types
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import click

from ..errors import SetupError, place_of
from ..handling.markers import marks_of
from .checks import demand_no_errors

if TYPE_CHECKING:
    from ..app import App

__all__ = ["command_from", "commands_of", "run_in"]

_SECTION = re.compile(r"^(Args|Arguments|Raises|Returns|Yields|Example|Examples|Note|Attributes):\s*$")
_ENTRY = re.compile(r"^(\*{0,2}\w+)(?:\s*\([^)]*\))?:\s*(.*)$")


_EMPTY = click.Context(click.Command(None))


def commands_of(app: App) -> dict[str, click.Command]:
    """Return the commands of *app*: its own, and a group for each blueprint that has some.

    Raises:
        SetupError: A function cannot be a command, or two commands have one name.
    """
    found: dict[str, click.Command] = {}
    for part in app.parts:
        for name, thing in part.registries.commands:
            command = command_from(thing, app, name=name)
            # A group of its own, so that no blueprint takes a name from another.
            holder = found if part.name is None else _group_for(found, part.name.split(".")).commands
            if command.name in holder:
                raise SetupError(
                    f"Two commands are called {command.name!r}.",
                    code="cli/registered-twice",
                    where=place_of(thing) if inspect.isroutine(thing) else part.place,
                    hint=f'@app.command(name="another-{command.name}")',
                )
            holder[command.name or ""] = command
    return dict(sorted(found.items()))


def command_from(thing: Any, app: App, *, name: str | None = None) -> click.Command:
    """Return the Click command that runs *thing* in a context of *app*.

    Args:
        thing: A function, or a Click command or group, which is used as it is.

    Raises:
        SetupError: A parameter has a type that no text can become (`cli/bad-parameter`).
    """
    if isinstance(thing, click.Group):
        group = click.Group(name or thing.name, params=thing.params, callback=thing.callback, help=thing.help)
        group.commands = {each: command_from(inner, app, name=each) for each, inner in thing.commands.items()}
        return group
    if isinstance(thing, click.Command):
        twin = _copied(thing, name)
        if thing.callback is not None:
            twin.callback = partial(run_in, app, thing.callback)
        return twin
    if not callable(thing):
        raise _bad_parameter(thing, f"{thing!r} is neither a function nor a Click command", "Decorate a function.")
    function: Callable[..., Any] = thing
    summary, texts = _documentation(function)
    parameters = [_Parameter.of(function, each, texts.get(each.name, "")) for each in _signature(function)]

    is_checked = marks_of(function).get("needs_checks", False)

    def callback(**values: Any) -> Any:
        if is_checked and not values["skip_checks"]:
            demand_no_errors(app)
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for parameter in parameters:
            value = parameter.value(values[parameter.key])
            if parameter.is_rest:
                positional.extend(value)
            elif parameter.is_positional:
                positional.append(value)
            else:
                named[parameter.name] = value
        return run_in(app, function, *positional, **named)

    described = [(each.option, texts[each.name]) for each in parameters if texts.get(each.name)]
    lines = [f"  {each.make_metavar(_EMPTY)}  {text}" for each, text in described if isinstance(each, click.Argument)]
    if lines:
        summary = "\n".join([summary, "", "\b", "Arguments:", *lines])
    options = [each.option for each in parameters]
    if is_checked:
        text = "Go on even if a check found an error."
        options.append(click.Option(["skip_checks", "--skip-checks"], is_flag=True, help=text))
    own_name = name or getattr(function, "__name__", type(function).__name__).strip("_").replace("_", "-")
    return click.Command(own_name, callback=callback, params=options, help=summary)


def run_in(app: App, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call *function*, `def` or `async def`, in a context of *app*."""
    with app.context():
        result = function(*arguments, **options)
        if not inspect.isawaitable(result):
            return result
        return _finished(_awaited(result))


async def _awaited(result: Any) -> Any:
    return await result


def _finished(coroutine: Any) -> Any:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    # Called from async code: a loop cannot run within a loop, so another thread has its own.
    context = contextvars.copy_context()
    outcome: list[Any] = []

    def drive() -> None:
        try:
            outcome.extend((context.run(asyncio.run, coroutine), None))
        except BaseException as error:
            outcome.extend((None, error))

    thread = threading.Thread(target=drive, name="segue-command")
    thread.start()
    thread.join()
    result, error = outcome
    if error is not None:
        raise error
    return result


def _group_for(found: dict[str, click.Command], path: list[str]) -> click.Group:
    commands: MutableMapping[str, click.Command] = found
    group: click.Group | None = None
    for name in path:
        existing = commands.setdefault(name, click.Group(name, help=f"Commands of the blueprint {name}."))
        if not isinstance(existing, click.Group):
            raise SetupError(
                f"A command and a blueprint with commands are both called {name!r}.",
                code="cli/registered-twice",
                hint=f'@app.command(name="another-{name}")',
            )
        group, commands = existing, existing.commands
    assert group is not None
    return group


def _copied(command: click.Command, name: str | None) -> click.Command:
    from copy import copy

    twin = copy(command)
    twin.name = name or command.name
    return twin


# One parameter


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter of a function, and the argument or option that it becomes.

    Attributes:
        key: Its name in Click's values.
        convert: Makes of Click's value what the function is given.
    """

    name: str
    key: str
    option: click.Parameter
    convert: Callable[[Any], Any] | None = None
    is_positional: bool = False
    is_rest: bool = False

    def value(self, given: Any) -> Any:
        """Return what the function is given."""
        return given if self.convert is None or given is None else self.convert(given)

    @classmethod
    def of(cls, function: Callable[..., Any], parameter: inspect.Parameter, text: str) -> _Parameter:
        """Read one parameter of *function*."""
        has_default = parameter.default is not parameter.empty
        kind, is_many, makes, is_optional = _kind(function, parameter)
        is_rest = parameter.kind is parameter.VAR_POSITIONAL
        is_positional = parameter.kind is parameter.POSITIONAL_ONLY
        key = parameter.name.lower()
        if is_rest:
            option: click.Parameter = click.Argument([key], type=kind, nargs=-1)
        elif not has_default and parameter.kind is not parameter.KEYWORD_ONLY:
            option = click.Argument(
                [key], type=kind, nargs=-1 if is_many else 1, required=not is_optional, metavar=None
            )
        else:
            option = _option(key, kind, has_default=has_default, default=parameter.default, is_many=is_many, text=text)
        return cls(
            parameter.name,
            key,
            option,
            makes if is_many else None,
            is_positional or _before_rest(function, parameter),
            is_rest,
        )


def _before_rest(function: Callable[..., Any], parameter: inspect.Parameter) -> bool:
    """Whether *parameter* must be given by position because `*rest` follows."""
    kinds = [each.kind for each in inspect.signature(function).parameters.values()]
    return parameter.VAR_POSITIONAL in kinds and parameter.kind is parameter.POSITIONAL_OR_KEYWORD


def _option(
    key: str, kind: click.ParamType[Any], *, has_default: bool, default: Any, is_many: bool, text: str
) -> click.Option:
    dashed = key.replace("_", "-")
    settings: dict[str, Any] = {"help": text, "required": not has_default}
    if has_default:
        settings["default"] = list(default) if is_many and default is not None else default
        settings["show_default"] = default is not None and default not in ((), [], "")
    if kind is click.BOOL and not is_many:
        return click.Option([key, f"--{dashed}/--no-{dashed}"], **settings)
    return click.Option([key, f"--{dashed}"], type=kind, multiple=is_many, **settings)


def _signature(function: Callable[..., Any]) -> Iterable[inspect.Parameter]:
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            raise _bad_parameter(
                function, f"**{parameter.name} takes any name", "Name each option as a parameter with a default."
            )
        yield parameter


def _kind(
    function: Callable[..., Any], parameter: inspect.Parameter
) -> tuple[click.ParamType[Any], bool, Callable[[Any], Any], bool]:
    """Return the Click type, whether there are many, what collects them, and whether `None` is meant."""
    annotation: Any = _hints(function).get(parameter.name, parameter.empty)
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if annotation is parameter.empty:
        plain = type(parameter.default) in (bool, int, float, Decimal, datetime, date, UUID) or isinstance(
            parameter.default, Path | enum.Enum
        )
        annotation = cast("Any", type(parameter.default)) if plain else str
        if isinstance(parameter.default, Path):
            annotation = Path
    is_optional = False
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [each for each in get_args(annotation) if each is not types.NoneType]
        is_optional = len(inner) < len(get_args(annotation))
        if len(inner) != 1:
            raise _unknown_type(function, parameter, annotation)
        annotation = inner[0]
    origin: Any = get_origin(annotation) or annotation
    if origin in (list, tuple, set, frozenset):
        args = get_args(annotation) or (str,)
        if origin is tuple and len(args) != 2 and args[-1] is not Ellipsis:
            raise _unknown_type(function, parameter, annotation)
        return _scalar(function, parameter, args[0]), True, origin, is_optional
    return _scalar(function, parameter, annotation), False, origin, is_optional


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    target: Any = function if inspect.isroutine(function) else type(function).__call__
    try:
        return get_type_hints(target, include_extras=True)
    except NameError as error:
        raise _bad_parameter(
            function, f"an annotation names {error.name}, which is not there at run time",
            "Import it at the top of the module, outside `if TYPE_CHECKING:`.",
        ) from None  # fmt: skip


_scalars: dict[Any, click.ParamType[Any]] = {
    str: click.STRING,
    int: click.INT,
    float: click.FLOAT,
    bool: click.BOOL,
    UUID: click.UUID,
    Path: click.Path(path_type=Path),
    datetime: click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"]),
}


class _Parsed(click.ParamType[Any]):
    """A type whose text a function reads."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value of a text."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except (ValueError, InvalidOperation):
            self.fail(f"{value!r} is no {self.name}.", param, ctx)


_scalars |= {
    date: _Parsed("date", date.fromisoformat),
    time: _Parsed("time", time.fromisoformat),
    Decimal: _Parsed("decimal", Decimal),
}


def _scalar(function: Callable[..., Any], parameter: inspect.Parameter, annotation: Any) -> click.ParamType[Any]:
    if annotation is Any or annotation is object:
        return click.STRING
    known = _scalars.get(annotation)
    if known is not None:
        return known
    if get_origin(annotation) is Literal:
        return click.Choice(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return click.Choice(annotation, case_sensitive=False)
    raise _unknown_type(function, parameter, annotation)


# The docstring


def _documentation(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return the text about the command, and those about its parameters."""
    lines = (inspect.getdoc(function) or "").splitlines()
    summary: list[str] = []
    texts: dict[str, str] = {}
    section = current = ""
    for line in lines:
        heading = _SECTION.match(line)
        if heading:
            section, current = heading[1], ""
        elif not section:
            summary.append(line)
        elif section in ("Args", "Arguments"):
            entry = _ENTRY.match(line.strip())
            if entry and len(line) - len(line.lstrip()) <= 4:
                current = entry[1].lstrip("*")
                texts[current] = entry[2]
            elif current:
                texts[current] = f"{texts[current]} {line.strip()}".strip()
    return "\n".join(summary).strip(), texts


def _bad_parameter(function: Any, problem: str, hint: str) -> SetupError:
    name = getattr(function, "__qualname__", repr(function))
    return SetupError(
        f"{name}() cannot be a command: {problem}.",
        code="cli/bad-parameter",
        where=place_of(function) if callable(function) else "",
        hint=hint,
    )


def _unknown_type(function: Callable[..., Any], parameter: inspect.Parameter, annotation: Any) -> SetupError:
    shown = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return _bad_parameter(
        function,
        f"`{parameter.name}` is {shown}, which no text on a command line can become",
        "Use str, int, float, bool, Path, Decimal, date, datetime, UUID, a Literal, an Enum, or a list of one.",
    )
