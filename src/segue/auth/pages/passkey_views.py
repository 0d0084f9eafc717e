"""The pages of passkeys: add, name and remove one's own, and log in with one."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, ClassVar

from ...colours import run
from ...errors import BadRequest, NotFound
from ...http.response import redirect
from ...shortcuts import jsonify, url_for
from ...signals import user_login_failed
from ...web import messages
from ...web.limiting import network_of
from ..bonds import was_there
from ..logins import login
from ..remembering import forgetting_others
from ..stepping import sending
from .base import AccountFormView, AccountPage
from .ceremonies import Asked, PasskeyRefused, ask_for_new, ask_for_one, made_passkey, shown_passkey
from .entry import pass_second_step
from .factors import find_factor, forget_authenticator, has_second_factor, new_recovery_codes
from .forms import PasskeyForm
from .going import kept_private, next_of
from .passkeys import MAX_PASSKEYS, Passkey, passkeys_of
from .proofs import confirm, count_passkeys
from .waiting import waiting_in

__all__ = [
    "PasskeyNewOptionsView",
    "PasskeyNewView",
    "PasskeyOptionsView",
    "PasskeyRemoveView",
    "PasskeyView",
    "PasskeysView",
]

_logger = logging.getLogger("segue.auth")
_OPTIONS_RATE = "600/5m"  # each view of the login asks, and a network may have many people
_REFUSED = "This passkey was not taken. Try again, or go on without it."


# Showing one


class PasskeyOptionsView(AccountPage):
    """Gives a script the challenge that a passkey answers: of anybody, or of the one user who may."""

    http_method_names: ClassVar[Sequence[str]] = ("post",)
    template_name: str | None = "accounts/login.html"

    def post(self, request: Any) -> Any:
        """Answer with what the browser asks the device."""
        self.limiter(_OPTIONS_RATE, "auth:passkey options").hit(network_of(request.client)).demand()
        try:
            options = ask_for_one(request, self._asked())
        except PasskeyRefused as error:
            raise BadRequest(str(error)) from error
        return kept_private(jsonify(options))

    def _asked(self) -> Asked:
        request, waiting = self.request, waiting_in(self.request)
        if waiting is not None and request.query.get("step") == "second":
            return Asked("second", waiting.owner)
        user = request.user
        if user.is_authenticated and count_passkeys(request, user.pk):
            return Asked("again", str(user.pk))
        return Asked("login")


class PasskeyView(AccountPage):
    """Takes the passkey that the browser shows: to log in, as second step, or to confirm who one is."""

    http_method_names: ClassVar[Sequence[str]] = ("post",)
    template_name: str | None = "accounts/login.html"

    def post(self, request: Any) -> Any:
        """Let in whose passkey is right; else back to where it was asked for."""
        self.limiter(self.setting("LOGIN_NETWORK_RATE"), "auth:passkey").hit(network_of(request.client)).demand()
        waiting = waiting_in(request)
        try:
            asked, passkey = shown_passkey(request, request.form.get("credential") or "")
            return self._let_in(asked, passkey, waiting)
        except PasskeyRefused as error:
            _logger.warning("a passkey was refused: %s", error)
        run(sending(user_login_failed, request.context.app.app, request=request, username=""))
        messages.error(request, _REFUSED)
        place = "auth.login" if waiting is None else "auth.second_factor"
        return kept_private(redirect(url_for(place, next=next_of(request, "/")), 303))

    def _let_in(self, asked: Asked, passkey: Any, waiting: Any) -> Any:
        request = self.request
        target = next_of(request, self.setting("LOGIN_REDIRECT_URL"))
        if asked.what == "second":
            user = self.user_model.objects.filter(pk=passkey.owner).first()
            if waiting is None or waiting.owner != passkey.owner or not waiting.is_of(request.context, user):
                raise PasskeyRefused("nobody waits for the second step any more")
            return pass_second_step(request, waiting, user, otherwise=target)
        if asked.what == "again":
            if str(request.user.pk) != passkey.owner:
                raise PasskeyRefused("another user is logged in by now")
            confirm(request)
        else:
            is_kept = "remember" in request.form
            # The passkey was both factors.
            if not login(request, _owner(self.user_model, passkey), remember_me=is_kept, asks_second_factor=False):
                raise PasskeyRefused("its user was deleted meanwhile")
        return kept_private(redirect(target, 303))


def _owner(model: Any, passkey: Any) -> Any:
    user = model.objects.filter(pk=passkey.owner).first()
    if user is None or not user.is_active:
        raise PasskeyRefused("its user is gone, or not active")
    if not was_there(user, passkey.created):
        raise PasskeyRefused("its user is gone, and another one has their key")
    return user


# One's own


class PasskeysView(AccountPage):
    """Lists one's passkeys, and gives them other names."""

    template_name: str | None = "accounts/passkeys.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template."""
        user = self.request.user
        own, factor = passkeys_of(user.pk), find_factor(user)
        return super().get_context_data(
            passkeys=own,
            can_add=len(own) < MAX_PASSKEYS,
            recovery_left=len(factor.recovery if factor is not None else ()),
            **kwargs,
        )

    def post(self, request: Any) -> Any:
        """Rename one."""
        key, form = request.form.get("passkey") or "", PasskeyForm(request.form)
        if form.is_valid() and key.isascii() and key.isdecimal():
            own = Passkey.objects.filter(owner=str(request.user.pk), pk=int(key[:18]))
            if own.update(name=form.cleaned_data["name"]):
                messages.success(request, "Your passkey has its new name.")
        return kept_private(redirect(url_for("auth.passkeys"), 303))


