"""`python -m benchmarks.orm`: what a query costs beside the raw driver, and beside the peers.

Holds: the rows, one module per contestant, the program that measures them in turns.
Imports: the peers, each in its own module.
Never: times an answer it has not checked.
"""
