"""From a queryset's calls to a plan.

Holds: look-ups and transforms, conditions, the immutable `Query`, its compiler, plans.
Imports: fields, expressions, SQLAlchemy's compiler.
Never: talks to a database.
"""

from __future__ import annotations
