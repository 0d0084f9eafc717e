"""Values by name, where a name may have several: query parameters, form fields, files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar, overload

from ..errors import BadRequest, cut, nearest

__all__ = ["MissingField", "MultiDict"]

T = TypeVar("T")
D = TypeVar("D")


class MissingField(BadRequest, KeyError):
    """400: a handler read a field that the client did not send. Also a `KeyError`.

    Attributes:
        name: The field that was asked for.
        sent: The names that came.
    """

    code = "http/missing-field"

    def __init__(self, name: str, sent: Iterable[str] = (), **options: Any) -> None:
        super().__init__(f"The field {cut(name)} is missing.", **options)
        self.name = name
        self.sent: tuple[str, ...] = tuple(sent)

    @property
    def hint(self) -> str:
        """What was sent, nearest names first."""
        if not self.sent:
            return "Nothing was sent. `.get(name)` returns None instead of this error."
        close = nearest(self.name, self.sent)
        names = close or self.sent[:10]
        rest = "" if close or len(self.sent) <= 10 else ", …"
        return f"Sent: {', '.join(map(cut, names))}{rest}. `.get(name)` returns None instead of this error."


class MultiDict(Mapping[str, T], Generic[T]):
    """An immutable mapping that keeps every value of a name; `[]` gives the first.

    >>> found = MultiDict([("tag", "jazz"), ("tag", "live"), ("page", "2")])
    >>> found["tag"], found.getlist("tag"), len(found)
    ('jazz', ['jazz', 'live'], 2)
    """

    __slots__ = ("_first", "_pairs")

    def __init__(self, pairs: Iterable[tuple[str, T]] = ()) -> None:
        self._pairs: list[tuple[str, T]] = pairs if isinstance(pairs, list) else list(pairs)
        first: dict[str, T] = dict(self._pairs)
        if len(first) != len(self._pairs):
            # dict() kept the last of each name; the first is meant.
            first.clear()
            for name, value in self._pairs:
                first.setdefault(name, value)
        self._first = first

    def __getitem__(self, name: str) -> T:
        try:
            return self._first[name]
        except KeyError:
            raise MissingField(name, self._first) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __len__(self) -> int:
        return len(self._first)

    def __contains__(self, name: object) -> bool:
        return name in self._first

    def __eq__(self, other: object) -> bool:
        if isinstance(other, MultiDict):
            return bool(self._pairs == other._pairs)  # pyright: ignore[reportUnknownMemberType]  # any T
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]  # its values may be unhashable, as a dict's

    def __repr__(self) -> str:
        return f"<MultiDict {', '.join(map(cut, self._first))}>"  # names only: values hold passwords

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._pairs,)

    @overload
    def get(self, name: str, default: None = None, /) -> T | None: ...
    @overload
    def get(self, name: str, default: T | D, /) -> T | D: ...
    def get(self, name: str, default: Any = None, /) -> Any:
        """Return the first value of *name*, else *default*."""
        return self._first.get(name, default)

    def getlist(self, name: str) -> list[T]:
        """Return every value of *name*, in the order sent; empty if there is none."""
        if len(self._first) == len(self._pairs):
            # PERF: no name came twice, so a form of many fields is not searched for each of them.
            return [self._first[name]] if name in self._first else []
        return [value for key, value in self._pairs if key == name]

    def multi_items(self) -> list[tuple[str, T]]:
        """Return every pair, in the order sent."""
        return list(self._pairs)

    def to_dict(self) -> dict[str, T]:
        """Build a dictionary of each name's first value."""
        return dict(self._first)
