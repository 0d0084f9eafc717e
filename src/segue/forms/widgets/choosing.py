"""Widgets that choose among values.

Holds: selections, radio buttons, groups of boxes.
Imports: `base`.
Never: decides whether a value is one of the choices.
"""

# What is sent, and what it becomes, is of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from .base import Attributes, Widget, value_in, values_in

__all__ = [
    "CheckboxSelectMultiple",
    "ChoiceWidget",
    "NullBooleanSelect",
    "RadioSelect",
    "Select",
    "SelectMultiple",
    "choice_text",
    "grouped",
]


def choice_text(value: Any) -> str:
    """Return the text by which a choice is sent; of an Enum's member its value, of none nothing."""
    if value is None:
        return ""
    return str(getattr(value, "value", value))


def grouped(choices: Iterable[Any]) -> Iterator[tuple[str | None, list[tuple[Any, Any]]]]:
    """Return the choices with the group each stands in; `None` where it stands in none."""
    for value, label in choices:
        if isinstance(label, list | tuple):
            yield str(value), list(label)
        elif isinstance(label, Mapping):
            yield str(value), list(label.items())
        else:
            yield None, [(value, label)]


class ChoiceWidget(Widget):
    """What chooses among `choices`: pairs of value and label, or of a group's name and its pairs."""

    allow_multiple_selected: ClassVar[bool] = False
    checked_attribute: ClassVar[Mapping[str, Any]] = {"checked": True}
    option_inherits_attrs: ClassVar[bool] = True
    # Whether each option has an id of its own.
    add_id_index: ClassVar[bool] = True
    option_template_name: ClassVar[str] = ""

    def __init__(self, attrs: Mapping[str, Any] | None = None, *, choices: Iterable[Any] = ()) -> None:
        super().__init__(attrs)
        self.choices: Iterable[Any] = choices

    def clone(self) -> Widget:
        twin = super().clone()
        if isinstance(self.choices, list):
            twin.__dict__["choices"] = list(self.choices)
        return twin

    def format_value(self, value: Any) -> list[str]:
        """Return the texts of what is chosen."""
        if value is None and self.allow_multiple_selected:
            return []
        if not isinstance(value, list | tuple | set | frozenset):
            value = [value]
        return [choice_text(each) for each in tuple[Any, ...](value)]

    def optgroups(self, name: str, value: list[str], attrs: Mapping[str, Any] | None = None) -> list[Any]:
        """Return the groups: a name or `None`, the options, the number of the first."""
        chosen = frozenset(value)
        groups: list[Any] = []
        found = False
        for number, (label, pairs) in enumerate(grouped(self.choices)):
            options: list[dict[str, Any]] = []
            for at, (each, text) in enumerate(pairs):
                is_chosen = choice_text(each) in chosen and (not found or self.allow_multiple_selected)
                found = found or is_chosen
                options.append(
                    self.create_option(
                        name, each, text, selected=is_chosen, index=number, subindex=at if label else None, attrs=attrs
                    )
                )
            groups.append((label, options, number))
        return groups

    def create_option(
        self,
        name: str,
        value: Any,
        label: Any,
        *,
        selected: bool,
        index: int,
        subindex: int | None = None,
        attrs: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return what the template sees of one option; the place to add attributes to some."""
        number = str(index) if subindex is None else f"{index}_{subindex}"
        made = Attributes(self.build_attrs(self.attrs, attrs) if self.option_inherits_attrs else {})
        if selected:
            made.update(self.checked_attribute)
        if "id" in made:
            made["id"] = self.id_for_label(made["id"], number)
        return {
            "name": name,
            "value": choice_text(value),
            "label": label,
            "selected": selected,
            "index": number,
            "attrs": made,
            "type": self.input_type,
            "template_name": self.option_template_name,
        }

    def options(self, name: str, value: Any, attrs: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Return every option, in order."""
        for _, options, _ in self.optgroups(name, self.format_value(value), attrs):
            yield from options

    def subwidgets(self, name: str, value: Any, attrs: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        return self.options(name, value, attrs)

    def get_context(self, name: str, value: Any, attrs: Mapping[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["optgroups"] = self.optgroups(name, context["widget"]["value"], attrs)
        return context

    def id_for_label(self, id_: str, index: str = "0") -> str:
        """Return the id of one option."""
        return f"{id_}_{index}" if id_ and self.add_id_index else id_

    def value_from_datadict(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> Any:
        return (values_in if self.allow_multiple_selected else value_in)(data, name)


class Select(ChoiceWidget):
    """A list that opens."""

    input_type: str | None = "select"
    template_name = "segue/forms/widgets/select.html"
    option_template_name = "segue/forms/widgets/select_option.html"
    checked_attribute: ClassVar[Mapping[str, Any]] = {"selected": True}
    option_inherits_attrs = False
    add_id_index = False

    def get_context(self, name: str, value: Any, attrs: Mapping[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        if self.allow_multiple_selected:
            context["widget"]["attrs"]["multiple"] = True
        return context

    def use_required_attribute(self, initial: Any) -> bool:
        # HTML wants the first choice of a required list to be empty.
        if self.allow_multiple_selected:
            return True
        first = next(iter(self.choices), None)
        return first is not None and not isinstance(first[1], list | tuple) and choice_text(first[0]) == ""


class NullBooleanSelect(Select):
    """A list of yes, no and unknown."""

    def __init__(self, attrs: Mapping[str, Any] | None = None) -> None:
        super().__init__(attrs, choices=[("unknown", "Unknown"), ("true", "Yes"), ("false", "No")])

    def format_value(self, value: Any) -> list[str]:
        return [_WORDS.get(value, "unknown") if isinstance(value, bool | str) else "unknown"]

    def value_from_datadict(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> Any:
        value = value_in(data, name)
        word = _WORDS.get(value) if isinstance(value, bool | str) else None
        return {"true": True, "false": False}.get(word or "", value if isinstance(value, list) else None)


_WORDS: dict[bool | str, str] = {
    True: "true", False: "false", "true": "true", "false": "false", "True": "true", "False": "false",
    "2": "true", "3": "false",
}  # fmt: skip


class SelectMultiple(Select):
    """A list of which several are chosen."""

    allow_multiple_selected = True

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> bool:
        # A browser sends nothing where nothing is chosen.
        return False


class RadioSelect(ChoiceWidget):
    """Buttons of which one is chosen, in a fieldset."""

    input_type: str | None = "radio"
    template_name = "segue/forms/widgets/options.html"
    option_template_name = "segue/forms/widgets/option.html"
    use_fieldset = True

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        # A label for the whole group would tick its first button.
        return "" if index is None else super().id_for_label(id_, index)


class CheckboxSelectMultiple(RadioSelect):
    """Boxes of which several are ticked, in a fieldset."""

    input_type: str | None = "checkbox"
    allow_multiple_selected = True

    def use_required_attribute(self, initial: Any) -> bool:
        # A browser would insist on every box.
        return False

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> bool:
        return False
