"""Commands called from code: `call_command("greet", "Bob", loud=True)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import click

from ..context import find_current
from ..errors import UsageError, did_you_mean
from .appcommands import commands_of
from .group import BUILTINS, Invocation, segue

if TYPE_CHECKING:
    from ..app import App

__all__ = ["call"]


def call(name: str, arguments: Sequence[Any], options: Mapping[str, Any], app: App | None) -> Any:
    """Run the command *name* and return what its function returns."""
    words = name.split()
    invocation = Invocation()
    if app is None:
        running = find_current()
        app = running.app.app if running is not None else None
    if app is not None:
        invocation.use(app)
    with click.Context(segue, info_name="segue", obj=invocation) as root:
        command = _find(words, root, invocation)
        given = [*_as_typed(command, options), *(_text(each) for each in arguments)]
        try:
            with command.make_context(words[-1], given, parent=root) as context:
                return command.invoke(context)
        except click.UsageError as error:
            raise UsageError(
                f"call_command({name!r}) was given what the command does not take.",
                code="cli/bad-arguments",
                why=error.format_message(),
                hint=f"segue {name} --help",
            ) from None


def _find(words: Sequence[str], root: click.Context, invocation: Invocation) -> click.Command:
    known: Mapping[str, Any] = BUILTINS
    command: click.Command | None = None
    if words and words[0] in BUILTINS:
        command = segue.get_command(root, words[0])
    elif words:
        commands = commands_of(invocation.app())
        known = {**BUILTINS, **commands}
        command = commands.get(words[0])
    for word in words[1:]:
        known = command.commands if isinstance(command, click.Group) else {}
        command = known.get(word)
    if command is None:
        missing = next((word for word in words[1:] if word not in known), words[0] if words else "")
        raise UsageError(
            f"There is no command {' '.join(words)!r}.",
            code="cli/unknown-command",
            hint=did_you_mean(missing, known) or "segue commands",
        )
    return command


def _as_typed(command: click.Command, options: Mapping[str, Any]) -> list[str]:
    """Return *options* as a person would type them, so that they are checked the same way."""
    parameters = {parameter.name: parameter for parameter in command.params}
    typed: list[str] = []
    positional: dict[str, list[str]] = {}
    for name, value in options.items():
        parameter = parameters.get(name.lower())
        if parameter is None:
            known = [each for each in parameters if each]
            raise UsageError(
                f"The command {command.name!r} has no parameter {name!r}.",
                code="cli/bad-arguments",
                hint=did_you_mean(name, known),
            )
        many = isinstance(value, list | tuple | set | frozenset)
        values = [_text(each) for each in cast("list[Any]", value)] if many else [_text(value)]
        if isinstance(parameter, click.Argument):
            positional[name.lower()] = values
        elif isinstance(parameter, click.Option) and parameter.is_flag and isinstance(value, bool):
            typed += (
                [(parameter.opts if value else parameter.secondary_opts)[-1]]
                if value or parameter.secondary_opts
                else []
            )
        elif value is not None:
            typed += [f"{parameter.opts[-1]}={each}" for each in values]
    ordered = [each for parameter in command.params for each in positional.get(parameter.name or "", ())]
    return [*typed, *(["--", *ordered] if ordered else [])]


def _text(value: Any) -> str:
    import enum

    return value.name if isinstance(value, enum.Enum) else str(value)
