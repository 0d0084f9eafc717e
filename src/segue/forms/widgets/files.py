"""Widgets of files.

Holds: `FileInput`, `ClearableFileInput`.
Imports: `base`, `inputs`.
Never: reads a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from .base import values_in
from .inputs import CheckboxInput, Input

__all__ = ["CLEAR", "CONTRADICTION", "ClearableFileInput", "FileInput"]

# What is taken for a file that is to go, and for one that is to go though another was sent.
CLEAR = False
CONTRADICTION = object()


class FileInput(Input):
    """A file to send; with `allow_multiple_selected` in a subclass, several."""

    input_type: str | None = "file"
    needs_multipart_form = True
    allow_multiple_selected: ClassVar[bool] = False

    def __init__(self, attrs: Mapping[str, Any] | None = None) -> None:
        super().__init__(attrs)
        if self.allow_multiple_selected:
            self.attrs.setdefault("multiple", True)

    def format_value(self, value: Any) -> Any:
        # A browser takes no file from a page.
        return None

    def value_from_datadict(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> Any:
        sent = values_in(files, name)
        if self.allow_multiple_selected:
            return sent
        return sent[0] if len(sent) == 1 else sent or None

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> bool:
        return name not in files

    def use_required_attribute(self, initial: Any) -> bool:
        # What is stored already need not be sent again.
        return super().use_required_attribute(initial) and not initial


class ClearableFileInput(FileInput):
    """A file to send, beside the one that is stored and a box that takes it away."""

    template_name = "segue/forms/widgets/clearable_file.html"
    initial_text: ClassVar[str] = "Currently"
    input_text: ClassVar[str] = "Change"
    clear_checkbox_label: ClassVar[str] = "Clear"

    def clear_checkbox_name(self, name: str) -> str:
        """Return the name of the box."""
        return f"{name}-clear"

    def get_context(self, name: str, value: Any, attrs: Mapping[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        widget = context["widget"]
        stored = value if value and not hasattr(value, "raw_filename") else None
        box = self.clear_checkbox_name(name)
        widget |= {
            "is_initial": stored is not None,
            "stored": stored,
            "url": getattr(stored, "url", None),
            "checkbox_name": box,
            "checkbox_id": f"{box}_id",
            "initial_text": self.initial_text,
            "input_text": self.input_text,
            "clear_checkbox_label": self.clear_checkbox_label,
        }
        return context

    def value_from_datadict(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> Any:
        sent = super().value_from_datadict(data, files, name)
        box = CheckboxInput().value_from_datadict(data, files, self.clear_checkbox_name(name))
        if self.is_required or not box:
            return sent
        return CONTRADICTION if sent else CLEAR

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> bool:
        return super().value_omitted_from_data(data, files, name) and self.clear_checkbox_name(name) not in data
