"""Python that is typed into the console, run in a frame.

The names of the frame are copied into a namespace of the session when it is first used:
so functions and comprehensions typed there see them, assignments last, and neither the
module nor the frame changes. Objects are the very ones; what is done to them stays done.
"""

from __future__ import annotations

import ast
import inspect
import traceback
from collections.abc import Coroutine
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

__all__ = ["Outcome", "Session"]

_NAME = "<console>"
_MAX_OUTPUT = 100_000
_MAX_VALUE = 20_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one input: what it printed, its value, or how it failed."""

    output: str = ""
    value: str = ""
    failure: str = ""


class Session:
    """One frame, and what was typed into it so far."""

    def __init__(self, frame: FrameType) -> None:
        self._printed: list[str] = []
        self._size = 0
        # A `print` of its own: redirecting sys.stdout would take what other requests print.
        self._names: dict[str, Any] = {**frame.f_globals, **frame.f_locals, "print": self._print}

    def start(self, source: str) -> Outcome | Coroutine[Any, Any, Any]:
        """Run *source*; where it awaits something, return the coroutine to await.

        Never raises. Its outcome then is that of `finish` or `fail`.
        """
        self._printed.clear()
        self._size = 0
        try:
            statements, last = _compiled(source)
            value: Any = None
            if statements is not None:
                value = eval(statements, self._names)  # the developer's own words, in the developer's own process
                if inspect.iscoroutine(value) and _awaits(statements):
                    return self._rest(value, last)
            if last is not None:
                value = eval(last, self._names)
                if inspect.iscoroutine(value) and _awaits(last):
                    return value
            return self.finish(value)
        except BaseException as error:
            return self.fail(error)

    async def _rest(self, first: Coroutine[Any, Any, Any], last: CodeType | None) -> Any:
        await first
        if last is None:
            return None
        value = eval(last, self._names)
        return await value if inspect.iscoroutine(value) and _awaits(last) else value

    def finish(self, value: Any) -> Outcome:
        """Return the outcome of an input that ended with *value*."""
        if value is None:
            return Outcome("".join(self._printed))
        self._names["_"] = value
        try:
            text = repr(value)
        except BaseException as error:
            return self.fail(error)
        return Outcome("".join(self._printed), text if len(text) <= _MAX_VALUE else text[:_MAX_VALUE] + "…")

    def fail(self, error: BaseException) -> Outcome:
        """Return the outcome of an input that raised *error*."""
        # The frames of this module say nothing to who typed the input.
        shown = error.__traceback__
        while shown is not None and shown.tb_frame.f_code.co_filename == __file__:
            shown = shown.tb_next
        try:
            text = "".join(traceback.format_exception(type(error), error, shown))
        except BaseException as again:  # an exception whose text raises
            text = f"{type(error).__name__}: its text cannot be shown: {type(again).__name__}"
        return Outcome("".join(self._printed), failure=text[:_MAX_OUTPUT])

    def _print(self, *values: Any, sep: str | None = " ", end: str | None = "\n", **rest: Any) -> None:
        if rest.get("file") is not None:
            print(*values, sep=sep, end=end, **rest)
            return
        text = (" " if sep is None else sep).join(map(str, values)) + ("\n" if end is None else end)
        room = _MAX_OUTPUT - self._size
        if room > 0:
            self._printed.append(text[:room] + ("…\n" if len(text) > room else ""))
        self._size += len(text)


def _compiled(source: str) -> tuple[CodeType | None, CodeType | None]:
    """Return the statements and the expression at their end, whose value is shown."""
    tree = ast.parse(source, _NAME, "exec")
    last: ast.Expression | None = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]  # an Expr, seen above
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    statements = compile(tree, _NAME, "exec", flags=flags, dont_inherit=True) if tree.body else None
    return statements, compile(last, _NAME, "eval", flags=flags, dont_inherit=True) if last is not None else None


def _awaits(code: CodeType) -> bool:
    return bool(code.co_flags & inspect.CO_COROUTINE)
