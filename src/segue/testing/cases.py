"""Base classes for `unittest`, in both colours."""

from __future__ import annotations

import unittest
from typing import TYPE_CHECKING, Any

from ..mail import MAIL
from .assertions import (
    assert_contains,
    assert_not_contains,
    assert_problem,
    assert_redirects,
    assert_template_not_used,
    assert_template_used,
)
from .client import AsyncClient, Client
from .responses import TestResponse

if TYPE_CHECKING:
    from ..app import App

__all__ = ["AsyncSegueTestCase", "SegueTestCase"]


class _Assertions:
    """What both classes share; the assertions are the functions of this package."""

    app: App

    @staticmethod
    def assert_contains(response: TestResponse, text: str, *, count: int | None = None, status: int = 200) -> None:
        """Check the status, and that the body has *text*, *count* times if it is given."""
        __tracebackhide__ = True
        assert_contains(response, text, count=count, status=status)

    @staticmethod
    def assert_not_contains(response: TestResponse, text: str, *, status: int = 200) -> None:
        """Check the status, and that the body has *text* nowhere."""
        __tracebackhide__ = True
        assert_not_contains(response, text, status=status)

    @staticmethod
    def assert_redirects(response: TestResponse, target: str, *, status: int | None = None) -> None:
        """Check that *response* leads to *target*, by 302 or 303 unless *status* is given."""
        __tracebackhide__ = True
        assert_redirects(response, target, status=status)

    @staticmethod
    def assert_template_not_used(response: TestResponse, name: str) -> None:
        """Check that the handler did not render the template *name*."""
        __tracebackhide__ = True
        assert_template_not_used(response, name)

    @staticmethod
    def assert_template_used(response: TestResponse, name: str) -> None:
        """Check that the handler rendered the template *name*."""
        __tracebackhide__ = True
        assert_template_used(response, name)

    @staticmethod
    def assert_problem(
        response: TestResponse, *, code: str | None = None, status: int | None = None, pointer: str | None = None
    ) -> dict[str, Any]:
        """Check that *response* is a problem document, and return it."""
        __tracebackhide__ = True
        return assert_problem(response, code=code, status=status, pointer=pointer)

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

    app: App
    client: Client

    def setUp(self) -> None:
        """Make the app current; call it first where you override it."""
        super().setUp()
        self.app = self.make_app()
        self.client = self.app.test_client()
        self.enterContext(self.app.context()).get(MAIL).outbox.clear()


class AsyncSegueTestCase(_Assertions, unittest.IsolatedAsyncioTestCase):
    """As `SegueTestCase`, for `async def` tests: its client is awaited."""

    app: App
    client: AsyncClient

    def setUp(self) -> None:
        """Make the app current; call it first where you override it."""
        super().setUp()
        self.app = self.make_app()
        self.client = self.app.async_client()
        self.enterContext(self.app.context()).get(MAIL).outbox.clear()
