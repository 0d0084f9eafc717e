"""Who may do what, said once and asked in SQL.

Holds: `policy`, which declares a rule; `can`, `acan`, `explain`, which ask; what querysets ask.
Imports: queries and conditions of this package, floor 0.
Never: knows what a user is: any object, `None` for nobody.
"""

from __future__ import annotations

from .asking import Can, acan, ascoped, can, scoped
from .declaring import policy
from .explaining import Clause, Explanation, aexplain, explain
from .rules import STRICT_POLICIES, Rule, has_policy, rules_of

__all__ = [
    "STRICT_POLICIES",
    "Can",
    "Clause",
    "Explanation",
    "Rule",
    "acan",
    "aexplain",
    "ascoped",
    "can",
    "explain",
    "has_policy",
    "policy",
    "rules_of",
    "scoped",
]
