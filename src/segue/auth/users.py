"""What users are made of: `AbstractBaseUser`, `AbstractUser`, and how rows of them begin.

Holds: the fields and methods that Django's users have; the queryset that makes and finds users.
Imports: the data layer, hashing, names and permissions beside it.
Never: knows a request or a session.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from weakref import ref

from .. import clock, db
from ..colours import Operation, arun, either, listing, run
from ..db.errors import ModelError
from ..db.functions import Lower, NullIf
from ..db.models.faults import fault_of
from ..errors import Fault, ValidationError, did_you_mean
from .groups import Group, PermissionsField
from .hashing import (
    acheck_password,
    amake_password,
    check_password,
    is_password_usable,
    make_password,
)
from .hashing.making import making_password
from .names import is_same_name, is_searchable, normalized_email, normalized_name
from .permissions import demand_known

if TYPE_CHECKING:
    from ..db.models.options import Options

__all__ = ["AbstractBaseUser", "AbstractUser", "UserManager"]

M = TypeVar("M", bound="AbstractBaseUser")


class UserManager(db.Manager[M]):
    """A queryset of users that hashes passwords and finds users whatever the case of their name."""

    def create_user(self, *names: str | None, password: str | None = None, **fields: Any) -> M:
        """Make and save a user: `create_user("bob@example.org", password="…")`.

        Args:
            names: The value of `USERNAME_FIELD`, as its keyword would be. With `USERNAME_FIELD =
                "username"` an e-mail address may follow, as in Django; then, or else, the password.
            password: `None` makes a user who cannot log in by one.

        Raises:
            ValidationError: The name is taken, whatever its case, or a value is none.
        """
        return run(self.creating(names, password, fields))

    async def acreate_user(self, *names: str | None, password: str | None = None, **fields: Any) -> M:
        """`create_user()` in async code."""
        return await arun(self.creating(names, password, fields))

    def create_superuser(self, *names: str | None, password: str | None = None, **fields: Any) -> M:
        """Make and save a user who may do everything; else as `create_user`."""
        return run(self.creating(names, password, {"is_staff": True, "is_superuser": True, **fields}))

    async def acreate_superuser(self, *names: str | None, password: str | None = None, **fields: Any) -> M:
        """`create_superuser()` in async code."""
        return await arun(self.creating(names, password, {"is_staff": True, "is_superuser": True, **fields}))

    def get_by_natural_key(self, name: str) -> M:
        """Return the user of that name, whatever its case.

        Raises:
            DoesNotExist: There is none.
        """
        return self._demanded(run(self.finding(name)))

    async def aget_by_natural_key(self, name: str) -> M:
        """`get_by_natural_key()` in async code."""
        return self._demanded(await arun(self.finding(name)))

    def creating(self, names: tuple[str | None, ...], password: str | None, fields: dict[str, Any]) -> Operation[M]:
        """`create_user()` as steps."""
        values = {**self._named(names), **fields}
        password = values.pop("password", None) if password is None else password
        user: Any = self.model(**values)
        user.normalize()
        user._demand_name()
        user.password = yield from making_password(password)
        try:
            yield from either(_insert, _ainsert, user)
        except db.IntegrityError as error:
            raise ValidationError([fault_of(error, user)]) from error
        return user  # type: ignore[no-any-return]  # of this model

    def finding(self, name: str) -> Operation[M | None]:
        """Find the user of that name as steps; of a text that is no name none, and nothing is asked."""
        model = self.model
        field = model.USERNAME_FIELD
        if not is_searchable(name):
            return None
        folded = normalized_name(name).lower()
        rows = self.alias(folded_name=Lower(field)).filter(folded_name=folded)
        found: M | None = yield from either(rows.first, rows.afirst)
        # A collation may take two letters for one that are not.
        return found if found is not None and is_same_name(getattr(found, field), name) else None

    def _named(self, names: tuple[str | None, ...]) -> dict[str, Any]:
        field = self.model.USERNAME_FIELD
        order = (field, "email", "password") if field == "username" else (field, "password")
        if len(names) > len(order):
            raise TypeError(f"create_user() takes at most {len(order)} values by position: {', '.join(order)}")
        return dict(zip(order, names, strict=False))

    def _demanded(self, found: M | None) -> M:
        if found is None:
            raise self.model.DoesNotExist(f"There is no {self.model.__name__} of that name.")
        return found


class AbstractBaseUser(db.Model):
    """A user as log in needs one: a password and when it was last used. The rest is yours.

    Attributes:
        USERNAME_FIELD: The field by which somebody logs in.
        EMAIL_FIELD: The field of the address that mail goes to.
        REQUIRED_FIELDS: What `segue createsuperuser` asks for besides.
    """

    USERNAME_FIELD: ClassVar[str] = "email"
    EMAIL_FIELD: ClassVar[str] = "email"
    REQUIRED_FIELDS: ClassVar[tuple[str, ...]] = ()

    password: db.CharField[str] = db.CharField(max_length=512, secret=True)
    last_login = db.DateTimeField(null=True, blank=True, editable=False)

    objects: UserManager[Any] = UserManager[Any]()

    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    # The module it was defined in, if that was imported.
    _home: ClassVar[ref[ModuleType] | None] = None
    if not TYPE_CHECKING:
        is_active = True

    if not TYPE_CHECKING:  # a model's own Meta need not derive from it

        class Meta:
            abstract = True
            privileged_fields = ("password", "last_login")

    @classmethod
    def _made(cls, options: Options) -> None:
        super()._made(options)
        home = sys.modules.get(cls.__module__)
        cls._home = None if home is None else ref(home)
        names = [field.name for field in options.local_fields]
        if cls.USERNAME_FIELD not in names and options.find_field(cls.USERNAME_FIELD) is None:
            raise ModelError(
                f"{cls.__name__}.USERNAME_FIELD is {cls.USERNAME_FIELD!r}, and there is no such field.",
                code="auth/username-field",
                where=options.where,
                why="It is the field by which somebody logs in.",
                hint=did_you_mean(cls.USERNAME_FIELD, names) or 'USERNAME_FIELD = "email"',
            )

    def __str__(self) -> str:
        return self.get_username()

    # Names

    def get_username(self) -> str:
        """Return the value of `USERNAME_FIELD`."""
        return str(getattr(self, self.USERNAME_FIELD) or "")

    def natural_key(self) -> tuple[str]:
        """Return what names this user in dumps."""
        return (self.get_username(),)

    def normalize(self) -> None:
        """Bring name and address into the form in which they are kept."""
        for name in {self.USERNAME_FIELD, self.EMAIL_FIELD, "username"}:
            value = self.__dict__.get(name)
            if isinstance(value, str):
                is_address = name == self.EMAIL_FIELD
                self.__dict__[name] = normalized_email(value) if is_address else normalized_name(value)

    def clean(self) -> None:
        """Normalize; called by `full_clean()` and by forms."""
        super().clean()
        self.normalize()

    def _demand_name(self) -> None:
        if not self.get_username():
            raise ValidationError([Fault((self.USERNAME_FIELD,), "blank", "This field cannot be blank.")])
        field: Any = self._meta.find_field(self.USERNAME_FIELD)
        try:
            field.clean(self.get_username(), self)
        except ValidationError as error:
            faults = [Fault((self.USERNAME_FIELD,), each.code, each.message, each.params) for each in error.faults]
            raise ValidationError(faults) from None

    # Passwords

    def set_password(self, password: str | None) -> None:
        """Keep a new password, hashed; `save()` writes it. `None` takes it away."""
        self.password = make_password(password)

    async def aset_password(self, password: str | None) -> None:
        """`set_password()` in async code."""
        self.password = await amake_password(password)

    def set_unusable_password(self) -> None:
        """Let nobody log in by a password."""
        self.password = make_password(None)

    def has_usable_password(self) -> bool:
        """Tell whether somebody can log in by a password."""
        return is_password_usable(self.password)

    def check_password(self, password: str) -> bool:
        """Tell whether *password* is this user's. It is hashed anew at log in, not here."""
        return check_password(password, self.password)

    async def acheck_password(self, password: str) -> bool:
        """`check_password()` in async code."""
        return await acheck_password(password, self.password)


