"""Templates: one Jinja2 environment per app, with Segue's rules.

Holds: `Templates`, folders, blocks, bound methods, undefined names, processors, filters, checks.
Imports: floor 0, Jinja2 and MarkupSafe; loading this package loads Jinja2.
Never: knows an app, a request or a model; what is theirs is passed in.
"""

from __future__ import annotations

from .faults import (
    BlockNotFound,
    TemplateNotFound,
    TemplateSyntaxError,
    TooMuchOutput,
    UndefinedName,
)
from .filters import FILTERS
from .folders import Folder, own_folders
from .templates import Templates

__all__ = [
    "FILTERS",
    "BlockNotFound",
    "Folder",
    "TemplateNotFound",
    "TemplateSyntaxError",
    "Templates",
    "TooMuchOutput",
    "UndefinedName",
    "own_folders",
]