class PasskeyNewOptionsView(AccountPage):
    """Gives a script what it makes a passkey by."""

    http_method_names: ClassVar[Sequence[str]] = ("post",)
    template_name: str | None = "accounts/passkey_new.html"

    def post(self, request: Any) -> Any:
        """Answer with what the browser asks the device."""
        try:
            return kept_private(jsonify(ask_for_new(request, request.user)))
        except PasskeyRefused as error:
            raise BadRequest(str(error)) from error


class PasskeyNewView(AccountFormView):
    """Asks for the name of a new passkey, and keeps what the browser made."""

    template_name: str | None = "accounts/passkey_new.html"
    form_class: type[Any] | None = PasskeyForm

    def form_valid(self, form: Any) -> Any:
        """Keep it; with the first one come codes of recovery, for when it is lost."""
        request, user = self.request, self.request.user
        is_first = not count_passkeys(request, user.pk)
        try:
            if count_passkeys(request, user.pk) >= MAX_PASSKEYS:
                raise PasskeyRefused("the user has as many as there may be")
            made_passkey(request, user, request.form.get("credential") or "", name=form.cleaned_data["name"])
        except PasskeyRefused as error:
            _logger.warning("a new passkey was refused: %s", error)
            form.add_error(None, "This passkey could not be kept. Try again.")
            return self.form_invalid(form)
        request.session.cycle_key()
        if is_first:
            run(forgetting_others(request, user))  # they were let in by the password alone
        factor = find_factor(user)
        if factor is None or not factor.recovery:
            self.template_name = "accounts/recovery_codes.html"
            return self.render_to_response(self.get_context_data(codes=new_recovery_codes(user)))
        messages.success(request, "Your passkey is kept.")
        return kept_private(redirect(url_for("auth.passkeys"), 303))


class PasskeyRemoveView(AccountPage):
    """Asks whether to remove a passkey, and removes it."""

    template_name: str | None = "accounts/passkey_remove.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template."""
        user = self.request.user
        is_last = count_passkeys(self.request, user.pk) == 1 and not has_second_factor(user)
        return super().get_context_data(passkey=self._own(), is_last=is_last, **kwargs)

    def post(self, request: Any, pk: int) -> Any:
        """Remove it; codes of recovery stay as long as something needs them."""
        self._own().delete()
        user = request.user
        if not count_passkeys(request, user.pk) and not has_second_factor(user):
            forget_authenticator(user, keeps_recovery=False)
        messages.success(request, "Your passkey is removed.")
        return kept_private(redirect(url_for("auth.passkeys"), 303))

    def _own(self) -> Any:
        found = Passkey.objects.filter(owner=str(self.request.user.pk), pk=self.kwargs["pk"]).first()
        if found is None:
            raise NotFound("You have no such passkey.")
        return found
