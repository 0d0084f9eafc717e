"""`Redirects`: a table of paths that have moved, asked before a visitor is told 404."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ..handling.markers import mark
from ..http.redirects import BadRedirect
from ..http.request import Request
from ..http.response import Response, redirect
from ..typing import Setup
from .models import MAX_PATH, Redirect

__all__ = ["Redirects"]

_logger = logging.getLogger("segue.content")


@dataclass(frozen=True, slots=True)
class Redirects:
    """Sends visitors on by the rows of `Redirect`: `app.register(Redirects())`.

    The table is asked only where a GET would be answered with 404, by a route or by none. A
    row for path and query beats one for the path; then the query goes along.
    """

    def install(self, setup: Setup) -> None:
        """Bring the model, and be asked before a 404."""
        setup.add_models(Redirect)
        setup.fallback(mark(_moved, login=False))  # where it leads has a gate of its own


def _moved(error: Exception, request: Request) -> Response | None:
    query = request.query_string
    path = request.path
    wanted = [f"{path}?{query}", path] if query else [path]
    # What is longer than the column is in no row; a null byte some databases do not even take.
    wanted = [each for each in wanted if len(each) <= MAX_PATH and "\0" not in each]
    found = {row.old_path: row for row in Redirect.objects.filter(old_path__in=wanted)} if wanted else {}
    row = next((found[each] for each in wanted if each in found), None)
    if row is None:
        return None
    if not row.new_path:
        return Response("It is gone.", 410, content_type="text/plain; charset=utf-8")
    target = row.new_path
    if query and row.old_path == path and "?" not in target:
        target = f"{target}?{query}"
    if target.startswith("/"):
        target = request.root_path + target
    try:
        return redirect(target, 301 if row.is_permanent else 302, external=True)
    except BadRedirect as error:  # written past clean(), for example by an import
        _logger.warning("the redirect of %r leads nowhere: %s", row.old_path, error.message)
        return None
