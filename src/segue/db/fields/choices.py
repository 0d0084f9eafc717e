"""Values that a field may have, with their labels.

Holds: `Choices`, `TextChoices`, `IntegerChoices`.
Imports: the standard library and this package's errors.
Never: knows a field.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from ..errors import ModelError

__all__ = ["Choices", "ChoicesType", "IntegerChoices", "TextChoices"]


class ChoicesType(enum.EnumMeta):
    """What a class of choices answers as a whole.

    A metaclass, since a property of an Enum's class can be made in no other way that type checkers see.
    """

    @property
    def choices(cls) -> list[tuple[Any, str]]:
        """Pairs of value and label."""
        members: Any = cls  # Any: a metaclass does not know the members of its classes
        pairs: list[tuple[Any, str]] = [(member.value, member.label) for member in members]
        empty: Any = getattr(cls, "__empty__", None)
        return pairs if empty is None else [(None, str(empty)), *pairs]

    @property
    def labels(cls) -> list[str]:
        """The labels."""
        return [label for _, label in cls.choices]

    @property
    def values(cls) -> list[Any]:
        """The values."""
        return [value for value, _ in cls.choices]

    @property
    def names(cls) -> list[str]:
        """The names of the members."""
        found = list(cls.__members__)
        return found if getattr(cls, "__empty__", None) is None else ["__empty__", *found]


class Choices(enum.Enum, metaclass=ChoicesType):
    """An Enum whose members have labels; mix it with the type of the values.

    A member is `NAME = value, "Label"`; without a label the name is it, in words. A label for
    no value is `__empty__ = "(unknown)"`.
    """

    def __new__(cls, *given: Any) -> Any:
        """Make a member of a value and perhaps a label."""
        label: Any = None
        parts = list(given)
        if len(parts) > 1 and isinstance(parts[-1], str):
            label = parts.pop()
        kind: Any = getattr(cls, "_member_type_")  # noqa: B009  # of every Enum class, and of no stub
        member: Any = kind.__new__(cls, *(() if kind is object else parts))
        if kind is object:
            member._value_ = parts[0] if len(parts) == 1 else tuple(parts)
        else:
            member._value_ = kind(*parts)
        member._label = label
        return member

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        twice = [name for name, member in cls.__members__.items() if name != member.name]
        if twice:
            raise ModelError(
                f"{cls.__name__}.{twice[0]} has the value of {cls[twice[0]].name}.",
                code="data/field-option",
                why="A row could not tell which of the two it has.",
                hint="Give each member a value of its own.",
            )

    def __str__(self) -> str:
        return str(self.value)

    @property
    def label(self) -> str:
        """What people are shown."""
        label: Any = self.__dict__.get("_label")
        return str(label) if label is not None else self.name.replace("_", " ").title()


class TextChoices(str, Choices):
    """Choices of text.

    >>> class Medium(TextChoices):
    ...     VINYL = "v", "Vinyl record"
    ...     TAPE = "t"
    >>> Medium.choices
    [('v', 'Vinyl record'), ('t', 'Tape')]
    >>> Medium("v").label
    'Vinyl record'
    """

    if TYPE_CHECKING:

        @property
        def value(self) -> str: ...

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[Any]) -> str:
        return name


class IntegerChoices(int, Choices):
    """Choices of whole numbers."""

    if TYPE_CHECKING:

        @property
        def value(self) -> int: ...
