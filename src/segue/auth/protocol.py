"""What the rest of Segue needs of a user, and nobody as such a user."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol, runtime_checkable

__all__ = ["AnonymousUser", "UserProtocol"]


@runtime_checkable
class UserProtocol(Protocol):
    """What a class must have to be a site's user, model or not.

    Attributes:
        pk: Its key; `str(pk)` is kept in the session.
        is_authenticated: Whether this is somebody.
        is_active: Whether they may be logged in.
    """

    @property
    def pk(self) -> Any: ...  # Any: of the kind that the site's keys are

    @property
    def is_authenticated(self) -> bool: ...

    @property
    def is_active(self) -> bool: ...

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Tell whether they have a permission, such as `core.change_record`."""
        ...


class AnonymousUser:
    """Nobody: what `request.user` is where no one is logged in."""

    pk: ClassVar[None] = None
    id: ClassVar[None] = None
    username: ClassVar[str] = ""
    email: ClassVar[str] = ""
    is_authenticated: ClassVar[bool] = False
    is_anonymous: ClassVar[bool] = True
    is_active: ClassVar[bool] = False
    is_staff: ClassVar[bool] = False
    is_superuser: ClassVar[bool] = False

    def __repr__(self) -> str:
        return "<AnonymousUser>"

    def __str__(self) -> str:
        return "AnonymousUser"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnonymousUser)

    def __hash__(self) -> int:
        return 1

    def get_username(self) -> str:
        """Return nothing."""
        return ""

    def get_all_permissions(self, obj: Any = None) -> set[str]:
        """Return none."""
        return set()

    async def aget_all_permissions(self, obj: Any = None) -> set[str]:
        """Return none."""
        return set()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Tell that nobody has a permission; that of a policy is asked of the policy."""
        return False

    async def ahas_perm(self, perm: str, obj: Any = None) -> bool:
        """`has_perm()` in async code."""
        return False

    def has_perms(self, perms: Iterable[str], obj: Any = None) -> bool:
        """Tell whether nobody has all of these: of none, yes."""
        return not list(perms)

    async def ahas_perms(self, perms: Iterable[str], obj: Any = None) -> bool:
        """`has_perms()` in async code."""
        return not list(perms)

    def has_module_perms(self, label: str) -> bool:
        """Tell that nobody has a permission of a package."""
        return False

    async def ahas_module_perms(self, label: str) -> bool:
        """`has_module_perms()` in async code."""
        return False
