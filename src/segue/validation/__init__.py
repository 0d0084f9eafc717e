"""What a client sent, read as what an annotation says; and results, as what they declare.

Holds: readers of scalars, lists, objects and bodies; the walk that finds every fault;
the encoder of declared results.
Imports: floor 0 and msgspec.
Never: knows a request, a route or a parameter's source.
"""

from typing import TYPE_CHECKING, Any

from .coercion import MISSING, decimal_limits
from .readers import (
    BodyReader,
    Files,
    Invalid,
    body_reader,
    is_scalar,
    list_reader,
    scalar_reader,
    struct_reader,
)

if TYPE_CHECKING:
    from .declared import result_encoder

__all__ = [
    "MISSING",
    "BodyReader",
    "Files",
    "Invalid",
    "body_reader",
    "decimal_limits",
    "is_scalar",
    "list_reader",
    "result_encoder",
    "scalar_reader",
    "struct_reader",
]


def __getattr__(name: str) -> Any:
    # An app that declares no results does not load what encodes them.
    if name == "result_encoder":
        from .declared import result_encoder

        return result_encoder
    raise AttributeError(f"segue.validation has no {name!r}")
