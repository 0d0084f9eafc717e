"""What every widget is.

Holds: `Widget`, `Attributes`, and how a value is taken out of what was sent.
Imports: `media`, `rendering`, MarkupSafe.
Never: checks a value; a field does.
"""

# What is sent, and what it becomes, is of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from markupsafe import Markup, escape

from ..media import Media, media_of
from ..rendering import RENDERER

__all__ = ["Attributes", "Widget", "value_in", "values_in"]


class Attributes(dict[str, Any]):
    """The attributes of an element: `True` stands alone, `False` and `None` not at all.

    >>> print(f"<p{Attributes(id='a', hidden=True, title=None).__html__()}>")
    <p id="a" hidden>
    """

    def __html__(self) -> Markup:
        pieces: list[str] = []
        for name, value in self.items():
            if value is True:
                pieces.append(f" {escape(name)}")
            elif value is not None and value is not False:
                pieces.append(f' {escape(name)}="{escape(value)}"')
        return Markup("".join(pieces))

    def __str__(self) -> str:
        return str(self.__html__())


def values_in(data: Mapping[str, Any], name: str) -> list[Any]:
    """Return every value of *name* in a form that was sent, or in a plain mapping."""
    getlist = getattr(data, "getlist", None)
    if getlist is not None:
        return getlist(name)  # type: ignore[no-any-return]  # of any mapping
    value = data.get(name)
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value is None else [value]


def value_in(data: Mapping[str, Any], name: str) -> Any:
    """Return the value of *name*; the list of all where several came, which a field of one value refuses."""
    getlist = getattr(data, "getlist", None)
    if getlist is None:
        return data.get(name)
    values: list[Any] = getlist(name)
    return values[0] if len(values) == 1 else values or None


class Widget:
    """The element, or elements, by which a value is shown and sent.

    Args:
        attrs: Attributes of the element.

    Attributes:
        template_name: Its template; a project's own file of that name goes first.
        needs_multipart_form: Whether it sends a file.
        use_fieldset: Whether it is several elements, which a legend names and no label can.
        multiline: Whether its value may have several lines.
    """

    template_name: str = ""
    needs_multipart_form: ClassVar[bool] = False
    use_fieldset: bool = False
    multiline: ClassVar[bool] = False
    is_localized: bool = False
    is_required: bool = False
    supports_microseconds: bool = True
    input_type: str | None = None
    # What the element has where nobody says otherwise.
    default_attrs: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, attrs: Mapping[str, Any] | None = None) -> None:
        self.attrs: dict[str, Any] = {**self.default_attrs, **(attrs or {})}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def clone(self) -> Widget:
        """Return a copy that can be changed for one form."""
        kind = type(self)
        # PERF: a fifth of what copy.copy() takes, for each field of each form.
        twin = kind.__new__(kind)
        twin.__dict__.update(self.__dict__)
        twin.attrs = self.attrs.copy()
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Widget:
        return self.clone()

    @property
    def is_hidden(self) -> bool:
        """Whether nobody sees it."""
        return self.input_type == "hidden"

    @property
    def media(self) -> Media:
        """The files it needs."""
        return media_of(type(self))

    # Showing

    def format_value(self, value: Any) -> Any:
        """Return *value* as the element holds it; `None` where it holds nothing."""
        return None if value is None or value == "" else str(value)

    def build_attrs(self, base: Mapping[str, Any], extra: Mapping[str, Any] | None = None) -> Attributes:
        """Return the attributes of the element."""
        return Attributes(base, **(extra or {}))

    def get_context(self, name: str, value: Any, attrs: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return what the template sees: the dictionary `widget`."""
        return {
            "widget": {
                "name": name,
                "is_hidden": self.is_hidden,
                "required": self.is_required,
                "value": self.format_value(value),
                "attrs": self.build_attrs(self.attrs, attrs),
                "template_name": self.template_name,
                "type": self.input_type,
            }
        }

    def render(self, name: str, value: Any, attrs: Mapping[str, Any] | None = None, renderer: Any = None) -> Markup:
        """Return the HTML of the element."""
        made: Markup = (renderer or RENDERER).render(self.template_name, self.get_context(name, value, attrs))
        return made

    def subwidgets(self, name: str, value: Any, attrs: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Return the context of each element it consists of."""
        yield self.get_context(name, value, attrs)["widget"]

    def id_for_label(self, id_: str) -> str:
        """Return the id of the element that a label names; empty where none is."""
        return id_

    def use_required_attribute(self, initial: Any) -> bool:
        """Whether a browser may insist on a value."""
        return not self.is_hidden

    # Taking

    def value_from_datadict(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> Any:
        """Return what was sent for it, as it was sent; `None` where nothing was."""
        return value_in(data, name)

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> bool:
        """Whether nothing at all was sent for it, so that a default may stand."""
        return name not in data