class AbstractUser(AbstractBaseUser):
    """A user as most sites have one: names, groups, permissions. Log in is by e-mail.

    A `username` is there for those who want one; `USERNAME_FIELD = "username"` makes it the name
    that is logged in with, `username = None` takes it away. Both are unique whatever their case.

    >>> class Member(AbstractUser):  # doctest: +SKIP
    ...     instrument = db.CharField(max_length=50, blank=True)
    """

    email = db.EmailField(verbose_name="e-mail address")
    username = db.CharField(max_length=150, null=True, blank=True, default=None)
    first_name = db.CharField(max_length=150, blank=True)
    last_name = db.CharField(max_length=150, blank=True)
    is_staff = db.BooleanField(default=False)
    is_superuser = db.BooleanField(default=False)
    is_active = db.BooleanField(default=True)
    date_joined = db.DateTimeField(default=clock.today, editable=False)
    # No way back: two apps in one process may each have users. `Group.user_set` is the running app's.
    groups = db.ManyToManyField(Group, blank=True, related_name="+")
    user_permissions = PermissionsField()

    if not TYPE_CHECKING:

        class Meta:
            abstract = True
            privileged_fields = ("is_staff", "is_superuser", "is_active", "groups", "user_permissions")

    @classmethod
    def _made(cls, options: Options) -> None:
        super()._made(options)
        if options.proxy:
            return
        # Not in Meta, where a model's own constraints would take their place.
        names = [name for name in ("email", "username") if _has_own(options, name)]
        unique = [_unique(name, may_be_empty=name == "email" != cls.USERNAME_FIELD) for name in names]
        options.constraints = [*options.constraints, *unique]

    # Names

    def get_full_name(self) -> str:
        """Return first and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        """Return the first name."""
        return self.first_name

    # Permissions

    def get_all_permissions(self, obj: Any = None) -> set[str]:
        """Return the permissions this user has, by groups too; asked once for each instance.

        A request has an instance of its own, so what a group is given counts from the next one on.
        """
        return set(run(self._permitting()))

    async def aget_all_permissions(self, obj: Any = None) -> set[str]:
        """`get_all_permissions()` in async code."""
        return set(await arun(self._permitting()))

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Tell whether this user has a permission, such as `core.change_record`.

        Args:
            obj: For one row: then its policies say, where the model has some.

        Raises:
            UsageError: No model of the running app has it (`auth/unknown-permission`).
        """
        demand_known([perm])
        return run(self._holding([perm])) if obj is None else db.can(self, _action(perm, obj), obj)

    async def ahas_perm(self, perm: str, obj: Any = None) -> bool:
        """`has_perm()` in async code."""
        demand_known([perm])
        return await (arun(self._holding([perm])) if obj is None else db.acan(self, _action(perm, obj), obj))

    def has_perms(self, perms: Iterable[str], obj: Any = None) -> bool:
        """Tell whether this user has all of these permissions."""
        return all(self.has_perm(each, obj) for each in _listed(perms))

    async def ahas_perms(self, perms: Iterable[str], obj: Any = None) -> bool:
        """`has_perms()` in async code."""
        for each in _listed(perms):
            if not await self.ahas_perm(each, obj):
                return False
        return True

    def has_module_perms(self, label: str) -> bool:
        """Tell whether this user has any permission of the models with that label."""
        return run(self._holding_any(label))

    async def ahas_module_perms(self, label: str) -> bool:
        """`has_module_perms()` in async code."""
        return await arun(self._holding_any(label))

    def holds_permission(self, perm: str) -> bool:
        """`has_perm()` for policies: what no model has, nobody has but a superuser."""
        return run(self._holding([perm]))

    async def aholds_permission(self, perm: str) -> bool:
        """`holds_permission()` in async code."""
        return await arun(self._holding([perm]))

    def _permitting(self) -> Operation[frozenset[str]]:
        if not self.is_active:
            return frozenset()
        kept: frozenset[str] | None = self.__dict__.get("_permissions")
        if kept is None:
            lists = self.groups.values_list("permissions", flat=True) if self.pk is not None else None
            rows: list[Any] = [] if lists is None else (yield from listing(lists))
            kept = frozenset([*self.user_permissions, *(text for row in rows for text in row)])
            self.__dict__["_permissions"] = kept
        return kept

    def _holding(self, perms: Iterable[str]) -> Operation[bool]:
        if not self.is_active or self.is_superuser:
            return self.is_active
        held = yield from self._permitting()
        return held.issuperset(perms)

    def _holding_any(self, label: str) -> Operation[bool]:
        if not self.is_active or self.is_superuser:
            return self.is_active
        held = yield from self._permitting()
        return any(each.rpartition(".")[0] == label for each in held)


