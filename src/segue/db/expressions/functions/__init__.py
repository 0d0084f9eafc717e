"""Functions of the database, under Django's names.

Holds: text, date, math, comparison and window functions, JSON objects.
Imports: the parts of `base`.
Never: pastes a user's word into SQL; what is chosen comes from a fixed set.
"""

from __future__ import annotations

from .comparison import Cast, Coalesce, Greatest, Least, NullIf

__all__ = ["Cast", "Coalesce", "Greatest", "Least", "NullIf"]
