"""What is done with models: each operation once, for both colours.

Holds: generators that yield steps: saving, deleting, bulk changes, loading relations.
Imports: queries, plans, steps.
Never: runs a step itself, or knows which colour does.
"""

from __future__ import annotations
