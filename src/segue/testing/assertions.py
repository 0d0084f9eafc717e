"""Assertions about answers; each says what there was instead.

They are plain functions that raise `AssertionError`, for pytest, unittest and anything else.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

from ..errors import cut
from .responses import TestResponse

__all__ = [
    "assert_contains",
    "assert_not_contains",
    "assert_problem",
    "assert_redirects",
    "assert_template_not_used",
    "assert_template_used",
]

_PROBLEM = "application/problem+json"


def assert_redirects(response: TestResponse, target: str, *, status: int | None = None) -> None:
    """Check that *response* leads to *target*, or was led there by `follow_redirects`.

    Args:
        target: A path with its query, or a whole address.
        status: Of the (first) redirect; by default 302 or 303.
    """
    __tracebackhide__ = True
    first = response.history[0] if response.history else response
    wanted = (302, 303) if status is None else (status,)
    if first.status_code not in wanted:
        expected = " or ".join(map(str, wanted))
        raise AssertionError(
            f"{_path(first.url)} answered {first.status_code}, not a redirect ({expected}). {_start(first)}"
        )
    reached = response.url if response.history else urljoin(first.url, first.location)
    if reached != urljoin(first.url, target):
        raise AssertionError(f"{_path(first.url)} leads to {_near(reached, first.url)}, not to {target}.")


def assert_template_used(response: TestResponse, name: str) -> None:
    """Check that the handler rendered the template *name*; those that it extends do not count."""
    __tracebackhide__ = True
    if name not in response.templates:
        raise AssertionError(f"{_path(response.url)} did not render {name}. It rendered {_names(response)}.")


def assert_template_not_used(response: TestResponse, name: str) -> None:
    """Check that the handler did not render the template *name*."""
    __tracebackhide__ = True
    if name in response.templates:
        raise AssertionError(f"{_path(response.url)} rendered {name}.")


def assert_contains(response: TestResponse, text: str, *, count: int | None = None, status: int = 200) -> None:
    """Check that *response* has *status* and *text* in its body.

    Args:
        count: How often; by default at least once.
    """
    __tracebackhide__ = True
    _demand_status(response, status)
    found = response.text.count(text)
    if count is None and not found:
        raise AssertionError(f"{_path(response.url)} does not contain {text!r}. {_start(response)}")
    if count is not None and found != count:
        raise AssertionError(f"{_path(response.url)} contains {text!r} {found} times, not {count}.")


def assert_not_contains(response: TestResponse, text: str, *, status: int = 200) -> None:
    """Check that *response* has *status* and nowhere *text* in its body."""
    __tracebackhide__ = True
    _demand_status(response, status)
    at = response.text.find(text)
    if at >= 0:
        around = response.text[max(0, at - 40) : at + len(text) + 40]
        raise AssertionError(f"{_path(response.url)} contains {text!r}: …{around}…")


def assert_problem(
    response: TestResponse, *, code: str | None = None, status: int | None = None, pointer: str | None = None
) -> dict[str, Any]:
    """Check that *response* is a problem document (RFC 9457), and return it.

    Args:
        code: Of the error, or of one of its faults.
        pointer: Where one of its faults is: `/items/0/price`. With *code*, that fault's.
    """
    __tracebackhide__ = True
    if response.content_type.partition(";")[0] != _PROBLEM:
        kind = response.content_type or "nothing"
        raise AssertionError(
            f"{_path(response.url)} answered {response.status_code} with {kind}, not a problem. {_start(response)}"
        )
    problem: dict[str, Any] = response.json
    if status is not None and response.status_code != status:
        raise AssertionError(f"{_path(response.url)} answered {response.status_code}, not {status}: {problem}")
    faults = [(each.get("code"), each.get("pointer")) for each in problem.get("errors", [])]
    if pointer is not None and not any(
        where == pointer and code in (None, fault, problem.get("code")) for fault, where in faults
    ):
        raise AssertionError(f"There is no fault {code or ''} at {pointer!r}, only {_listed(faults)}.")
    if code is not None and code != problem.get("code") and code not in [fault for fault, _ in faults]:
        raise AssertionError(f"The problem is {problem.get('code')!r}, not {code!r}. Faults: {_listed(faults)}.")
    return problem


def _demand_status(response: TestResponse, status: int) -> None:
    __tracebackhide__ = True
    if response.status_code != status:
        raise AssertionError(f"{_path(response.url)} answered {response.status_code}, not {status}. {_start(response)}")


def _start(response: TestResponse) -> str:
    return f"The body begins: {cut(response.text, 300)}" if response.body else "The body is empty."


def _names(response: TestResponse) -> str:
    return ", ".join(response.templates) or "no template"


def _listed(faults: list[tuple[Any, Any]]) -> str:
    return ", ".join(f"{code} at {pointer!r}" for code, pointer in faults) or "none"


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _near(url: str, base: str) -> str:
    """*url* as a path where it is of the same site."""
    return _path(url) if urlsplit(url)[:2] == urlsplit(base)[:2] else url
