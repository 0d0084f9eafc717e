"""What the differ cannot know.

Holds: `Questions`: answers given beforehand, and refusing to guess the others; `Asking`, which asks a person.
Imports: floor 0, values.
Never: guesses: a wrong guess drops a column.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ...errors import SetupError
from .values import encode

__all__ = ["Asking", "Ignoring", "Questions", "UndecidedError", "parse_value"]


class UndecidedError(SetupError):
    """A question has no answer yet, and nobody to ask."""

    code = "data/migration-undecided"


def parse_value(text: str) -> Any:
    """Return what a person typed as a value: a literal of Python, `now`, else the text itself."""
    if text == "now":
        return datetime.now(UTC)
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


class Questions:
    """Answers given beforehand; what is not among them is an error.

    Args:
        renames: `record.titel:title` or `record:album`: old names and new ones.
        drops: What is really dropped, though something like it is added: `record.titel`, `record`.
        fills: What rows that are there get in a new column: `record.year` and the value.
    """

    def __init__(
        self,
        renames: Sequence[str] = (),
        drops: Sequence[str] = (),
        fills: Mapping[str, Any] | None = None,
    ) -> None:
        self.renames: dict[str, str] = dict(_split(each) for each in renames)
        self.drops: set[str] = {each.lower() for each in drops}
        self.fills: dict[str, Any] = {name.lower(): value for name, value in (fills or {}).items()}
        self.used: set[str] = set()

    def new_name(self, old: str, among: Sequence[str]) -> str | None:
        """Return which of the full names in *among* was given as the new one of *old*: that, or what ends its own."""
        given = self.renames.get(old.lower(), "").lower()
        label = old.lower().rpartition(".")[0]
        return next((each for each in among if each.lower() == f"{label}.{given}"), None) or next(
            (each for each in among if each.lower() == given), None
        )

    def is_renamed(self, what: str, old: str, new: str, alternatives: Sequence[str]) -> bool:
        """Tell whether *old* is called *new* from now on.

        Args:
            what: `model` or `field`.
            old: Its full name, `record.titel`.
            alternatives: All new things that it might be.
        """
        if old.lower() in self.renames:
            given = self.new_name(old, alternatives)
            if given is not None:
                self.used.add(old.lower())
            return given == new
        if old.lower() in self.drops or any(self.new_name(other, [new]) for other in self.renames):
            return False
        return self.ask_rename(what, old, new, alternatives)

    def fill(self, model: str, field: str, *, narrows: bool) -> Any:
        """Return what rows that are there get in a column that refuses NULL, encoded.

        Args:
            narrows: Whether the column is there, and refuses NULL from now on.
        """
        name = f"{model}.{field}"
        if name.lower() in self.fills:
            return encode(self.fills[name.lower()])
        return encode(self.ask_fill(model, field, narrows=narrows))

    def unused(self) -> list[str]:
        """Return the renames that nothing asked for."""
        return sorted(set(self.renames) - self.used)

    def ask_rename(self, what: str, old: str, new: str, alternatives: Sequence[str]) -> bool:
        """Answer a question that was not answered beforehand."""
        hints = [f"--rename {old}:{_short(old, each)}" for each in alternatives]
        raise UndecidedError(
            f"Was the {what} {old} renamed to {' or to '.join(alternatives)}, or is it dropped?",
            why="Both look alike; a wrong guess would lose the data in it.",
            hint="\n".join([*hints, f"--drop {old}"]),
        )

    def ask_fill(self, model: str, field: str, *, narrows: bool) -> Any:
        """Answer a question that was not answered beforehand."""
        what = "refuses NULL from now on" if narrows else "is new, refuses NULL and has no default"
        raise UndecidedError(
            f"{model}.{field} {what}: what do rows that are there get?",
            hint=f"--default {model}.{field}=VALUE, or give the field a default, or null=True.",
        )


def _split(text: str) -> tuple[str, str]:
    old, colon, new = text.partition(":")
    if not colon or not old or not new:
        raise UndecidedError(
            f"--rename {text!r} has no two names.", hint="--rename record.titel:title, or --rename record:album"
        )
    return old.lower(), new


def _short(old: str, new: str) -> str:
    return new.rpartition(".")[2] if old.rpartition(".")[0] == new.rpartition(".")[0] else new


class Asking(Questions):
    """Asks a person.

    Args:
        confirm: Asks a question of yes or no.
        prompt: Asks for a text.
    """

    def __init__(
        self,
        confirm: Callable[[str], bool],
        prompt: Callable[[str], str],
        renames: Sequence[str] = (),
        drops: Sequence[str] = (),
        fills: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(renames, drops, fills)
        self._confirm = confirm
        self._prompt = prompt

    def ask_rename(self, what: str, old: str, new: str, alternatives: Sequence[str]) -> bool:
        return self._confirm(f"Was the {what} {old} renamed to {_short(old, new)}?")

    def ask_fill(self, model: str, field: str, *, narrows: bool) -> Any:
        return parse_value(
            self._prompt(f"{model}.{field} refuses NULL. What do rows that are there get (a value, or now)?")
        )


class Ignoring(Questions):
    """Answers without knowing, where only whether there is a change matters."""

    def ask_rename(self, what: str, old: str, new: str, alternatives: Sequence[str]) -> bool:
        return False

    def ask_fill(self, model: str, field: str, *, narrows: bool) -> Any:
        return None
