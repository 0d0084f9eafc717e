"""Permissions: texts such as `core.change_record`, and which of them there are.

A permission is a text that a group or a user has. Models say which there are: `view`, `add`,
`change` and `delete` of each, and those in `Meta.permissions`. No table lists them, so none
has to be filled after a migration; what a migration takes away, nobody has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..context import Key, find_current
from ..db.policies.asking import permission_of
from ..errors import Fault, SetupError, UsageError, cut, did_you_mean

__all__ = [
    "PERMISSIONS",
    "Permission",
    "demand_known",
    "find_permissions",
    "known_permissions",
    "permission_faults",
    "permissions_of",
]


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One permission that a model of the app has.

    Attributes:
        text: What groups and users have: `core.change_record`; `change_record` with an empty label.
        name: For people: "Can change record".
        model: The model it is of, as `label.model`.
    """

    text: str
    name: str
    model: str

    def __str__(self) -> str:
        return self.text

    @property
    def content_label(self) -> str:
        """The label before the dot; empty in a one-file app."""
        return self.text.rpartition(".")[0]

    @property
    def codename(self) -> str:
        """What stands behind the dot."""
        return self.text.rpartition(".")[2]


PERMISSIONS: Key[Mapping[str, Permission]] = Key("permissions of the app's models")
_MOST_NAMED = 10


def permissions_of(models: Iterable[Any]) -> dict[str, Permission]:
    """Return the permissions of *models*, by their texts."""
    found: dict[str, Permission] = {}
    for model in models:
        options = model._meta
        if options.auto_created or options.abstract:
            continue
        for action in options.default_permissions:
            text = permission_of(model, action)
            found[text] = Permission(text, f"Can {action} {options.verbose_name}", options.label_lower)
        for codename, name in options.permissions:
            text = f"{options.app_label}.{codename}" if options.app_label else codename
            found[text] = Permission(text, str(name), options.label_lower)
    return found


def known_permissions() -> dict[str, Permission]:
    """Return the permissions of the running app, by their texts.

    Raises:
        UsageError: No app is running, or it has no users.
    """
    found = find_permissions()
    if found is None:
        raise UsageError(
            "The permissions are those of an app's models, and no app with users is running.",
            code="auth/not-registered",
            hint="with app.context():\n    ...",
        )
    return dict(found)


def find_permissions() -> Mapping[str, Permission] | None:
    """Return the permissions of the running app; `None` where none runs, or it has no users."""
    context = find_current()
    values: Mapping[Any, Any] = getattr(context.app, "values", {}) if context is not None else {}
    return values.get(PERMISSIONS)


def demand_known(texts: Iterable[str], *, known: Mapping[str, Permission] | None = None, where: str = "") -> None:
    """Refuse a permission that no model of the running app has; outside an app, none is refused.

    Raises:
        UsageError: One is unknown (`auth/unknown-permission`); at start-up it is a `SetupError`.
    """
    at_start = known is not None
    known = find_permissions() if known is None else known
    if known is None:
        return
    for text in texts:
        if text not in known:
            kind = SetupError if at_start else UsageError
            raise kind(
                f"There is no permission {text!r}.",
                code="auth/unknown-permission",
                where=where,
                why="Models have view, add, change and delete, and what stands in their Meta.permissions.",
                hint=did_you_mean(text, known) or 'class Meta:\n    permissions = [("publish_record", "Can publish")]',
            )


def permission_faults(texts: Iterable[str]) -> list[Fault]:
    """Return what is wrong with permissions that somebody gave: those that no model of the running app has."""
    known = find_permissions()
    if known is None:
        return []
    unknown = sorted(each for each in texts if each not in known)
    return [
        Fault((), "unknown_permission", f"There is no permission {cut(each)}. {did_you_mean(each, known)}".strip())
        for each in unknown[:_MOST_NAMED]
    ]
