"""The only code that knows a driver and writes SQL by hand.

Holds: one module for each database: connecting, running statements in both colours, transactions,
what errors mean; and the contract that they keep.
Imports: floor 0, the errors and steps of this package; a driver when its database is first used.
Never: knows a model, a query, a pool or the running transaction.
"""

from .choosing import driver_of
from .contract import Answer, AsyncConnection, Connection, Driver

__all__ = ["Answer", "AsyncConnection", "Connection", "Driver", "driver_of"]
