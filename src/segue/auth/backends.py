"""How somebody proves who they are: back ends, asked one after the other.

A back end is any object that has `authenticate(request, **credentials)` and `get_user(key)`, or
their twins with an `a`, or both. It returns a user or `None`; `Forbidden` ends the search.
"""

from __future__ import annotations

from typing import Any, cast

from ..colours import Operation, arun, either, run
from ..context import current
from ..errors import ValidationError
from .accounts import accounts_of, get_user_model
from .hashing import needs_rehash
from .hashing.making import checking_password, making_password

__all__ = ["AuthenticationBackend", "ModelBackend", "RemoteUserBackend"]


class AuthenticationBackend:
    """Finds users as rows of the user model; what it takes for proof is for those that derive from it."""

    def get_user(self, key: str) -> Any:
        """Return the user of that key, as it stands in a session, or `None`."""
        return run(self._getting(key))

    async def aget_user(self, key: str) -> Any:
        """`get_user()` in async code."""
        return await arun(self._getting(key))

    def user_can_authenticate(self, user: Any) -> bool:
        """Tell whether a user may log in at all: an inactive one may not."""
        return getattr(user, "is_active", True) is True

    def _getting(self, key: str) -> Operation[Any]:
        model = accounts_of(current()).user
        try:
            value = model._meta.pk_fields[0].to_python(key)
        except ValidationError:
            return None  # the kind of the keys was changed since
        rows = model._default_manager
        # PERF: with each request of somebody; a get by key takes half as long as first().
        try:
            user = yield from either(rows.get, rows.aget, pk=value)
        except model.DoesNotExist:
            return None
        return user if self.user_can_authenticate(user) else None


class ModelBackend(AuthenticationBackend):
    """By name and password."""

    def authenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **credentials: Any
    ) -> Any:
        """Return the active user of that name and password, or `None`: in the same time, whoever it is.

        Args:
            username: The value of `USERNAME_FIELD`; its own name, such as `email`, is taken too.
        """
        return run(self._proving(username, password, credentials))

    async def aauthenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **credentials: Any
    ) -> Any:
        """`authenticate()` in async code."""
        return await arun(self._proving(username, password, credentials))

    def _proving(self, username: Any, password: Any, credentials: dict[str, Any]) -> Operation[Any]:
        model = get_user_model()
        name = credentials.get(model.USERNAME_FIELD) if username is None else username
        if not isinstance(name, str) or not isinstance(password, str):
            return None
        user = yield from _found(name)
        may = user is not None and self.user_can_authenticate(user)
        # Without a user, or with one who may not, a hash is made all the same: it takes the same time.
        encoded = user.password if user is not None and may else None
        is_right = yield from checking_password(password, encoded)
        if user is None or not is_right:
            return None
        if needs_rehash(user.password):
            user.password = yield from making_password(password)
            yield from either(user.save, user.asave, update_fields=["password"])
        return user


class RemoteUserBackend(AuthenticationBackend):
    """By what a trusted server before this one says: `authenticate(request, remote_user="bob")`.

    Attributes:
        create_unknown_user: Whether a user who is not known yet is made.
    """

    create_unknown_user: bool = True

    def authenticate(self, request: Any, *, remote_user: str) -> Any:
        """Return the active user of that name, made if there is none."""
        return run(self._trusting(remote_user))

    async def aauthenticate(self, request: Any, *, remote_user: str) -> Any:
        """`authenticate()` in async code."""
        return await arun(self._trusting(remote_user))

    def clean_username(self, username: str) -> str:
        """Return the name of the user in what the server says; override it to cut off a domain."""
        return username

    def _trusting(self, remote_user: str) -> Operation[Any]:
        name = self.clean_username(remote_user)
        user = yield from _found(name)
        if user is None and name and self.create_unknown_user:
            try:
                user = yield from cast("Operation[Any]", get_user_model().objects.creating((name,), None, {}))
            except ValidationError:
                user = yield from _found(name)  # another request was first
        return user if user is not None and self.user_can_authenticate(user) else None


def _found(name: str) -> Operation[Any]:
    return (yield from cast("Operation[Any]", get_user_model().objects.finding(name)))
