"""What an error page shows of an exception: its chain, its frames, the source around them."""

from __future__ import annotations

import linecache
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import cast

from .showing import show

__all__ = ["DebugFrame", "Excerpt", "Link", "chain_of", "excerpt_of", "frames_of"]

_CONTEXT_LINES = 6
_MOST_LOCALS = 40
_MOST_FRAMES = 60
_MOST_LINKS = 8
_MAX_LINE = 300

_SEGUE = str(Path(__file__).parents[1])
_LIBRARIES = tuple(dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")))


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A few lines of a file around one of them.

    Attributes:
        span: The columns of the expression that was evaluated, within the line; `None`
            where they are not known.
    """

    file: str
    line: int
    lines: tuple[tuple[int, str], ...]
    span: tuple[int, int] | None = None


@dataclass(frozen=True)
class DebugFrame:
    """One level of a traceback, with what can be shown of it.

    Attributes:
        frame: The frame itself, for the console.
        is_own: Whether its code is the project's, not a library's.
        is_template: Whether it is a line of a template.
    """

    frame: FrameType
    line: int
    lasti: int = -1

    @property
    def file(self) -> str:
        """The path of its file."""
        return self.frame.f_code.co_filename

    @property
    def function(self) -> str:
        """The name of its function, with its class; of a template its block."""
        code = self.frame.f_code
        if not self.is_template:
            return code.co_qualname
        return "" if code.co_name.startswith(("top-level", "template")) else code.co_name

    @property
    def place(self) -> str:
        """`file:line`, the file as it is seen from the working directory."""
        return f"{short_path(self.file)}:{self.line}"

    @cached_property
    def is_template(self) -> bool:
        """Whether it is a line of a template."""
        return "__jinja_template__" in self.frame.f_globals or not self.file.endswith((".py", ">"))

    @cached_property
    def is_own(self) -> bool:
        """Whether its code is the project's."""
        return is_own(self.file)

    @cached_property
    def excerpt(self) -> Excerpt:
        """The source around its line."""
        span = None if self.is_template else _span(self.frame.f_code, self.lasti, self.line)
        return excerpt_of(self.file, self.line, span=span)

    @cached_property
    def locals(self) -> list[tuple[str, str]]:
        """Names and values, secrets masked."""
        names = [name for name in self.frame.f_locals if not name.startswith(("__", "."))]
        return [(name, show(self.frame.f_locals[name], name)) for name in names[:_MOST_LOCALS]]


@dataclass(frozen=True, slots=True)
class Link:
    """One exception of a chain.

    Attributes:
        relation: How the one before it came from it; empty for the first.
    """

    error: BaseException
    relation: str
    frames: tuple[DebugFrame, ...]


def frames_of(error: BaseException) -> list[DebugFrame]:
    """Return the frames of a traceback, outermost first; of very many the two ends."""
    found: list[DebugFrame] = []
    current: TracebackType | None = error.__traceback__
    while current is not None:
        found.append(DebugFrame(current.tb_frame, current.tb_lineno, current.tb_lasti))
        current = current.tb_next
    half = _MOST_FRAMES // 2
    return found if len(found) <= _MOST_FRAMES else found[:half] + found[-half:]


def chain_of(error: BaseException) -> list[Link]:
    """Return the error and those it came from, the newest first; groups with what they hold."""
    found: list[Link] = []
    seen: set[int] = set()
    waiting = [(error, "")]
    while waiting and len(found) < _MOST_LINKS:
        current, relation = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        found.append(Link(current, relation, tuple(frames_of(current))))
        waiting[:0] = _origins(current)
    return found


def _origins(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    if isinstance(error, BaseExceptionGroup):
        parts = cast("BaseExceptionGroup[BaseException]", error).exceptions
        for each in parts:
            yield each, "One of the group"
    if error.__cause__ is not None:
        yield error.__cause__, "Raised from"
    elif error.__context__ is not None and not error.__suppress_context__:
        yield error.__context__, "Raised while this was handled"


def excerpt_of(file: str, line: int, *, span: tuple[int, int] | None = None) -> Excerpt:
    """Return the lines of *file* around *line*; none where it cannot be read."""
    linecache.checkcache(file)
    lines: list[tuple[int, str]] = []
    for number in range(max(1, line - _CONTEXT_LINES), line + _CONTEXT_LINES):
        text = linecache.getline(file, number)
        if text:
            lines.append((number, text.rstrip("\r\n")[:_MAX_LINE]))
    return Excerpt(file, line, tuple(lines), span)


def is_own(file: str) -> bool:
    """Whether a file is the project's: not Segue's, not a library's, not made at run time."""
    if file.startswith((_SEGUE + "/", "<")) or "/site-packages/" in file or "/dist-packages/" in file:
        return False
    return not file.startswith(_LIBRARIES)


def short_path(file: str) -> str:
    """The path below the working directory, or below the folder that modules are imported from."""
    for folder in (str(Path.cwd()), str(Path(_SEGUE).parent), *_LIBRARIES):
        if file.startswith(f"{folder}/"):
            return file.removeprefix(f"{folder}/")
    return file


def _span(code: CodeType, lasti: int, line: int) -> tuple[int, int] | None:
    """The columns of the instruction at *lasti*, in characters."""
    if lasti < 0:
        return None
    for index, (first, last, start, end) in enumerate(code.co_positions()):
        if index == lasti // 2:
            if first != line or last != line or start is None or end is None:
                return None
            raw = linecache.getline(code.co_filename, line).encode()
            return len(raw[:start].decode("utf-8", "replace")), len(raw[:end].decode("utf-8", "replace"))
    return None
