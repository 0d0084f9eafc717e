"""Groups: names for what several users may do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from .. import db
from ..errors import Fault, ValidationError
from .permissions import permission_faults

__all__ = ["Group", "PermissionsField"]


class _Stored(list[str]):
    """The permissions of a row as it was read: what stands there already is not judged again.

    A model may be gone, or be another app's that has the same database; its permissions stay.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        super().__init__(texts)
        self.before: frozenset[str] = frozenset(self)


class PermissionsField(db.JSONField[list[str]]):
    """A list of permissions, such as `["core.change_record"]`; kept sorted, each once.

    One that no model of the running app has is refused when it is written.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("default", list)
        options.setdefault("blank", True)
        super().__init__(list[str], **options)

    def to_python(self, value: Any) -> Any:
        """Return the texts as they are kept."""
        before: frozenset[str] = getattr(value, "before", frozenset())
        texts: list[str] = super().to_python([*value] if isinstance(value, tuple | set | frozenset) else value)
        faults = permission_faults(set(texts) - before)
        if faults:
            raise ValidationError(faults)
        kept = _Stored(sorted(set(texts)))
        kept.before = before
        return kept

    def prepare(self, value: Any) -> Any:
        """Refuse, before it is written, what no model has."""
        try:
            return None if value is None else self.to_python(value)
        except ValidationError as error:
            faults = [Fault((self.name,), each.code, each.message, each.params) for each in error.faults]
            raise ValidationError(faults) from None

    def from_database(self) -> Callable[[Any], Any] | None:
        """Return what reads a row's."""
        return lambda value: None if value is None else _Stored(value)


class Group(db.Model):
    """A name under which users have permissions.

    >>> Group(name="editors", permissions=["core.change_record"])  # doctest: +SKIP
    """

    name = db.CharField(max_length=150, unique=True)
    permissions = PermissionsField()

    class Meta:
        app_label = "auth"
        ordering: ClassVar[tuple[str, ...]] = ("name",)
        privileged_fields: ClassVar[tuple[str, ...]] = ("permissions",)

    def __str__(self) -> str:
        return self.name

    @property
    def user_set(self) -> Any:  # Any: a queryset of the site's own user model
        """The users of the running app that are in it."""
        from .accounts import get_user_model  # which knows users, and they groups

        return get_user_model()._default_manager.filter(groups=self)
