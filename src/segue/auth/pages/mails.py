"""The mails of accounts, written by templates and sent once the answer is out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ...colours import Operation, pair
from ...errors import UsageError
from ...mail import EmailMessage
from ...shortcuts import render_template, url_for

__all__ = ["after_response", "link_to", "write_mail"]

_logger = logging.getLogger("segue.auth")


def write_mail(name: str, address: str, **values: Any) -> EmailMessage:
    """Write a mail by `accounts/mail/<name>.txt`: its first line is the subject."""
    text = render_template(f"accounts/mail/{name}.txt", **values)
    subject, _, body = str(text).strip().partition("\n")
    return EmailMessage(subject.strip(), body.strip() + "\n", to=[address])


def link_to(request: Any, endpoint: str, **values: Any) -> str:
    """Return the address of a page for a mail: the site's own, never what a request calls it.

    In development a site without `SITE_URL` is where the request came to.

    Raises:
        UsageError: There is no `SITE_URL` (`app/no-site-url`). A host that the client names could be
            the attacker's, whom the link would hand the account to.
    """
    app = request.app
    if app.config["SITE_URL"] or app.debug or app.testing:
        return url_for(endpoint, _external=True, **values)
    raise UsageError(
        "A link in a mail needs the site's address.",
        code="app/no-site-url",
        why="What the request calls this site is the client's to choose.",
        hint="Set SITE_URL, for example https://www.example.com.",
    )


def after_response(request: Any, work: Callable[[], Operation[None]]) -> None:
    """Do *work* after the last byte, so that the time of an answer does not tell what was found."""

    def _logged(error: BaseException | None) -> Operation[None]:
        if error is not None:
            return
        try:
            yield from work()
        except Exception:
            _logger.exception("a mail of accounts was not sent")

    plain, twin = pair(_logged)
    is_async = request.context.endpoint is not None and request.context.endpoint.is_async
    request.context.add_cleanup(twin if is_async else plain)
