"""An error that stops a start, as text for a terminal."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType

from ..errors import SegueError

__all__ = ["error_text", "last_line", "place_text"]

_OURS = str(Path(__file__).resolve().parent.parent)


def error_text(error: BaseException) -> str:
    """Return *error* for a terminal: what the user can mend, after the traceback of their code.

    The errors of Segue say it all; where one was made from an error in the user's
    code, that one's traceback comes first. Frames of the import system and of Segue
    are left out.
    """
    shown = error.__cause__ if isinstance(error, SegueError) else error
    parts: list[str] = []
    if shown is not None:
        parts.append(_traceback(shown))
    if isinstance(error, SegueError):
        parts.append(f"{type(error).__name__}: {error}\n")
    return "\n".join(parts)


def last_line(error: BaseException) -> str:
    """Return the last line of the traceback: the class and the text of the user's error."""
    shown = error.__cause__ if isinstance(error, SegueError) and error.__cause__ is not None else error
    if isinstance(shown, SegueError):
        return f"{type(shown).__name__}: [{shown.code}] {shown.message}"
    return traceback.format_exception_only(shown)[-1].strip()


def place_text(error: BaseException) -> str:
    """Return `file:line` of the user's code where *error* was raised, or an empty text."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    if isinstance(error, SegueError) and error.where:
        return error.where
    place = ""
    trace = error.__traceback__
    while trace is not None:
        if _is_users(trace):
            place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _traceback(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and not _is_users(trace):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace, chain=trace is not None))


def _is_users(trace: TracebackType) -> bool:
    file = trace.tb_frame.f_code.co_filename
    return not (file.startswith((_OURS, "<frozen")) or "importlib" in file)
