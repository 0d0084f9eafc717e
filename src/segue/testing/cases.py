"""Base classes for `unittest`, in both colours."""

from __future__ import annotations

import unittest
from typing import TYPE_CHECKING, Any

from .assertions import (
    assert_contains,
    assert_not_contains,
    assert_problem,
    assert_redirects,
    assert_template_not_used,
    assert_template_used,
)
from .client import AsyncClient, Client

if TYPE_CHECKING:
    from ..app import App

__all__ = ["AsyncSegueTestCase", "SegueTestCase"]


class _Assertions:
    """What both classes share; the assertions are the functions of this package."""

    app: App

    assert_contains = staticmethod(assert_contains)
    assert_not_contains = staticmethod(assert_not_contains)
    assert_problem = staticmethod(assert_problem)
    assert_redirects = staticmethod(assert_redirects)
    assert_template_not_used = staticmethod(assert_template_not_used)
    assert_template_used = staticmethod(assert_template_used)

    def make_app(self) -> App:
        """Return the app to test: the class attribute `app`, else the project's. Override it freely."""
        own: App | None = getattr(type(self), "app", None)
        if own is not None:
            return own
        from .project import project_app

        return project_app()

    def override_config(self, **values: Any) -> None:
        """Change the configuration until the end of the test, whether it passes or not."""
        self.enterContext(self.app.override_config(**values))  # type: ignore[attr-defined]  # unittest's


class SegueTestCase(_Assertions, unittest.TestCase):
    """A test case with an app that is current during each test, and a client of it.

    Attributes:
        app: The app; set it on the class, or override `make_app`.
        client: A new client for each test.
    """

    client: Client

    def setUp(self) -> None:
        """Make the app current; call it first where you override it."""
        super().setUp()
        self.app = self.make_app()
        self.client = self.app.test_client()
        self.enterContext(self.app.context())


class AsyncSegueTestCase(_Assertions, unittest.IsolatedAsyncioTestCase):
    """As `SegueTestCase`, for `async def` tests: its client is awaited."""

    client: AsyncClient

    def setUp(self) -> None:
        """Make the app current; call it first where you override it."""
        super().setUp()
        self.app = self.make_app()
        self.client = self.app.async_client()
        self.enterContext(self.app.context())
