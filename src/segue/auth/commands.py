"""The commands `createsuperuser` and `changepassword`."""

from __future__ import annotations

import os
from typing import Any

from ..errors import UsageError, ValidationError
from .accounts import get_user_model
from .passwords import validate_password

__all__ = ["changepassword", "createsuperuser"]

_VARIABLE = "SEGUE_SUPERUSER_PASSWORD"


def createsuperuser(*, email: str = "", username: str = "", no_input: bool = False) -> None:
    """Make a user who may do everything.

    Args:
        email: The address; asked for where it is what is logged in with.
        username: The name; asked for where it is what is logged in with.
        no_input: Ask nothing: the password is the variable SEGUE_SUPERUSER_PASSWORD.
    """
    model = get_user_model()
    given = {"email": email, "username": username}
    values = {name: text for name, text in given.items() if text and model._meta.find_field(name) is not None}
    for name in dict.fromkeys((model.USERNAME_FIELD, *model.REQUIRED_FIELDS)):
        if not values.get(name):
            values[name] = _asked(name, no_input=no_input)
    password = os.environ.get(_VARIABLE) if no_input else _new_password(model(**values))
    try:
        model.objects.create_superuser(password=password, **values)
    except ValidationError as error:
        raise UsageError(f"No user was made: {_sentences(error)}", code="auth/bad-command") from error
    print(f"{values[model.USERNAME_FIELD]} may do everything now." + ("" if password else " There is no password yet."))


def changepassword(name: str, *, no_input: bool = False) -> None:
    """Give a user a new password; their sessions end.

    Args:
        name: What they log in with.
        no_input: Ask nothing: the password is the variable SEGUE_SUPERUSER_PASSWORD.
    """
    model = get_user_model()
    try:
        user = model.objects.get_by_natural_key(name)
    except model.DoesNotExist:
        raise UsageError(
            f"There is no user {name!r}.", code="auth/bad-command", hint=f"They log in by {model.USERNAME_FIELD}."
        ) from None
    password = os.environ.get(_VARIABLE, "") if no_input else _new_password(user)
    if not password:
        raise UsageError(
            "There is no new password.",
            code="auth/bad-command",
            hint=f"{_VARIABLE}=… segue changepassword {name} --no-input",
        )
    user.set_password(password)
    user.save(update_fields=["password"])
    print(f"{name} has a new password; other sessions have ended.")


def _asked(name: str, *, no_input: bool) -> str:
    if no_input:
        raise UsageError(
            f"There is no {name}.", code="auth/bad-command", hint=f"segue createsuperuser --{name} … --no-input"
        )
    text = ""
    while not text:
        text = input(f"{name.replace('_', ' ').capitalize()}: ").strip()
    return text


def _new_password(user: Any) -> str:
    from getpass import getpass  # a terminal is needed for questions alone

    while True:
        password = getpass("Password: ")
        if password != getpass("Password once more: "):
            print("These are two different passwords.")
            continue
        try:
            validate_password(password, user)
        except ValidationError as error:
            print(_sentences(error))
            continue
        return password


def _sentences(error: ValidationError) -> str:
    return " ".join(str(fault.message) for fault in error.faults)
