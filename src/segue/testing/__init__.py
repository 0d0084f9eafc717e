"""Tests of an app without a server, and with one.

Holds: the clients, the three in-process transports, assertions, unittest classes, the pytest plugin.
Imports: the floors below; the command line and servers only in what runs them.
Never: is imported by anything but `App` and the command line.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .assertions import (
        assert_contains,
        assert_not_contains,
        assert_problem,
        assert_redirects,
        assert_template_not_used,
        assert_template_used,
    )
    from .cases import AsyncSegueTestCase, SegueTestCase
    from .client import AsyncClient, Client, TestResponse, request_context
    from .commands import CliRunner
    from .database import assert_queries, capture_on_commit
    from .factory import RequestFactory
    from .live import LiveServer, live_server
    from .streaming import AsyncStreamedResponse, StreamedResponse

__all__ = [
    "AsyncClient",
    "AsyncSegueTestCase",
    "AsyncStreamedResponse",
    "CliRunner",
    "Client",
    "LiveServer",
    "RequestFactory",
    "SegueTestCase",
    "StreamedResponse",
    "TestResponse",
    "assert_contains",
    "assert_not_contains",
    "assert_problem",
    "assert_queries",
    "assert_redirects",
    "assert_template_not_used",
    "assert_template_used",
    "capture_on_commit",
    "live_server",
    "request_context",
]

# Resolved at their first use: the pytest plugin stands in this package, and must load none of it.
_WHERE = {
    **dict.fromkeys(("AsyncClient", "Client", "TestResponse", "request_context"), "client"),
    **dict.fromkeys(("AsyncSegueTestCase", "SegueTestCase"), "cases"),
    **dict.fromkeys(("AsyncStreamedResponse", "StreamedResponse"), "streaming"),
    **dict.fromkeys(("LiveServer", "live_server"), "live"),
    **dict.fromkeys([name for name in __all__ if name.startswith("assert_")], "assertions"),
    **dict.fromkeys(("assert_queries", "capture_on_commit"), "database"),
    "CliRunner": "commands",
    "RequestFactory": "factory",
}


def __getattr__(name: str) -> Any:
    where = _WHERE.get(name)
    if where is None:
        raise AttributeError(f"segue.testing has no {name!r}.")
    value = getattr(import_module(f"{__name__}.{where}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
