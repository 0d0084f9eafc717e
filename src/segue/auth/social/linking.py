"""Whose an account elsewhere is here, and whose it may become.

Holds: the rules, in the order in which they are asked.
Imports: the tables of users and of accounts elsewhere.
Never: goes by an address that the provider did not verify.
"""

from __future__ import annotations

import secrets
from typing import Any

from ... import db
from ...colours import run
from ...errors import ValidationError
from ..bonds import was_there
from ..names import normalized_email
from ..pages.asking import owners_of
from .models import SocialAccount
from .providers import Identity, OAuth2Provider

__all__ = ["Refused", "connect", "disconnect", "user_for"]


class Refused(Exception):
    """Why an account elsewhere lets nobody in; the text is for the visitor."""


def user_for(model: Any, provider: OAuth2Provider, identity: Identity, *, may_sign_up: bool) -> Any:
    """Return the user whose account *identity* is, made where that may be.

    Raises:
        Refused: It is nobody's.
    """
    known = _owner(model, provider, identity)
    if known is not None:
        if not known.is_active:
            raise Refused("This account is closed.")
        return known
    if not identity.email or not identity.is_verified:
        # The same, whether somebody here has that address or not.
        raise Refused(f"{provider.title} has not verified an address of yours. Verify it there, and try again.")
    user = next(iter(run(owners_of(model, identity.email))), None)
    if user is None:
        if not may_sign_up:
            raise Refused("There is no account for you here.")
        user = _made(model, identity)
    elif not provider.links_by_email or not user.is_active:
        raise Refused(f"There is an account with your address. Log in to it, and connect {provider.title} on its page.")
    return _connected(model, provider, identity, user)


def connect(model: Any, provider: OAuth2Provider, identity: Identity, user: Any) -> None:
    """Connect *identity* to *user*, who asked for that.

    Raises:
        Refused: It is somebody else's.
    """
    owner = _owner(model, provider, identity) or _connected(model, provider, identity, user)
    if owner.pk != user.pk:
        raise Refused(f"This account of {provider.title} belongs to another account here.")


def disconnect(user: Any, key: str, *, has_other_way: bool) -> bool:
    """Take a connection of *user* away; `False` where it is their last way in, or not theirs."""
    with db.atomic():
        rows = list(SocialAccount.objects.select_for_update().filter(owner=str(user.pk)))
        mine = [each for each in rows if str(each.pk) == key]
        if not mine or (len(rows) == 1 and not has_other_way):
            return False
        mine[0].delete()
    return True


def _owner(model: Any, provider: OAuth2Provider, identity: Identity) -> Any:
    row = SocialAccount.objects.filter(provider=provider.name, subject=identity.subject).first()
    if row is None:
        return None
    user = model.objects.filter(pk=row.owner).first()
    if user is None or not was_there(user, row.connected_at):
        row.delete()  # its user is gone, and somebody else may have their key
        return None
    return user


def _made(model: Any, identity: Identity) -> Any:
    names = {model.EMAIL_FIELD: normalized_email(identity.email)}
    if model.USERNAME_FIELD == model.EMAIL_FIELD:
        return model.objects.create_user(**names)
    wanted = identity.email.partition("@")[0][:100]
    for suffix in ("", *(f"-{secrets.randbelow(10**6):06}" for _ in range(3))):
        try:
            return model.objects.create_user(**names, **{model.USERNAME_FIELD: wanted + suffix})
        except ValidationError:
            continue  # the name is somebody's
    raise Refused("No account could be made. Try again.")


def _connected(model: Any, provider: OAuth2Provider, identity: Identity, user: Any) -> Any:
    try:
        with db.atomic():
            SocialAccount.objects.create(
                owner=str(user.pk), provider=provider.name, subject=identity.subject, label=identity.email
            )
    except db.IntegrityError:
        # Another request of the same person was first.
        return _owner(model, provider, identity)
    return user
