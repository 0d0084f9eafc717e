"""Whose users an app has: what `Auth()` decided, for everything that asks for them.

Holds: `Accounts`, provided by `install`; `get_user_model`.
Imports: the models of users, the context, targets.
Never: keeps a user of a request.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from weakref import ref

from ..colours import Operation
from ..context import Key, find_current
from ..errors import SetupError, UsageError
from ..places import caller_place
from .users import AbstractBaseUser

__all__ = ["ACCOUNTS", "Accounts", "accounts_of", "find_accounts", "get_user_model"]


@dataclass(frozen=True, slots=True)
class Accounts:
    """The users of one app.

    Attributes:
        user: Their class: a model, or what satisfies `UserProtocol`.
        prefix: Where the pages of log in and out are.
        place: Where `Auth()` was registered.
        has_passkeys: Whether its users may have passkeys.
        second_step: Called before a login as `(request, user, backend, remember)`: begins the step of
            the second factor and gives `True` where the user has one. `None` where nobody has.
        providers: Who else is asked who somebody is; see `segue.auth.social`.
    """

    user: Any
    prefix: str
    place: str
    has_passkeys: bool = False
    second_step: Callable[[Any, Any, str | None, bool], Operation[bool]] | None = None
    providers: tuple[Any, ...] = ()

    @property
    def is_model(self) -> bool:
        """Whether users are rows."""
        return hasattr(self.user, "_meta")


ACCOUNTS: Key[Accounts] = Key("accounts")


def find_accounts() -> Accounts | None:
    """Return the accounts of the running app; `None` where none runs, or it has no users."""
    context = find_current()
    values: Any = getattr(context.app, "values", {}) if context is not None else {}
    found: Accounts | None = values.get(ACCOUNTS)
    return found


def accounts_of(context: Any) -> Accounts:
    """Return the accounts of the app of *context*.

    Raises:
        UsageError: It has no users (`auth/not-registered`).
    """
    found: Accounts | None = context.app.values.get(ACCOUNTS)
    if found is None:
        raise UsageError(
            f"{context.app.app!r} has no users.",
            code="auth/not-registered",
            why="They come with the battery Auth, which is not registered.",
            hint='from segue.auth import Auth\napp.register(Auth(), prefix="/accounts")',
        )
    return found


@dataclass(frozen=True, slots=True)
class _Answer:
    """What `get_user_model()` said before an app was there to ask."""

    package: str
    model: ref[Any]
    place: str


_answers: list[_Answer] = []


def get_user_model() -> Any:  # Any: the site's own class
    """Return the class of the site's users, for foreign keys to it too.

    It is the running app's; before one runs, the only user model that is defined so far, first in
    the calling module's package; where there is none, `segue.auth.User`.

    Raises:
        UsageError: Several are defined, and no app says which (`auth/several-user-models`).
    """
    accounts = find_accounts()
    if accounts is not None:
        return accounts.user
    package = _package_of_caller()
    model = _of_package(package) or _only(list(_concrete())) or _built_in()
    _answers.append(_Answer(package, ref(model), caller_place()))
    return model


def user_model_for(import_name: str) -> Any:  # Any: the site's own class
    """Return the user model of an app that names none: its package's own, else `segue.auth.User`.

    Raises:
        UsageError: Its package has several (`auth/several-user-models`).
    """
    return _of_package(import_name.partition(".")[0]) or _built_in()


def demand_one_answer(accounts: Accounts, import_name: str) -> None:
    """Refuse that `get_user_model()` said another class than `Auth(user=…)` to this app's package.

    Raises:
        SetupError: It did (`auth/two-user-models`).
    """
    package = import_name.partition(".")[0]
    for each in _answers:
        model = each.model()
        if model is None or each.package != package or not _is_there(model):
            continue
        if _name_of(model) != _name_of(accounts.user):
            raise SetupError(
                f"Auth() has {accounts.user.__name__}, and get_user_model() said {model.__name__} before.",
                code="auth/two-user-models",
                where=f"{accounts.place}\n{each.place}",
                why="Without a running app, get_user_model() returns the only user model that is defined so far.",
                hint=f"Define {accounts.user.__name__} first, or import it there instead of calling get_user_model().",
            )


def _concrete(kind: type[Any] = AbstractBaseUser) -> Iterator[Any]:
    for each in kind.__subclasses__():
        options = each.__dict__.get("_meta")
        if (
            options is not None
            and not options.abstract
            and not options.proxy
            and each.__module__ != f"{__package__}.user"
            and _is_there(each)
        ):
            yield each
        yield from _concrete(each)


def _of_package(package: str) -> Any:
    return _only([each for each in _concrete() if _root(each) == package])


def _built_in() -> Any:
    from .user import User  # defined only where it is a site's

    return User


def _root(model: Any) -> str:
    return str(model.__module__).partition(".")[0]


def _only(models: list[Any]) -> Any:
    known = {_name_of(each): each for each in models}
    if len(known) > 1:
        raise UsageError(
            f"There are several user models: {', '.join(sorted(name for _, name in known))}.",
            code="auth/several-user-models",
            why="No app is running that would say which it has.",
            hint="Import the one that is meant, or make the others abstract.",
        )
    return next(iter(known.values()), None)


def _is_there(model: Any) -> bool:
    """Tell whether the module of a model is still the one it was defined in; a forgotten class lives on a while."""
    if model._home is None:
        return True
    module = sys.modules.get(model.__module__)
    return module is not None and module is model._home()


def _name_of(model: Any) -> tuple[str, str]:
    # A class of the same name and module was defined anew, as a shell does.
    return model.__module__, model.__qualname__


def _package_of_caller() -> str:
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]  # documented, and there is no other
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
