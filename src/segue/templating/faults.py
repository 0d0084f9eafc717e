"""The errors of templates, each with a page under `docs/errors/templates/`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import jinja2

from ..errors import SegueError, did_you_mean, nearest

__all__ = ["BlockNotFound", "TemplateNotFound", "TemplateSyntaxError", "TooMuchOutput", "UndefinedName"]


class TemplateNotFound(SegueError, LookupError):
    """No folder holds a template of that name.

    Attributes:
        names: The names tried, in order.
        tried: Every path looked at, in order.
        existing: The names that exist, for the suggestion.
    """

    code = "templates/not-found"

    def __init__(self, names: Sequence[str], *, tried: Sequence[str], existing: Iterable[str], where: str = "") -> None:
        self.names: list[str] = list(names)
        self.tried: list[str] = list(tried)
        self.existing: list[str] = list(existing)
        listed = " or ".join(repr(name) for name in self.names) or "of an empty list"
        super().__init__(f"There is no template {listed}.", where=where)
        if self.tried:
            self.why: str = "None of these files exists:\n" + "\n".join(self.tried)
        elif self.names:
            self.why = "No folder of templates exists, or the name leads out of it."
        else:
            self.why = "A list of names was given, and it is empty."

    @property
    def hint(self) -> str:
        """The names that look alike, and the command that makes the file."""
        if not self.names:
            return "Give at least one name."
        found: list[str] = []
        for name in self.names:
            found += [near for near in nearest(name, self.existing) if near not in found]
        lines = [f"Did you mean {' or '.join(found[:3])}?"] if found else []
        return "\n".join([*lines, f"segue template new {self.names[0]}"])


class BlockNotFound(SegueError, LookupError):
    """`page.html#rows` names a block that neither the page nor its parents have."""

    code = "templates/no-such-block"

    def __init__(self, name: str, block: str, blocks: Iterable[str]) -> None:
        self.blocks: list[str] = sorted(blocks)
        self._block = block
        super().__init__(
            f"The template {name!r} has no block {block!r}.",
            why="After `#` stands the name of one {% block %} of the template or of those it extends.",
        )

    @property
    def hint(self) -> str:
        """The block that was meant, or those that exist."""
        return did_you_mean(self._block, self.blocks) or f"Write {{% block {self._block} %}} around the part."


class TemplateSyntaxError(SegueError, SyntaxError):
    """A template that cannot be compiled.

    Attributes:
        filename: The template's file, or its name where it has no file.
        lineno: The line, from 1.
    """

    code = "templates/syntax"

    def __init__(self, message: str, *, filename: str, lineno: int, hint: str = "") -> None:
        super().__init__(message, where=f"{filename}:{lineno}", hint=hint)
        # Python leaves both open; an error of a template always knows its place.
        self.filename: str = filename  # pyright: ignore[reportIncompatibleVariableOverride]
        self.lineno: int = lineno  # pyright: ignore[reportIncompatibleVariableOverride]


class UndefinedName(SegueError, jinja2.UndefinedError):
    """A template uses a name that it was not given; raised in debug and in tests."""

    code = "templates/undefined-name"
    # Jinja2 has a property of that name, which cannot be set.
    message: str = ""  # pyright: ignore[reportIncompatibleMethodOverride] - a text in both


class TooMuchOutput(SegueError):
    """A template renders more than `MAX_OUTPUT` characters; stream it instead."""

    code = "templates/too-much-output"
