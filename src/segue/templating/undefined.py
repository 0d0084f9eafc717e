"""What stands for a name that a template was not given.

In debug and in tests, using it is an error that names the template, its line
and the nearest name. In production it prints nothing and is logged, once per
place. Asking about it is fine in both: `is defined`, `default`, and plain truth
(`{% if error %}`), which templates of all frameworks use to ask for presence.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Iterator
from types import CodeType, FrameType
from typing import Any, ClassVar, NoReturn

import jinja2
from jinja2.runtime import Context
from jinja2.utils import missing

from ..errors import did_you_mean
from .faults import UndefinedName

__all__ = ["Loud", "Quiet", "Undefined"]

_logger = logging.getLogger("segue.templating")
_LOCAL = re.compile(r"l_\d+_(\w+)")
_MOST_REPORTED = 10_000


class Undefined(jinja2.Undefined):
    """The common part: it knows the place and the names that were meant."""

    __slots__ = ()

    @property
    def _is_misspelt(self) -> bool:
        # Jinja2 also makes values with a hint alone, such as the first of no items: those depend
        # on data, so they are empty wherever they are used.
        return self._undefined_name is not None

    def _error(self) -> UndefinedName:
        frame = _template_frame()
        where = ""
        if frame is not None:
            template = frame.f_globals["__jinja_template__"]
            where = f"{template.filename}:{template.get_corresponding_lineno(frame.f_lineno)}"
        name = self._undefined_name
        if self._undefined_hint:
            return UndefinedName(self._undefined_hint, where=where)
        if self._undefined_obj is missing:
            return UndefinedName(
                f"The template uses `{name}`, and nothing gave it that name.",
                where=where,
                hint=_near(name, _names_of(frame))
                or f"Pass {name}=… to render_template, or write {{{{ {name}|default('') }}}} where it may be absent.",
            )
        owner = self._undefined_obj
        kind = type(owner).__name__ if not isinstance(owner, type) else owner.__name__
        return UndefinedName(
            f"The template uses `{name}` of a value of type {kind}, which has no such attribute or item.",
            where=where,
            hint=_near(name, _attributes_of(owner)),
        )


class Loud(Undefined):
    """Raises where it is used. For debug and tests."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *args: Any, **named: Any) -> NoReturn:
        raise self._error()

    def __str__(self) -> str:
        if self._is_misspelt:
            raise self._error()
        return ""

    def __html__(self) -> str:
        return str(self)

    def __len__(self) -> int:
        if self._is_misspelt:
            raise self._error()
        return 0

    def __iter__(self) -> Iterator[Any]:
        if self._is_misspelt:
            raise self._error()
        return iter(())

    def __eq__(self, other: object) -> bool:
        if self._is_misspelt:
            raise self._error()
        return type(self) is type(other)

    def __hash__(self) -> int:
        return id(type(self))

    def __contains__(self, item: object) -> bool:
        if self._is_misspelt:
            raise self._error()
        return False

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        raise self._error()

    # Jinja2's class binds each of these names to its own failing method.
    __add__ = _fail_with_undefined_error
    __radd__ = _fail_with_undefined_error
    __sub__ = _fail_with_undefined_error
    __rsub__ = _fail_with_undefined_error
    __mul__ = _fail_with_undefined_error
    __rmul__ = _fail_with_undefined_error
    __truediv__ = _fail_with_undefined_error
    __rtruediv__ = _fail_with_undefined_error
    __floordiv__ = _fail_with_undefined_error
    __rfloordiv__ = _fail_with_undefined_error
    __mod__ = _fail_with_undefined_error
    __rmod__ = _fail_with_undefined_error
    __pos__ = _fail_with_undefined_error
    __neg__ = _fail_with_undefined_error
    __pow__ = _fail_with_undefined_error
    __rpow__ = _fail_with_undefined_error
    __call__ = _fail_with_undefined_error
    __getitem__ = _fail_with_undefined_error
    __lt__ = _fail_with_undefined_error
    __le__ = _fail_with_undefined_error
    __gt__ = _fail_with_undefined_error
    __ge__ = _fail_with_undefined_error
    __int__ = _fail_with_undefined_error
    __float__ = _fail_with_undefined_error
    __complex__ = _fail_with_undefined_error


