"""Tests of an app without a server.

Holds: the clients, the three in-process transports, assertions, the pytest plugin.
Imports: the floors below, never a server.
Never: is imported by anything but `App` and the command line.
"""

from .client import AsyncClient, Client, TestResponse, request_context

__all__ = ["AsyncClient", "Client", "TestResponse", "request_context"]
