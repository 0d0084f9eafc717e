"""What the pages of accounts ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import forms
from ...errors import Fault, ValidationError
from ...mail import BadHeaderError, InvalidAddress
from ...mail.addresses import read_address
from ..accounts import get_user_model
from ..names import MAX_NAME, normalized_email
from ..passwords import password_validators_help_texts, validate_password

__all__ = [
    "AddressForm",
    "CodeForm",
    "LoginForm",
    "PasswordChangeForm",
    "PasswordResetForm",
    "SetPasswordForm",
    "SignupForm",
]

MAX_PASSWORD = 4096


def _password(label: str, *, is_new: bool, help_text: str = "") -> forms.CharField:
    word = "new-password" if is_new else "current-password"
    widget = forms.PasswordInput(attrs={"autocomplete": word})
    rules = [_demand_hashable]
    # A password is as it was typed: spaces at its ends are part of it.
    return forms.CharField(
        label=label, widget=widget, strip=False, max_length=MAX_PASSWORD, help_text=help_text, validators=rules
    )


def _demand_hashable(password: str) -> None:
    # The limit of what is hashed is one of bytes: letters beyond ASCII have several.
    if len(password.encode("utf-8", "surrogatepass")) > MAX_PASSWORD:
        raise ValidationError([Fault((), "max_length", "This password is too long.")])


def _is_by_email(model: Any) -> bool:
    return bool(getattr(model, "EMAIL_FIELD", "email") == model.USERNAME_FIELD)


class LoginForm(forms.Form):
    """A name, a password, and whether to be known again."""

    username = forms.CharField(max_length=MAX_NAME, widget=forms.TextInput(attrs={"autocomplete": "username"}))
    password = _password("Password", is_new=False)
    remember = forms.BooleanField(label="Keep me logged in", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model = get_user_model()
        field = self.fields["username"]
        if _is_by_email(model):
            field.label = "E-mail address"
            field.widget = forms.EmailInput(attrs={"autocomplete": "username", "maxlength": MAX_NAME})
        else:
            field.label = "User name"


class SignupForm(forms.Form):
    """An address and a password; a name too where that is what one logs in with."""

    email = forms.EmailField(label="E-mail address", max_length=MAX_NAME)
    username = forms.CharField(
        label="User name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = _password("Password", is_new=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if _is_by_email(get_user_model()):
            del self.fields["username"]
        self.fields["password"].help_text = " ".join(password_validators_help_texts())

    def clean_email(self) -> str:
        """Bring the address into the form in which it is kept: that one must be a mailbox."""
        address = normalized_email(self.cleaned_data["email"])
        try:
            read_address(("", address))
        except (BadHeaderError, InvalidAddress):
            raise ValidationError([Fault((), "email", "Mail cannot be sent to this address.")]) from None
        return address

    def clean(self) -> None:
        """Check the password by the rules, against what else was said of the user."""
        known = {name: self.cleaned_data.get(name, "") for name in ("email", "username")}
        _check_password(self, "password", get_user_model()(**{k: v for k, v in known.items() if v}))


class SetPasswordForm(forms.Form):
    """A new password."""

    new_password = _password("New password", is_new=True)

    def __init__(self, *args: Any, user: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account: Any = user
        self.fields["new_password"].help_text = " ".join(password_validators_help_texts())

    def clean(self) -> None:
        """Check the password by the rules, against what is known of the user."""
        _check_password(self, "new_password", self.account)


class PasswordChangeForm(SetPasswordForm):
    """The old password and a new one."""

    old_password = _password("Old password", is_new=False)
    field_order: Sequence[str] | None = ("old_password", "new_password")


class AddressForm(forms.Form):
    """The address of an account, to which a link is mailed."""

    email = forms.EmailField(
        label="E-mail address", max_length=MAX_NAME, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class PasswordResetForm(AddressForm):
    """The address of an account whose password is forgotten."""


class CodeForm(forms.Form):
    """A code of the second factor, or one of recovery."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class PasskeyForm(forms.Form):
    """What a user calls a passkey."""

    name = forms.CharField(
        label="Name", max_length=60, help_text="Such as “phone” or “office key”, to tell it from others."
    )


def _check_password(form: forms.Form, name: str, user: Any) -> None:
    password = form.cleaned_data.get(name)
    if password is None:
        return
    try:
        validate_password(password, user)
    except ValidationError as error:
        form.add_error(name, error)
