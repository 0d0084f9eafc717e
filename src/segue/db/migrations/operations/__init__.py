"""What a migration does.

Holds: one class for each operation: its effect on the state, its statements both ways, its source.
Imports: states, transitions, the editor.
Never: runs anything itself.
"""

from __future__ import annotations

from .base import Context, Operation, OperationError
from .code import RunBatches, RunPython, RunSQL, StateOnly
from .columns import AddColumn, AlterColumn, DropColumn, RetireColumn
from .parts import AddConstraint, AddIndex, DropConstraint, DropIndex, RenameIndex
from .tables import AlterTable, CreateTable, DropTable, RenameTable, RetireTable

__all__ = [
    "AddColumn",
    "AddConstraint",
    "AddIndex",
    "AlterColumn",
    "AlterTable",
    "Context",
    "CreateTable",
    "DropColumn",
    "DropConstraint",
    "DropIndex",
    "DropTable",
    "Operation",
    "OperationError",
    "RenameIndex",
    "RenameTable",
    "RetireColumn",
    "RetireTable",
    "RunBatches",
    "RunPython",
    "RunSQL",
    "StateOnly",
]
