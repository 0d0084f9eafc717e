"""What templates see of users: `user`, and `perms`, what they may do.

Holds: the context processor; `Perms`.
Imports: who is asking, the permissions that there are.
Never: waits on the event loop: there, the handler loads the permissions first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..colours import is_on_loop
from ..errors import UsageError
from .current import user_attribute
from .permissions import demand_known, find_permissions

__all__ = ["Perms", "template_names"]


class Perms:
    """`perms` in templates: `perms.core.change_record`, `"core.change_record" in perms`.

    A label gives those of its models, the name of a permission tells whether the user has it; in a
    one-file app, `perms.change_record`. One that no model has is an error.
    """

    __slots__ = ("_label", "_user")

    def __init__(self, user: Any, label: str = "") -> None:
        self._user = user
        self._label = label

    def __repr__(self) -> str:
        return f"<Perms of {self._user}>"

    def __contains__(self, perm: str) -> bool:
        return self._has(f"{self._label}.{perm}" if self._label else perm)

    def __bool__(self) -> bool:
        """Tell whether the user has any of them."""
        known = find_permissions() or {}
        return any(self._has(text) for text, each in known.items() if self._label in ("", each.content_label))

    def __getattr__(self, name: str) -> Any:  # Any: whether the user has it, or those of a label
        if name.startswith("_"):
            raise AttributeError(name)
        known = find_permissions() or {}
        if not self._label and name not in known and any(each.content_label == name for each in known.values()):
            return Perms(self._user, name)
        return name in self

    def _has(self, perm: str) -> bool:
        demand_known([perm])
        if is_on_loop() and _must_ask(self._user):
            raise UsageError(
                f"A template asked for the permission {perm!r} on the event loop before those of the user were loaded.",
                code="auth/not-loaded",
                why="To know them, groups are read, which would hold up every other request; a template cannot wait.",
                hint="Before the template is rendered: await user.aget_all_permissions()",
            )
        return bool(self._user.has_perm(perm))


def _must_ask(user: Any) -> bool:
    """Whether a user's permissions are still to be read: those of a model that has groups, unless it may do all."""
    is_asked = hasattr(user, "_permitting") and user.is_active and not user.is_superuser
    return is_asked and "_permissions" not in vars(user)


def template_names(request: Any) -> Mapping[str, Any]:
    """Return what templates see: `user` and `perms`."""
    if request is None:
        return {}
    user = user_attribute(request)
    return {"user": user, "perms": Perms(user)}


template_names.provides = ("user", "perms")  # type: ignore[attr-defined]  # read by templating
