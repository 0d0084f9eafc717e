"""Widgets made of others.

Holds: `MultiWidget`, `SplitDateTimeWidget`, `SplitHiddenDateTimeWidget`, `SelectDateWidget`.
Imports: `base`, `inputs`, `choosing`.
Never: joins values; the field does, but for a day, whose parts are no values by themselves.
"""

# What is sent, and what it becomes, is of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar

from ..media import Media
from ..rendering import RENDERER
from .base import Widget, value_in
from .choosing import Select
from .inputs import DateInput, TimeInput

__all__ = ["MultiWidget", "SelectDateWidget", "SplitDateTimeWidget", "SplitHiddenDateTimeWidget"]


class MultiWidget(Widget):
    """Several widgets for one value; a subclass says in `decompress` how they share it.

    Args:
        widgets: Widgets; in a mapping, with the end of each one's name.
    """

    template_name = "segue/forms/widgets/multiwidget.html"
    use_fieldset = True

    def __init__(self, widgets: Sequence[Any] | Mapping[str, Any], attrs: Mapping[str, Any] | None = None) -> None:
        if isinstance(widgets, Mapping):
            self.widgets_names: list[str] = [f"_{name}" if name else "" for name in widgets]
            given: list[Any] = list(widgets.values())
        else:
            self.widgets_names = [f"_{at}" for at in range(len(widgets))]
            given = list(widgets)
        self.widgets: list[Widget] = [each() if isinstance(each, type) else each for each in given]
        super().__init__(attrs)

    @property
    def is_hidden(self) -> bool:
        return all(each.is_hidden for each in self.widgets)

    def clone(self) -> Widget:
        twin = super().clone()
        twin.__dict__["widgets"] = [each.clone() for each in self.widgets]
        return twin

    @property
    def media(self) -> Media:
        return sum((each.media for each in self.widgets), super().media)

    def decompress(self, value: Any) -> list[Any]:
        """Return the value of each widget, for one value of all."""
        from ...errors import UsageError

        raise UsageError(
            f"{type(self).__name__} does not say how its widgets share a value.",
            code="forms/decompress",
            hint="def decompress(self, value):\n    return [value.x, value.y] if value else [None, None]",
        )

    def get_context(self, name: str, value: Any, attrs: Mapping[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        given = value if isinstance(value, list | tuple) else self.decompress(value)
        values: list[Any] = list(given)
        shared = context["widget"]["attrs"]
        kept = {name: each for name, each in shared.items() if name != "id"}
        context["widget"]["subwidgets"] = [
            widget.get_context(
                name + ending,
                values[at] if at < len(values) else None,
                {**kept, "id": f"{shared['id']}_{at}"} if "id" in shared else kept,
            )["widget"]
            for at, (ending, widget) in enumerate(zip(self.widgets_names, self.widgets, strict=True))
        ]
        return context

    def format_value(self, value: Any) -> Any:
        return value

    def render(self, name: str, value: Any, attrs: Mapping[str, Any] | None = None, renderer: Any = None) -> Any:
        context = self.get_context(name, value, attrs)
        chosen = renderer or RENDERER
        context["parts"] = [chosen.render(each["template_name"], {"widget": each}) for each in _parts_of(context)]
        return chosen.render(self.template_name, context)

    def subwidgets(self, name: str, value: Any, attrs: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        yield from _parts_of(self.get_context(name, value, attrs))

    def id_for_label(self, id_: str) -> str:
        return ""

    def value_from_datadict(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> Any:
        return [
            widget.value_from_datadict(data, files, name + ending)
            for ending, widget in zip(self.widgets_names, self.widgets, strict=True)
        ]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> bool:
        return all(
            widget.value_omitted_from_data(data, files, name + ending)
            for ending, widget in zip(self.widgets_names, self.widgets, strict=True)
        )


def _parts_of(context: dict[str, Any]) -> list[dict[str, Any]]:
    return list(context["widget"]["subwidgets"])


class SplitDateTimeWidget(MultiWidget):
    """A day and a time of day, each in its own element."""

    supports_microseconds = False

    def __init__(
        self,
        attrs: Mapping[str, Any] | None = None,
        *,
        date_format: str | None = None,
        time_format: str | None = None,
        date_attrs: Mapping[str, Any] | None = None,
        time_attrs: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            [
                DateInput({"aria-label": "Date", **(date_attrs or {})}, format=date_format),
                TimeInput({"aria-label": "Time", **(time_attrs or {})}, format=time_format),
            ],
            attrs,
        )

    def decompress(self, value: Any) -> list[Any]:
        return [value.date(), value.time()] if isinstance(value, datetime) else [None, None]


class SplitHiddenDateTimeWidget(SplitDateTimeWidget):
    """The same, where nobody sees it."""

    def __init__(self, attrs: Mapping[str, Any] | None = None) -> None:
        super().__init__(attrs)
        for each in self.widgets:
            each.input_type = "hidden"
            each.attrs.clear()


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


class SelectDateWidget(Widget):
    """A day as three lists.

    Args:
        years: Those to choose from; from this year ten years on unless given.
        months: The name of each month, by its number.
        empty_label: What stands for no choice: one text, or three for year, month and day.
    """

    template_name = "segue/forms/widgets/select_date.html"
    use_fieldset = True
    parts: ClassVar[tuple[str, ...]] = ("month", "day", "year")

    def __init__(
        self,
        attrs: Mapping[str, Any] | None = None,
        *,
        years: Sequence[int] | None = None,
        months: Mapping[int, str] | None = None,
        empty_label: str | Sequence[str] = "---",
    ) -> None:
        super().__init__(attrs)
        this_year = date.today().year  # only where the list begins
        self.years: list[int] = list(years if years is not None else range(this_year, this_year + 10))
        self.months: dict[int, str] = dict(months or enumerate(_MONTHS, 1))
        labels = [empty_label] * 3 if isinstance(empty_label, str) else list(empty_label)
        self.empty_labels: dict[str, str] = dict(zip(("year", "month", "day"), labels, strict=True))

    def format_value(self, value: Any) -> dict[str, Any]:
        if isinstance(value, date):
            return {"year": value.year, "month": value.month, "day": value.day}
        pieces = str(value).split("-") if value and len(str(value)) <= 32 else []
        if len(pieces) != 3:
            return {"year": None, "month": None, "day": None}
        numbers = [int(each) if each.isascii() and each.isdigit() else None for each in pieces]
        return dict(zip(("year", "month", "day"), numbers, strict=True))

    def get_context(self, name: str, value: Any, attrs: Mapping[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = context["widget"]["value"]
        shared = context["widget"]["attrs"]
        pairs: dict[str, list[tuple[Any, Any]]] = {
            "year": [(each, each) for each in self.years],
            "month": list(self.months.items()),
            "day": [(each, each) for each in range(1, 32)],
        }
        subwidgets: list[dict[str, Any]] = []
        for part in self.parts:
            choices = pairs[part] if self.is_required else [("", self.empty_labels[part]), *pairs[part]]
            own = {**shared, "aria-label": part.title()}
            if "id" in shared:
                own["id"] = f"{shared['id']}_{part}"
            if self.is_required:
                own.pop("required", None)
            subwidgets.append(Select(choices=choices).get_context(f"{name}_{part}", chosen[part], own)["widget"])
        context["widget"]["subwidgets"] = subwidgets
        return context

    def render(self, name: str, value: Any, attrs: Mapping[str, Any] | None = None, renderer: Any = None) -> Any:
        context = self.get_context(name, value, attrs)
        chosen = renderer or RENDERER
        context["parts"] = [chosen.render(each["template_name"], {"widget": each}) for each in _parts_of(context)]
        return chosen.render(self.template_name, context)

    def id_for_label(self, id_: str) -> str:
        return ""

    def value_from_datadict(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> Any:
        found = [value_in(data, f"{name}_{part}") for part in ("year", "month", "day")]
        if found == [None, None, None]:
            return value_in(data, name)
        if all(each is None or each == "" for each in found):
            return None
        return "-".join(str(each or "0")[:32] for each in found)

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> bool:
        return not any(f"{name}_{part}" in data for part in self.parts) and name not in data
