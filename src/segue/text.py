"""Texts that are translated when they are read.

Holds: `gettext` and its kin, their lazy forms, `LazyText`, the `Translations` that an app may provide.
Imports: the standard library only.
Never: has a catalogue or a language of its own; without an app that provides translations, a text
is itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol, cast

__all__ = [
    "UNTRANSLATED",
    "LazyText",
    "Translations",
    "capitalized",
    "find_translations_by",
    "gettext",
    "gettext_lazy",
    "ngettext",
    "ngettext_lazy",
    "npgettext",
    "npgettext_lazy",
    "pgettext",
    "pgettext_lazy",
]


class Translations(Protocol):
    """Translates texts; what `gettext.translation()` returns is one.

    An app provides its own by `app.provide(TRANSLATIONS, …)`; a hook that knows the visitor's
    language keeps another for the request.
    """

    def gettext(self, message: str, /) -> str:
        """Return a text in another language."""
        ...

    def ngettext(self, msgid1: str, msgid2: str, n: int, /) -> str:
        """Return the form of a text that is right for *n*."""
        ...

    def pgettext(self, context: str, message: str, /) -> str:
        """Return a text that means something else elsewhere."""
        ...

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int, /) -> str:
        """Return the form for *n* of a text that means something else elsewhere."""
        ...


class _Untranslated:
    """Translates nothing."""

    def gettext(self, message: str, /) -> str:
        return message

    def ngettext(self, msgid1: str, msgid2: str, n: int, /) -> str:
        return msgid1 if n == 1 else msgid2

    def pgettext(self, context: str, message: str, /) -> str:
        return message

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int, /) -> str:
        return msgid1 if n == 1 else msgid2


UNTRANSLATED: Translations = _Untranslated()

_finders: list[Callable[[], Translations]] = [lambda: UNTRANSLATED]


def find_translations_by(find: Callable[[], Translations]) -> None:
    """Take *find* to know the translations of what is running; `context`, which is above, says so."""
    _finders[:] = [find]


def _running() -> Translations:
    return _finders[0]()


def gettext(message: str) -> str:
    """Return *message* in the language of the running request."""
    return _running().gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """Return the form that is right for *n*, in the language of the running request."""
    return _running().ngettext(singular, plural, n)


def pgettext(context: str, message: str) -> str:
    """Return *message* as it is said in *context*, in the language of the running request."""
    return _running().pgettext(context, message)


def npgettext(context: str, singular: str, plural: str, n: int) -> str:
    """Return the form that is right for *n*, as it is said in *context*."""
    return _running().npgettext(context, singular, plural, n)


class LazyText:
    """A text that is translated whenever it is read: for labels, choices and messages of classes.

    It is written into templates and joined with other texts as a `str` is, and equals a `str`
    that reads the same.
    """

    __slots__ = ("_read",)

    # Read by those below, who do not know this class.
    is_lazy: ClassVar[bool] = True

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read

    def __str__(self) -> str:
        return self._read()

    def __repr__(self) -> str:
        return f"<LazyText {self._read()!r}>"

    def __mod__(self, values: Any) -> LazyText:
        return LazyText(lambda: self._read() % values)

    def format(self, *values: Any, **named: Any) -> LazyText:
        """Return it with values put in, lazy still."""
        return LazyText(lambda: self._read().format(*values, **named))

    def __add__(self, other: Any) -> LazyText:
        return LazyText(lambda: self._read() + str(other))

    def __radd__(self, other: Any) -> LazyText:
        return LazyText(lambda: str(other) + self._read())

    def __getitem__(self, place: Any) -> str:
        return self._read()[place]

    # With items, Python would take it for a sequence of letters; a list of messages is one of texts.
    __iter__ = None

    def __len__(self) -> int:
        return len(self._read())

    def __contains__(self, part: str) -> bool:
        return part in self._read()

    def __format__(self, spec: str) -> str:
        return format(self._read(), spec)

    def __eq__(self, other: object) -> bool:
        return self._read() == str(other) if isinstance(other, str | LazyText) else NotImplemented

    def __lt__(self, other: Any) -> bool:
        return self._read() < str(other)

    def __gt__(self, other: Any) -> bool:
        return self._read() > str(other)

    def __hash__(self) -> int:
        return hash(self._read())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._read(), name)


class _LazyPlural(LazyText):
    """A lazy text whose number is among the values that are put into it."""

    __slots__ = ("_choose", "_name")

    def __init__(self, choose: Callable[[int], str], name: str) -> None:
        super().__init__(lambda: choose(0))
        self._choose = choose
        self._name = name

    def __mod__(self, values: Any) -> LazyText:
        def read() -> str:
            by_name = cast("Mapping[str, Any]", values) if isinstance(values, Mapping) else {self._name: values}
            return str(self._choose(by_name[self._name]) % values)

        return LazyText(read)


def gettext_lazy(message: str) -> LazyText:
    """Return a text that is `gettext(message)` whenever it is read."""
    return LazyText(lambda: gettext(message))


def pgettext_lazy(context: str, message: str) -> LazyText:
    """Return a text that is `pgettext(context, message)` whenever it is read."""
    return LazyText(lambda: pgettext(context, message))


def ngettext_lazy(singular: str, plural: str, number: int | str) -> LazyText:
    """Return a text that is `ngettext(singular, plural, number)` whenever it is read.

    Args:
        number: The number; or its name among the values, as in `… % {"limit": 3}`.
    """
    if isinstance(number, str):
        return _LazyPlural(lambda n: ngettext(singular, plural, n), number)
    return LazyText(lambda: ngettext(singular, plural, number))


def npgettext_lazy(context: str, singular: str, plural: str, number: int | str) -> LazyText:
    """Return a text that is `npgettext(context, singular, plural, number)` whenever it is read."""
    if isinstance(number, str):
        return _LazyPlural(lambda n: npgettext(context, singular, plural, n), number)
    return LazyText(lambda: npgettext(context, singular, plural, number))


def capitalized(text: Any) -> Any:
    """Return a text with a capital letter at its beginning, lazy if it was."""
    if isinstance(text, LazyText):
        return LazyText(lambda: capitalized(str(text)))
    return text[:1].upper() + text[1:]
