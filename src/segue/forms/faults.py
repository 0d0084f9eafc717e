"""What is wrong with a form, by field, as people and programs read it.

Holds: `ErrorList`, `ErrorDict`.
Imports: floor 0, `rendering`.
Never: repeats a value that was sent, unless the message does.
"""

# What is sent, and what it becomes, is of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, overload

from markupsafe import Markup, escape

from ..errors import NON_FIELD_ERRORS, Fault, ValidationError
from .rendering import RENDERER

__all__ = ["ErrorDict", "ErrorList"]


class ErrorList(Sequence[str]):
    """The faults of one field, or of the whole form; as a sequence, their messages.

    Attributes:
        faults: The faults themselves.
        error_class: The class of the list in HTML.
        error_id: Its id there, which the field's element names.
    """

    template_name: str = "segue/forms/errors.html"

    def __init__(
        self, faults: Iterable[Any] = (), *, error_class: str = "", error_id: str = "", renderer: Any = None
    ) -> None:
        self.faults: list[Fault] = ValidationError(faults).faults
        self.error_class: str = f"errorlist {error_class}".strip()
        self.error_id = error_id
        self.renderer: Any = renderer or RENDERER

    def __repr__(self) -> str:
        return repr(list(self))

    def __len__(self) -> int:
        return len(self.faults)

    def __iter__(self) -> Iterator[str]:
        return (fault.message for fault in self.faults)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: Any) -> Any:
        return [fault.message for fault in self.faults][index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # it grows

    def extend(self, faults: Iterable[Any]) -> None:
        """Add faults, or what they are made of."""
        self.faults.extend(ValidationError(faults).faults)

    def append(self, fault: Any) -> None:
        """Add one fault, or what it is made of."""
        self.extend([fault])

    def as_data(self) -> list[Fault]:
        """Return the faults."""
        return self.faults

    def get_json_data(self, *, escape_html: bool = False) -> list[dict[str, str]]:
        """Return message and code of each, as JSON can hold them."""
        return [
            {"message": str(escape(each.message)) if escape_html else each.message, "code": each.code}
            for each in self.faults
        ]

    def as_json(self, *, escape_html: bool = False) -> str:
        """Return the same as a text."""
        return json.dumps(self.get_json_data(escape_html=escape_html), ensure_ascii=False)

    def as_ul(self) -> Markup:
        """Return the list as HTML; nothing where nothing is wrong."""
        if not self.faults:
            return Markup("")
        made: Markup = self.renderer.render(self.template_name, {"errors": self})
        return made

    render = as_ul
    __html__ = as_ul

    def as_text(self) -> str:
        """Return the messages, each on a line that begins with a star."""
        return "\n".join(f"* {message}" for message in self)

    def __str__(self) -> str:
        return str(self.as_ul())


class ErrorDict(dict[str, ErrorList]):
    """The faults of a form by field; what concerns no field stands under `NON_FIELD_ERRORS`."""

    def as_data(self) -> dict[str, list[Fault]]:
        """Return the faults by field."""
        return {name: each.as_data() for name, each in self.items()}

    def get_json_data(self, *, escape_html: bool = False) -> dict[str, list[dict[str, str]]]:
        """Return message and code of each, by field, as JSON can hold them."""
        return {name: each.get_json_data(escape_html=escape_html) for name, each in self.items()}

    def as_json(self, *, escape_html: bool = False) -> str:
        """Return the same as a text."""
        return json.dumps(self.get_json_data(escape_html=escape_html), ensure_ascii=False)

    def as_ul(self) -> Markup:
        """Return all of it as HTML, each field's own list under its name."""
        if not self:
            return Markup("")
        items = Markup("").join(Markup("<li>{}{}</li>").format(name, each) for name, each in self.items())
        return Markup('<ul class="errorlist">{}</ul>').format(items)

    __html__ = as_ul

    def as_text(self) -> str:
        """Return the messages as text, below the names of their fields."""
        return "\n".join(f"* {name}\n" + "\n".join(f"  * {message}" for message in each) for name, each in self.items())

    def __str__(self) -> str:
        return str(self.as_ul())

    def faults(self) -> list[Fault]:
        """Return every fault in the one shape of Segue: its path begins with the field's name."""
        return [
            Fault((*(() if name == NON_FIELD_ERRORS else (name,)), *each.path), each.code, each.message, each.params)
            for name, errors in self.items()
            for each in errors.faults
        ]
