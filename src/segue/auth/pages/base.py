"""What all pages of accounts have: they are kept by nobody, and know how the site is configured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import TooManyRequests
from ...views import FormView, TemplateView
from ...web.limiting import Limiter
from ..accounts import accounts_of
from .going import kept_private, next_of, resolved, wanted_next

__all__ = ["AccountFormView", "AccountPage"]


class _Private:
    """Adds the headers that keep a page to its reader."""

    request: Any
    hides_address: bool = False

    def render_to_response(self, context: Mapping[str, Any], **options: Any) -> Any:
        """Return the page, which nobody keeps."""
        page: Any = super()
        return kept_private(page.render_to_response(context, **options), hides_address=self.hides_address)

    @property
    def user_model(self) -> Any:
        """The class of the site's users."""
        return accounts_of(self.request.context).user

    def setting(self, name: str) -> Any:
        """Return the value of a key of the configuration."""
        return self.request.app.config[name]

    def limiter(self, rate: str, scope: str, *, fail_closed: bool = False) -> Limiter:
        """Return a limit that counts where the attempts to log in are counted."""
        return Limiter(rate, scope=scope, cache=self.setting("LOGIN_RATE_CACHE"), fail_closed=fail_closed)


class AccountPage(_Private, TemplateView):
    """A page of accounts without a form."""


class AccountFormView(_Private, FormView):
    """A page of accounts around a form.

    Attributes:
        next_setting: The key that says where a good form leads.
    """

    next_setting: str = "LOGIN_REDIRECT_URL"

    def get_form_kwargs(self) -> dict[str, Any]:
        """Return the arguments of the form."""
        return {**super().get_form_kwargs(), "label_suffix": ""}

    def too_many(self, form: Any, error: TooManyRequests) -> Any:
        """Answer with the form, and with when to try again."""
        form.add_error(None, "There were too many attempts. Try again in a few minutes.")
        response = self.render_to_response(self.get_context_data(form=form), status=429)
        for name, value in error.headers.items():
            response.headers[name] = value
        return response

    def get_success_url(self) -> str:
        """Return `next`, where it is of this site, else what the configuration says."""
        if self.success_url is not None:
            return resolved(str(self.success_url))
        return next_of(self.request, self.setting(self.next_setting))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template; `next` goes along with the form."""
        return super().get_context_data(next=wanted_next(self.request), **kwargs)
