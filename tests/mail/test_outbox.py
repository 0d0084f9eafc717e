"""OPERATE-14: what one test sends, the next one does not see."""

from __future__ import annotations

import unittest

import pytest

from segue import App, mail
from segue.testing import AsyncSegueTestCase, SegueTestCase

pytest_plugins = ["pytester"]
APP = App("tests_outbox", static_folder=None, template_folder=None)


class Sends(SegueTestCase):
    app = APP

    def runTest(self) -> None:
        mail.send_mail("a", "b", None, ["to@example.com"])
        assert len(mail.outbox) == 1


class SendsAsync(AsyncSegueTestCase):
    app = APP

    async def test_sends(self) -> None:
        await mail.asend_mail("a", "b", None, ["to@example.com"])
        assert len(mail.outbox) == 1


@pytest.mark.parametrize("case", [lambda: Sends(), lambda: SendsAsync("test_sends")], ids=["def", "async def"])
def test_a_test_case_begins_with_an_empty_outbox(case: type[unittest.TestCase]) -> None:
    first, second = unittest.TestResult(), unittest.TestResult()

    case().run(first)  # type: ignore[call-arg]
    case().run(second)  # type: ignore[call-arg]

    assert (first.wasSuccessful(), second.wasSuccessful()) == (True, True)


def test_a_test_with_the_fixture_begins_with_an_empty_outbox(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        app="from segue import App\napp = App(__name__, static_folder=None, template_folder=None)",
        test_mails="""
        from segue import mail
        import pytest

        @pytest.mark.parametrize("number", [1, 2])
        def test_sends(segue_app, number):
            mail.send_mail("a", "b", None, ["to@example.com"])
            assert len(mail.outbox) == 1
        """,
    )

    result = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:xdist", "-o", "segue_app=app:app")

    result.assert_outcomes(passed=2)
