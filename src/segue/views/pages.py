"""Views of a template alone, and of a redirect.

Holds: `TemplateView`, `RedirectView`; Django's names for what every view has.
Imports: base, shortcuts.
Never: reads a database.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ..colours import Operation, arun, run
from ..errors import Gone, NotFound, SetupError
from ..http.redirects import BadRedirect, LazyURL
from ..http.request import Request
from ..http.response import redirect
from ..shortcuts import url_for
from .base import View
from .hooks import hook, is_overridden

__all__ = ["ContextMixin", "RedirectView", "TemplateResponseMixin", "TemplateView"]


class ContextMixin(View):
    """Django's name for what every view has here: `get_context_data` and `extra_context`."""


class TemplateResponseMixin(View):
    """Django's name for what every view has here: `template_name` and `render_to_response`."""


class TemplateView(View):
    """Shows a template; the route's values are names in it."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer with the template."""
        return run(self._get())

    async def aget(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """`get()` in async code."""
        return await arun(self._get())

    def _get(self) -> Operation[Any]:
        context = yield from hook(self, "get_context_data", **self.kwargs)
        return (yield from hook(self, "render_to_response", context))

    def _reads_from_route(self) -> None:
        return None  # the template may

    def _check_setup(self, given: frozenset[str], where: str) -> None:
        cls = type(self)
        overridden = [is_overridden(cls, name) for name in ("get_template_names", "get", "render_to_response")]
        if self.template_name is None and not any(overridden):
            raise self._no_template(SetupError)


class RedirectView(View):
    """Redirects, by every HTTP method.

    Attributes:
        url: The target; `%(name)s` stands for a value of the route.
        pattern_name: The endpoint of the target instead, which gets the route's values.
        permanent: 301 instead of 302.
        query_string: Whether the query of the request is kept.
    """

    url: str | LazyURL | None = None
    pattern_name: str | None = None
    permanent: bool = False
    query_string: bool = False

    def get_redirect_url(self, *args: Any, **kwargs: Any) -> str | None:
        """Return the target, or `None` for the answer 410 (gone)."""
        if self.url is not None:
            url = str(self.url) % {name: quote(str(value)) for name, value in kwargs.items()}
        elif self.pattern_name is not None:
            url = url_for(self.pattern_name, **kwargs)
        else:
            return None
        query = self.request.query_string
        return f"{url}{'&' if '?' in url else '?'}{query}" if self.query_string and query else url

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer with the redirect."""
        return run(self._redirect())

    async def aget(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """`get()` in async code."""
        return await arun(self._redirect())

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer as `get()` does."""
        return self.get(request, *args, **kwargs)

    def put(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer as `get()` does."""
        return self.get(request, *args, **kwargs)

    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer as `get()` does."""
        return self.get(request, *args, **kwargs)

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer as `get()` does."""
        return self.get(request, *args, **kwargs)

    def _redirect(self) -> Operation[Any]:
        url = yield from hook(self, "get_redirect_url", *self.args, **self.kwargs)
        if url is None:
            raise Gone()
        # Whether it leaves the site is said by the class alone, never by a value of the request.
        leaves = self.url is not None and str(self.url).startswith(("http://", "https://"))
        try:
            return redirect(url, 301 if self.permanent else 302, external=leaves)
        except BadRedirect as error:
            if not self.kwargs:
                raise  # the class says so
            raise NotFound() from error

    def _reads_from_route(self) -> None:
        return None  # the target may
