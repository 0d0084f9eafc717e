"""A field of one form, with what was sent for it.

Holds: `BoundField`, and `BoundWidget`, one element of it.
Imports: widgets, faults, MarkupSafe.
Never: checks a value; shows one in `repr`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from ..context import lazy
from .faults import ErrorList
from .rendering import RENDERER
from .widgets import Textarea, TextInput, Widget

if TYPE_CHECKING:
    from .fields.base import Field
    from .form import Form

__all__ = ["BoundField", "BoundWidget"]


class BoundField:
    """What `form["name"]` is: the field, its value, its errors, its HTML.

    Attributes:
        form: The form.
        field: The field, a copy for this form.
        name: Its name in the form.
        html_name: The same with the form's prefix.
    """

    def __init__(self, form: Form, field: Field, name: str) -> None:
        self.form = form
        self.field = field
        self.name = name
        self.html_name: str = form.add_prefix(name)
        self.help_text: Any = field.help_text

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} of {type(self.form).__name__}>"

    # Values

    @property
    def data(self) -> Any:
        """What was sent, as it was sent; `None` where nothing was."""
        return self.form.sent_for(self.field.widget, self.html_name)

    @property
    def initial(self) -> Any:
        """What it starts with: the form's, else the field's; a function is called once for each form."""
        kept = self.form.initial_values
        if self.name not in kept:
            kept[self.name] = self.form.get_initial_for_field(self.field, self.name)
        return kept[self.name]

    def value(self) -> Any:
        """Return what the element shows."""
        value = self.initial
        if self.form.is_bound:
            value = self.field.bound_data(self.data, value)
        return self.field.prepare_value(value)

    @property
    def errors(self) -> ErrorList:
        """What is wrong with it; empty where nothing is."""
        found = self.form.errors.get(self.name)
        return found if found is not None else self.form.error_list(self.name)

    def has_changed(self) -> bool:
        """Whether what was sent differs from what it started with."""
        field = self.field
        if field.show_hidden_initial:
            hidden = self.form.sent_for(field.hidden_widget(), self.html_initial_name)
            try:
                initial = field.to_python(hidden)
            except ValueError:
                return True  # what stood there was changed by hand
        else:
            initial = self.initial
        return field.has_changed(initial, self.data)

    # Names. PERF: checking a form asks for none of the lazy ones, which was a quarter of its time.

    @lazy
    def html_initial_name(self) -> str:
        """The name under which it sends what it started with."""
        return self.form.add_initial_prefix(self.name)

    @lazy
    def html_initial_id(self) -> str:
        """The id of the element that sends what it started with."""
        return self.form.add_initial_prefix(self.auto_id)

    @lazy
    def label(self) -> Any:
        """What people read beside it: the field's, else one made of its name."""
        return self.field.label if self.field.label is not None else pretty_name(self.name)

    @property
    def auto_id(self) -> str:
        """The id that the form's `auto_id` gives it; empty where it gives none."""
        given = self.form.auto_id
        if isinstance(given, str) and "%s" in given:
            return given % self.html_name
        return self.html_name if given else ""

    @property
    def id_for_label(self) -> str:
        """The id that its label names."""
        widget = self.field.widget
        return str(widget.id_for_label(widget.attrs.get("id") or self.auto_id))

    @property
    def is_hidden(self) -> bool:
        """Whether nobody sees it."""
        return bool(self.field.widget.is_hidden)

    @property
    def use_fieldset(self) -> bool:
        """Whether it is several elements, which a legend names."""
        return bool(self.field.widget.use_fieldset)

    @property
    def widget_type(self) -> str:
        """The widget's class in lower case, without `widget` and `input`."""
        return type(self.field.widget).__name__.lower().removesuffix("widget").removesuffix("input")

    @property
    def template_name(self) -> str:
        """The template of label, help, errors and element together."""
        return self.field.template_name or self.form.template_name_field

    def css_classes(self, extra: str | Iterable[str] = "") -> str:
        """Return the classes of the element around it: required or not, with errors or not."""
        found = extra.split() if isinstance(extra, str) else list(extra)
        form = self.form
        if self.errors and form.error_css_class:
            found.append(form.error_css_class)
        if self.field.required and form.required_css_class:
            found.append(form.required_css_class)
        return " ".join(dict.fromkeys(found))

    # HTML

    def __html__(self) -> Markup:
        if self.field.show_hidden_initial:
            return self.as_widget() + self.as_hidden(only_initial=True)
        return self.as_widget()

    def __str__(self) -> str:
        return str(self.__html__())

    def as_widget(
        self, widget: Widget | None = None, attrs: Mapping[str, Any] | None = None, *, only_initial: bool = False
    ) -> Markup:
        """Return the element alone.

        Args:
            widget: Another than the field's.
            attrs: Attributes for it.
            only_initial: Show what it started with, under the name of that.
        """
        chosen = widget or self.field.widget
        chosen.is_localized = self.field.localize
        own = self._attributes(chosen, dict(attrs or {}))
        if only_initial:
            own["id"] = self.html_initial_id
            return chosen.render(self.html_initial_name, self.initial, own, renderer=self.form.renderer)
        return chosen.render(self.html_name, self.value(), own, renderer=self.form.renderer)

    def _attributes(self, widget: Widget, attrs: dict[str, Any]) -> dict[str, Any]:
        own = widget.attrs
        if "id" not in own and self.auto_id:
            attrs.setdefault("id", self.auto_id)
        field = self.field
        if field.required and self.form.use_required_attribute and widget.use_required_attribute(self.initial):
            attrs["required"] = True
        if field.disabled:
            attrs["disabled"] = True
        if widget.is_hidden:
            return attrs
        # Of a fieldset the fieldset itself is described, once.
        if "aria-describedby" not in own and not widget.use_fieldset:
            described = self.aria_describedby
            if described:
                attrs.setdefault("aria-describedby", described)
        if self.form.is_bound and self.errors and "aria-invalid" not in own:
            attrs["aria-invalid"] = "true"
        return attrs

    @property
    def aria_describedby(self) -> str:
        """The ids of its help and its errors, as `aria-describedby` takes them; empty where there is neither."""
        id_ = self.auto_id
        if not id_ or self.is_hidden:
            return ""
        found = [f"{id_}_helptext"] if self.help_text else []
        if self.form.is_bound and self.errors:
            found.append(f"{id_}_error")
        return " ".join(found)

    def as_hidden(self, attrs: Mapping[str, Any] | None = None, *, only_initial: bool = False) -> Markup:
        """Return it as an element that nobody sees."""
        return self.as_widget(self.field.hidden_widget(), attrs, only_initial=only_initial)

    def as_text(self, attrs: Mapping[str, Any] | None = None) -> Markup:
        """Return it as a line of text."""
        return self.as_widget(TextInput(), attrs)

    def as_textarea(self, attrs: Mapping[str, Any] | None = None) -> Markup:
        """Return it as text of several lines."""
        return self.as_widget(Textarea(), attrs)

    def label_tag(
        self,
        contents: Any = None,
        attrs: Mapping[str, Any] | None = None,
        label_suffix: str | None = None,
        tag: str = "label",
    ) -> Markup:
        """Return the label.

        Args:
            contents: Other words than the field's label.
            attrs: Attributes of the element.
            label_suffix: Other than the form's `:`.
        """
        text = escape(self.label if contents is None else contents)
        suffix = next(
            (each for each in (label_suffix, self.field.label_suffix, self.form.label_suffix) if each is not None), ""
        )
        if suffix and text and text[-1] not in ":?.!":
            text += escape(suffix)
        own = dict(attrs or {})
        if tag == "label" and self.id_for_label:
            own.setdefault("for", self.id_for_label)
        classes = self.form.required_css_class if self.field.required else ""
        if classes:
            own["class"] = f"{own.get('class', '')} {classes}".strip()
        made: Markup = self.form.renderer.render(
            self.form.template_name_label, {"field": self, "label": text, "attrs": own, "tag": tag}
        )
        return made

    def legend_tag(
        self, contents: Any = None, attrs: Mapping[str, Any] | None = None, label_suffix: str | None = None
    ) -> Markup:
        """Return the legend of its fieldset."""
        return self.label_tag(contents, attrs, label_suffix, tag="legend")

    def as_field_group(self) -> Markup:
        """Return label, help, errors and element together."""
        made: Markup = self.form.renderer.render(self.template_name, {"field": self})
        return made

    render = as_field_group

    # Its elements

    @property
    def subwidgets(self) -> list[BoundWidget]:
        """Its elements, one by one: the buttons of a group."""
        widget = self.field.widget
        id_ = widget.attrs.get("id") or self.auto_id
        attrs = self._attributes(widget, {"id": id_} if id_ else {})
        return [
            BoundWidget(widget, each, self.form.renderer)
            for each in widget.subwidgets(self.html_name, self.value(), attrs)
        ]

    def __iter__(self) -> Iterator[BoundWidget]:
        return iter(self.subwidgets)

    def __len__(self) -> int:
        return len(self.subwidgets)

    def __bool__(self) -> bool:
        return True  # whatever the number of its elements

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, int | slice):
            raise TypeError(index)  # the protocol of a sequence: a template asks for names too
        return self.subwidgets[index]


