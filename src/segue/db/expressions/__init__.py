"""What a query may compute.

Holds: `F`, `Q`, values, functions, aggregates, conditions, windows, subqueries.
Imports: SQLAlchemy's expression language, `shapes`, `naming`.
Never: knows a model, a queryset or a database; a compiler passes them in.
"""

from __future__ import annotations

from .aggregates import Aggregate, Avg, Count, Max, Min, StdDev, StringAgg, Sum, Variance
from .base import Combinable, Compiling, Expression, F, Func, OrderBy, Raw, Value
from .conditional import Case, When
from .functions import Cast, Coalesce
from .q import Q
from .subqueries import Exists, OuterRef, Subquery
from .windows import Window

__all__ = [
    "Aggregate",
    "Avg",
    "Case",
    "Cast",
    "Coalesce",
    "Combinable",
    "Compiling",
    "Count",
    "Exists",
    "Expression",
    "F",
    "Func",
    "Max",
    "Min",
    "OrderBy",
    "OuterRef",
    "Q",
    "Raw",
    "StdDev",
    "StringAgg",
    "Subquery",
    "Sum",
    "Value",
    "Variance",
    "When",
    "Window",
]
