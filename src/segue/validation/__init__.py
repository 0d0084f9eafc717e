"""What a client sent, read as what an annotation says; and results, as what they declare.

Holds: readers of scalars, lists, objects and bodies; the walk that finds every fault;
the encoder of declared results.
Imports: floor 0 and msgspec.
Never: knows a request, a route or a parameter's source.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .coercion import MISSING, decimal_limits
    from .declared import result_encoder
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

_WHERE = {"MISSING": "coercion", "decimal_limits": "coercion", "result_encoder": "declared"}


def __getattr__(name: str) -> Any:
    # An app whose handlers take nothing and declare nothing loads none of it.
    if name not in __all__:
        raise AttributeError(f"segue.validation has no {name!r}")
    value = getattr(import_module(f"{__name__}.{_WHERE.get(name, 'readers')}"), name)
    globals()[name] = value
    return value
