"""`FlatPages`: pages that staff writes into a table, at the paths that no route has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..http.request import Request
from ..http.response import Response, redirect
from ..shortcuts import render_template
from ..typing import Setup
from .models import MAX_PATH, FlatPage
from .visible import has_policy, user_of, visible

__all__ = ["FlatPages"]

_TEMPLATE = "flatpages/default.html"


@dataclass(frozen=True, slots=True)
class FlatPages:
    """Serves the rows of `FlatPage`: `app.register(FlatPages())`.

    Every route goes first. The template `flatpages/default.html` gets `flatpage`, whose
    `body` is safe to show; write your own, or name another in a row. A policy of `FlatPage`
    says who sees which.
    """

    def install(self, setup: Setup) -> None:
        """Bring the model, and be asked before a 404."""
        setup.add_models(FlatPage)
        setup.fallback(_page)


def _page(error: Exception, request: Request) -> Any:
    if request.route is not None or len(request.path) >= MAX_PATH or "\0" in request.path:
        return None
    rows = FlatPage.objects.all()
    is_personal = has_policy(rows)
    if is_personal:
        rows = visible(rows, user_of(request))
    path = request.path
    found = {row.url: row for row in rows.filter(url__in=[path, f"{path}/"])}
    if path not in found:
        # As routes do: a page of the path with its slash is meant.
        return redirect(f"{request.root_path}{path}/", 308) if f"{path}/" in found else None
    page = found[path]
    names = [page.template_name, _TEMPLATE] if page.template_name else [_TEMPLATE]
    response = Response(render_template(names, flatpage=page))
    if is_personal:
        response.headers["cache-control"] = "private, no-cache"
    return response
