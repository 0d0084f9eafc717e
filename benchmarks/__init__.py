"""Measurements of Segue beside its peers; every claim of speed is a ratio made here in one run.

Holds: one program a question, the load they share, and the servers they start.
Imports: the standard library at the top; Segue and its peers only where they are measured.
Never: is imported by the package or by its tests.
"""

__all__: list[str] = []
