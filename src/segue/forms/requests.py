"""What a request gives to a form: its body, and who sends it.

Holds: `data_of`, `user_of`, `running_request`.
Imports: floor 0 and the errors of HTTP.
Never: reads a body; the pipeline has done that.
"""

# What is sent, and what it becomes, is of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..colours import Operation, either
from ..context import find_current
from ..errors import BadRequest, UnsupportedMediaType, UsageError

__all__ = ["data_of", "running_request", "user_of"]

_WRITES = frozenset({"POST", "PUT", "PATCH"})
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", ""})


def data_of(request: Any) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """Return fields and files of a request that writes; `None` twice for another.

    Raises:
        UnsupportedMediaType: The body is neither a form nor JSON.
        BadRequest: The JSON is no object.
    """
    if request.method not in _WRITES:
        return None, None
    kind = request.content_type
    if kind.is_json:
        found = request.json
        if not isinstance(found, dict):
            raise BadRequest("A JSON object is needed: a value for each field.", code="http/bad-json")
        return found, {}
    if kind.mime not in _FORMS and request.body:
        raise UnsupportedMediaType(
            f"A body of the type {kind.mime} is not read here; send a form or JSON.",
            code="http/unsupported-media-type",
        )
    return request.form, request.files


def running_request() -> Any:
    """Return the request that is being answered, or `None`."""
    context = find_current()
    if context is None or getattr(context, "endpoint", None) is None:
        return None
    try:
        return context.request
    except UsageError:  # a command, or a block of app.context()
        return None


def user_of(request: Any) -> Operation[Any]:
    """Return who makes a request; `None` where there is none, or nobody is known by it."""
    found = request if request is not None else running_request()
    if found is None:
        return None
    return (yield from either(_user, _auser, found))


def _user(request: Any) -> Any:
    return getattr(request, "user", None)


async def _auser(request: Any) -> Any:
    load = getattr(request, "auser", None)
    return await load() if load is not None else getattr(request, "user", None)
