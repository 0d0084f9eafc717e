"""Header fields: the request's, read-only, and the response's, checked on the way in.

The servers underneath drop or pass on bad response headers without a word, so
every name and value is checked here, the one place through which they all go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar, NoReturn

from ..errors import SegueError, did_you_mean

__all__ = ["BadHeader", "HeaderBlock", "Headers", "RequestHeaders", "check_header"]

# RFC 9110 §5.1: a name is a token. §5.5: a value holds visible characters,
# spaces and tabs; obs-text (0x80-0xFF) is refused, since only ASGI carries it.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z").match
_BAD_VALUE = re.compile(r"[^\t\x20-\x7e]").search


class BadHeader(SegueError, ValueError):
    """A response header that no server may send."""

    code = "http/bad-header"


class RequestHeaders(Mapping[str, str]):
    """The header fields of a request: case-insensitive, read-only, repeated ones joined.

    `get` and `[]` join repeated fields by a comma (RFC 9110 §5.3); `getlist`
    keeps them apart. Names with an underscore were dropped at the door.
    """

    __slots__ = ("_joined", "_pairs")

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs
        joined: dict[str, list[str]] = {}
        for name, value in pairs:
            joined.setdefault(name, []).append(value)
        # One join per name: repeated fields of any number stay linear.
        self._joined = {
            name: values[0] if len(values) == 1 else ("; " if name == "cookie" else ", ").join(values)
            for name, values in joined.items()
        }

    def __getitem__(self, name: str) -> str:
        return self._joined[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._joined)

    def __len__(self) -> int:
        return len(self._joined)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._joined

    def __repr__(self) -> str:
        return f"<RequestHeaders {', '.join(self._joined)}>"  # names only: values hold secrets

    def getlist(self, name: str) -> list[str]:
        """Return every value sent under *name*, in order."""
        name = name.lower()
        return [value for key, value in self._pairs if key == name]

    def multi_items(self) -> list[tuple[str, str]]:
        """Return every field as it was sent, names in lower case."""
        return list(self._pairs)


def check_header(name: str, value: object) -> tuple[str, str]:
    """Return the pair as it may be sent, the name in lower case.

    Raises:
        BadHeader: Not a token, or a value with a control or non-ASCII character.
    """
    text = value if isinstance(value, str) else str(value)
    if not _NAME(name):
        _refuse(name, text, "the name is not a token (letters, digits, -)")
    if _BAD_VALUE(text):
        _refuse(name, text, "the value holds a control or non-ASCII character")
    return name.lower(), text.strip(" \t")


def _refuse(name: str, value: str, why: str) -> NoReturn:
    raise BadHeader(
        f"The header {name[:40]!r} cannot be sent: {why}.",
        why="A line break in a header would let its author write further headers (RFC 9110 §5.5).",
        hint="Remove or percent-encode the character; for a file name use content_disposition().",
    )


class Headers:
    """The header fields of a response: case-insensitive, multi-value, checked.

    >>> headers = Headers({"X-One": "1"})
    >>> headers.add("Vary", "Cookie")
    >>> headers["vary"], len(headers)
    ('Cookie', 2)
    """

    __slots__ = ("pairs",)

    def __init__(self, fields: Mapping[str, object] | Iterable[tuple[str, object]] = ()) -> None:
        items: Iterable[tuple[str, object]] = fields.items() if isinstance(fields, Mapping) else fields  # pyright: ignore[reportAssignmentType, reportUnknownVariableType]  # a mapping is not one of pairs
        self.pairs: list[tuple[str, str]] = [check_header(name, value) for name, value in items]

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(f"No header {name!r} is set. {did_you_mean(name, [key for key, _ in self.pairs])}")
        return value

    def __setitem__(self, name: str, value: object) -> None:
        pair = check_header(name, value)
        self.pairs = [kept for kept in self.pairs if kept[0] != pair[0]]
        self.pairs.append(pair)

    def __delitem__(self, name: str) -> None:
        self.pairs = [kept for kept in self.pairs if kept[0] != name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(key == name.lower() for key, _ in self.pairs)

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self.pairs))

    def __len__(self) -> int:
        return len(self.pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and sorted(self.pairs) == sorted(other.pairs)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"Headers({self.pairs!r})"

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of *name*, else *default*."""
        name = name.lower()
        for key, value in self.pairs:
            if key == name:
                return value
        return default

    def getlist(self, name: str) -> list[str]:
        """Return every value of *name*, in order."""
        name = name.lower()
        return [value for key, value in self.pairs if key == name]

    def add(self, name: str, value: object) -> None:
        """Add a field beside those of the same name."""
        self.pairs.append(check_header(name, value))

    def setdefault(self, name: str, value: object) -> str:
        """Set *name* unless it is there; return what stands then."""
        found = self.get(name)
        if found is None:
            self.add(name, value)
            return str(value)
        return found

    def update(self, fields: Mapping[str, object]) -> None:
        """Set every field of *fields*, replacing those of the same names."""
        for name, value in fields.items():
            self[name] = value

    def pop(self, name: str, default: str | None = None) -> str | None:
        """Remove *name* and return its first value, else *default*."""
        found = self.get(name, default)
        del self[name]
        return found

    def items(self) -> list[tuple[str, str]]:
        """Return every field in order, names in lower case."""
        return list(self.pairs)

    def vary(self, *names: str) -> None:
        """Add *names* to `Vary`, each once (RFC 9110 §12.5.5)."""
        present = [part.strip() for value in self.getlist("vary") for part in value.split(",")]
        known = {part.lower() for part in present}
        added = [name for name in names if name.lower() not in known]
        if added:
            self["vary"] = ", ".join(filter(None, [*present, *added]))


class HeaderBlock:
    """Header fields that never change, made once in the forms that servers take.

    Attributes:
        text: Pairs of `str`, for RSGI and WSGI.
        raw: Pairs of `bytes`, for ASGI.
        names: The names, to see which of them a response sets itself.
    """

    __slots__ = ("names", "raw", "text")

    def __init__(self, fields: Mapping[str, object] | Iterable[tuple[str, object]] = ()) -> None:
        self.text: list[tuple[str, str]] = Headers(fields).pairs
        self.raw: list[tuple[bytes, bytes]] = [
            (name.encode("ascii"), value.encode("ascii")) for name, value in self.text
        ]
        self.names: frozenset[str] = frozenset(name for name, _ in self.text)

    def __repr__(self) -> str:
        return f"HeaderBlock({self.text!r})"

    def under(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return *pairs*, then those of this block that *pairs* does not set."""
        names = self.names
        for name, _ in pairs:
            if name in names:
                own = {key for key, _ in pairs}
                return pairs + [field for field in self.text if field[0] not in own]
        return pairs + self.text

    def raw_under(self, pairs: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
        """Return what `under` does, as bytes; the block's own fields are not encoded again."""
        names = self.names
        own = [(name.encode("ascii"), value.encode("ascii")) for name, value in pairs]
        for name, _ in pairs:
            if name in names:
                taken = {key for key, _ in own}
                return own + [field for field in self.raw if field[0] not in taken]
        return own + self.raw