def _insert(user: Any) -> None:
    # In a transaction of its own, so that one around it goes on where the name is taken.
    with db.atomic():
        user.save()


async def _ainsert(user: Any) -> None:
    async with db.atomic():
        await user.asave()


def _listed(perms: Iterable[str]) -> list[str]:
    if isinstance(perms, str):
        raise TypeError(f"has_perms() takes several permissions: has_perms([{perms!r}])")
    return list(perms)


def _action(perm: str, obj: Any) -> str:
    """Return what a policy calls the action of a permission: of `core.change_record` it is `change`."""
    return perm.rpartition(".")[2].removesuffix(f"_{obj._meta.model_name}")


def _has_own(options: Options, name: str) -> bool:
    return any(field.name == name for field in options.local_fields)


def _unique(name: str, *, may_be_empty: bool) -> db.UniqueConstraint:
    # Where one logs in by another name, several may have no address; NULL is no value that is there twice.
    folded = NullIf(Lower(name), db.Value("")) if may_be_empty else Lower(name)
    words = "e-mail address" if name == "email" else "user name"
    found = db.UniqueConstraint(
        folded,
        name=f"%(app_label)s_%(class)s_{name}",
        violation_error_message=f"There is a user with this {words} already.",
        violation_error_code="unique",
    )
    found.path = (name,)
    return found
