"""CORE-91: the base classes for unittest, in both colours."""

from __future__ import annotations

import unittest
from typing import Any

import pytest

from segue import App, current_app
from segue.testing import AsyncSegueTestCase, SegueTestCase

seen: list[Any] = []


def make() -> App:
    """An app that tells its configuration."""
    app = App("cased", static_folder=None, template_folder=None)
    app.get("/")(lambda: {"limit": app.config["MAX_FILES"], "debug": app.debug})
    return app


class Plain(SegueTestCase):
    app = make()

    def test_the_client_calls_the_app(self) -> None:
        self.assert_contains(self.client.get("/"), '"limit":100')
        seen.append(current_app() is type(self).app)

    def test_a_failing_assertion_fails_the_test(self) -> None:
        self.assert_redirects(self.client.get("/"), "/elsewhere")

    def test_an_override_fails_in_the_end(self) -> None:
        self.override_config(MAX_FILES=1)
        seen.append(self.client.get("/").json["limit"])
        self.fail("on purpose")


class Awaited(AsyncSegueTestCase):
    def make_app(self) -> App:
        return make()

    async def test_the_client_is_awaited(self) -> None:
        answer = await self.client.get("/")
        seen.append((answer.json["limit"], current_app() is self.app))

    async def test_a_failing_assertion_fails_the_test(self) -> None:
        self.assert_problem(await self.client.get("/"), code="x")


# Run by the tests below, never collected by themselves.
Plain.__test__ = Awaited.__test__ = False  # type: ignore[attr-defined]


def run(case: type[unittest.TestCase], name: str) -> unittest.TestResult:
    """Run one method of *case*."""
    seen.clear()
    result = unittest.TestResult()
    case(name).run(result)
    return result


def test_a_case_has_a_client_and_its_app_is_current() -> None:
    result = run(Plain, "test_the_client_calls_the_app")

    assert result.wasSuccessful()
    assert seen == [True]


def test_an_async_case_has_a_client_and_its_app_is_current() -> None:
    result = run(Awaited, "test_the_client_is_awaited")

    assert result.wasSuccessful()
    assert seen == [(100, True)]


@pytest.mark.parametrize("case", [Plain, Awaited])
def test_a_failing_assertion_is_a_failure_and_no_error(case: type[unittest.TestCase]) -> None:
    result = run(case, "test_a_failing_assertion_fails_the_test")

    assert (len(result.failures), len(result.errors)) == (1, 0)


def test_an_override_is_undone_after_a_failing_test() -> None:
    result = run(Plain, "test_an_override_fails_in_the_end")

    assert len(result.failures) == 1
    assert seen == [1]
    assert Plain.app.test_client().get("/").json["limit"] == 100
    assert Plain.app.config["MAX_FILES"] == 100
