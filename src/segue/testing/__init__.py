"""Tests of an app without a server, and with one.

Holds: the clients, the three in-process transports, assertions, unittest classes, the pytest plugin.
Imports: the floors below; the command line and servers only in what runs them.
Never: is imported by anything but `App` and the command line.
"""

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
    "assert_redirects",
    "assert_template_not_used",
    "assert_template_used",
    "live_server",
    "request_context",
]
