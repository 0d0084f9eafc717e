"""What `segue check --deploy` looks for: settings that are fit for development, not for strangers.

Holds: `find_unfit`, and a module for each kind of setting: values, headers, files and services.
Imports: the app's configuration and parts, what reads headers, proxies and addresses.
Never: connects to anything, or writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...errors import Finding, SetupError
from .headers import check_headers
from .places import check_places
from .values import check_values

if TYPE_CHECKING:
    from ...app import App

__all__ = ["find_unfit"]


def find_unfit(app: App) -> list[Finding]:
    """Return a finding for each setting of *app* that production should not have.

    It is given the configuration as production has it; what does not even compile is
    reported by others.
    """
    found: list[Finding] = []
    for check in (check_values, check_headers, check_places):
        found += _up_to_error(check(app))
    return found


def _up_to_error(findings: Iterator[Finding]) -> Iterator[Finding]:
    try:
        yield from findings
    except SetupError:
        return  # the app does not compile, which is a finding already
