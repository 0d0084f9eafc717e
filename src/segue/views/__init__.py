"""Class-based views: pages from classes, under Django's names.

Holds: `View`, `MethodView`, the views of a template, a redirect, an object, a list.
Imports: the app's shortcuts, the data layer where a view reads it.
Never: is needed: a function answers as well, and what a class adds is said by its attributes.
"""

from __future__ import annotations

from .base import MethodView, View
from .dates import (
    ArchiveIndexView,
    DateDetailView,
    DateListMixin,
    DayArchiveView,
    MonthArchiveView,
    TodayArchiveView,
    WeekArchiveView,
    YearArchiveView,
)
from .details import DetailView, SingleObjectMixin
from .editing import (
    CreateView,
    DeleteView,
    DeletionMixin,
    FormMixin,
    FormView,
    ModelFormMixin,
    UpdateView,
)
from .listing import ListView, MultipleObjectMixin
from .pages import ContextMixin, RedirectView, TemplateResponseMixin, TemplateView
from .wizard import WizardView

__all__ = [
    "ArchiveIndexView",
    "ContextMixin",
    "CreateView",
    "DateDetailView",
    "DateListMixin",
    "DayArchiveView",
    "DeleteView",
    "DeletionMixin",
    "DetailView",
    "FormMixin",
    "FormView",
    "ListView",
    "MethodView",
    "ModelFormMixin",
    "MonthArchiveView",
    "MultipleObjectMixin",
    "RedirectView",
    "SingleObjectMixin",
    "TemplateResponseMixin",
    "TemplateView",
    "TodayArchiveView",
    "UpdateView",
    "View",
    "WeekArchiveView",
    "WizardView",
    "YearArchiveView",
]
