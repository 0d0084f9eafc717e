"""What a model is: its options, its constraints, its class.

Holds: `Options` (a model's `_meta`), constraints and indexes, `Model`.
Imports: fields, expressions, and for `Model` the querysets.
Never: opens a connection when a class is defined.
"""

from __future__ import annotations