class BoundWidget:
    """One element of a field: `{% for radio in form.size %}{{ radio }}{% endfor %}`.

    Attributes:
        data: What its template sees.
    """

    def __init__(self, parent: Widget, data: dict[str, Any], renderer: Any = None) -> None:
        self.parent_widget = parent
        self.data = data
        self.renderer: Any = renderer or RENDERER

    def __repr__(self) -> str:
        return f"<BoundWidget {self.data.get('name')}>"

    def tag(self) -> Markup:
        """Return its HTML, with its own label where it has one."""
        made: Markup = self.renderer.render(self.data["template_name"], {"widget": self.data})
        return made

    __html__ = tag

    def __str__(self) -> str:
        return str(self.tag())

    @property
    def choice_label(self) -> Any:
        """What people read."""
        return self.data.get("label", "")

    @property
    def id_for_label(self) -> str:
        """The id of the element."""
        return str(self.data["attrs"].get("id", ""))


def pretty_name(name: str) -> str:
    """Return a name for people: `first_name` is `First name`."""
    return name.replace("_", " ")[:1].upper() + name.replace("_", " ")[1:]


def without_microseconds(value: Any) -> Any:
    """Return a time as an element shows it that knows no microseconds."""
    return value.replace(microsecond=0) if isinstance(value, datetime | time) else value
