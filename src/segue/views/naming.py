"""What a view of a model is called by: its model, its templates, its names.

Holds: how a view finds its model and the default names of its templates.
Imports: nothing of the data layer; a model is known by its `_meta`.
Never: reads a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["listed", "model_of", "names_of_templates"]


def model_of(view: Any, obj: Any) -> Any:
    """Return the model of a view: its own, that of its queryset or its form, else that of *obj*."""
    if view.model is not None:
        return view.model
    form = getattr(getattr(view, "form_class", None), "_meta", None)
    for holder in (view.queryset, form):
        model = getattr(holder, "model", None)
        if model is not None:
            return model
    kind: Any = obj.__class__
    return kind if hasattr(kind, "_meta") else None


def names_of_templates(models: Iterable[Any], suffix: str) -> list[str]:
    """Return the default names of templates, `<label>/<model><suffix>.html`, of what is a model."""
    return list(dict.fromkeys(_name(model, suffix) for model in models if hasattr(model, "_meta")))


def _name(model: Any, suffix: str) -> str:
    options = model._meta
    folder = f"{options.app_label}/" if options.app_label else ""
    return f"{folder}{options.model_name}{suffix}.html"


def listed(names: Iterable[str]) -> str:
    """Return names for a message."""
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"
