"""What `segue check --security` reads: the code of the project, never Segue's own.

Holds: `find_unsafe_html`, `find_formatted_sql`, `files_of`, and the reader that both use.
Imports: the app's registries, modules that are loaded.
Never: runs or imports what it reads.
"""

from __future__ import annotations

from .html import find_unsafe_html
from .sql import files_of, find_formatted_sql

__all__ = ["files_of", "find_formatted_sql", "find_unsafe_html"]