class Quiet(Undefined):
    """Prints nothing, and so do its attributes, items and calls. For production."""

    __slots__ = ()

    # Places that were reported; each app's environment has a class, and so a set, of its own.
    reported: ClassVar[set[tuple[CodeType | None, int, object]]] = set()

    def _report(self) -> None:
        if not self._is_misspelt:
            return
        # The place is compared before the message is made, which searches for names.
        frame = _template_frame()
        code, line = (frame.f_code, frame.f_lineno) if frame is not None else (None, 0)
        key = code, line, self._undefined_name
        if key not in self.reported and len(self.reported) < _MOST_REPORTED:
            self.reported.add(key)
            error = self._error()
            _logger.warning("%s: %s %s", error.where, error.message, error.hint)

    def _fail_with_undefined_error(self, *args: Any, **named: Any) -> NoReturn:
        raise self._error()

    def __str__(self) -> str:
        self._report()
        return ""

    def __html__(self) -> str:
        return str(self)

    def __iter__(self) -> Iterator[Any]:
        self._report()
        return iter(())

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        return self

    def _itself(self, *args: Any, **named: Any) -> Any:
        return self

    __getitem__ = _itself
    __call__ = _itself

    __add__ = _fail_with_undefined_error
    __radd__ = _fail_with_undefined_error
    __sub__ = _fail_with_undefined_error
    __rsub__ = _fail_with_undefined_error
    __mul__ = _fail_with_undefined_error
    __rmul__ = _fail_with_undefined_error
    __truediv__ = _fail_with_undefined_error
    __rtruediv__ = _fail_with_undefined_error
    __floordiv__ = _fail_with_undefined_error
    __rfloordiv__ = _fail_with_undefined_error
    __mod__ = _fail_with_undefined_error
    __rmod__ = _fail_with_undefined_error
    __pos__ = _fail_with_undefined_error
    __neg__ = _fail_with_undefined_error
    __pow__ = _fail_with_undefined_error
    __rpow__ = _fail_with_undefined_error
    __lt__ = _fail_with_undefined_error
    __le__ = _fail_with_undefined_error
    __gt__ = _fail_with_undefined_error
    __ge__ = _fail_with_undefined_error
    __int__ = _fail_with_undefined_error
    __float__ = _fail_with_undefined_error
    __complex__ = _fail_with_undefined_error


def _template_frame() -> FrameType | None:
    """Return the innermost running frame that is a template's."""
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage] - documented, and free until used
    while frame is not None and "__jinja_template__" not in frame.f_globals:
        frame = frame.f_back
    return frame


def _names_of(frame: FrameType | None) -> set[str]:
    if frame is None:
        return set()
    names = {
        found[1]
        for variable, value in frame.f_locals.items()
        if value is not missing and (found := _LOCAL.fullmatch(variable))
    }
    context = frame.f_locals.get("context")
    if isinstance(context, Context):
        names.update(context.get_all())
        names.update(context.environment.globals)
        late = getattr(context, "late", None)
        if late is not None:
            names.update(late.known)
    return names


def _attributes_of(owner: Any) -> set[str]:
    try:
        names = set(dir(owner))
    except Exception:  # a hostile object must not break an error report
        names = set[str]()
    if issubclass(type(owner), dict):
        keys: list[Any] = list(owner)
        names.update(key for key in keys if isinstance(key, str))
    return {name for name in names if not name.startswith("_")}


def _near(name: object, names: Iterable[str]) -> str:
    return did_you_mean(str(name), (each for each in names if each != name))
