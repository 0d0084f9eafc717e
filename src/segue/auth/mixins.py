"""Gates for classes of views, by inheritance, under Django's names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from ..colours import Operation, pair
from ..errors import SetupError, place_of
from ..handling.exchange import Exchange
from ..handling.markers import marks_of
from .current import finding_user
from .gates import add_gate, forbidden, login_required, permission_gate
from .refusing import refuse_anonymous
from .stepping import calling

__all__ = ["LoginRequiredMixin", "PermissionRequiredMixin", "UserPassesTestMixin"]


class LoginRequiredMixin:
    """Lets only those in who are logged in.

    Attributes:
        login_url: Another login than the key `LOGIN_URL`.
        redirect_field_name: What the login's parameter for the way back is called.
    """

    login_url: ClassVar[str | None] = None
    redirect_field_name: ClassVar[str] = "next"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        login_required(login_url=cls.login_url, redirect_field_name=cls.redirect_field_name)(cls)


class PermissionRequiredMixin:
    """Lets only those in who have a permission.

    Attributes:
        permission_required: Such as `core.change_record`, or several.
        login_url: Another login than the key `LOGIN_URL`.
        raise_exception: Whether those who are not logged in get 403 too.
    """

    permission_required: ClassVar[str | Iterable[str]] = ()
    login_url: ClassVar[str | None] = None
    raise_exception: ClassVar[bool] = False
    _gate: ClassVar[Callable[..., Any] | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.permission_required:  # else a class between leaves it to those below
            gate = permission_gate(
                cls.permission_required, login_url=cls.login_url, raise_exception=cls.raise_exception
            )
            add_gate(cls, gate, instead_of=cls._gate)
            cls._gate = staticmethod(gate)


class UserPassesTestMixin:
    """Lets only those in of whom `test_func()` says so; it finds the request as `self.request`.

    Attributes:
        login_url: Another login than the key `LOGIN_URL`.
        raise_exception: Whether those who are not logged in get 403 too.
    """

    login_url: ClassVar[str | None] = None
    raise_exception: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if getattr(cls, "test_func", None) is None:
            raise SetupError(
                f"{cls.__name__} has no test_func().",
                code="auth/no-test",
                where=place_of(cls),
                why="UserPassesTestMixin asks it whether somebody may pass.",
                hint="def test_func(self):\n    return self.request.user.is_staff",
            )
        add_gate(cls, _check_own_test)


def _ask(exchange: Exchange) -> Operation[None]:
    """Refuse those of whom the view's own test says no."""
    endpoint: Any = exchange.endpoint  # it has one, and a handler: its guard runs
    view = marks_of(endpoint.handler.function)["methods_of"].made_for(exchange)
    user = yield from finding_user(exchange)
    if (yield from calling(view, "test_func")):
        return
    if not user.is_authenticated and not view.raise_exception:
        refuse_anonymous(exchange, login=view.login_url)
    raise forbidden()


_check_own_test = pair(_ask)[0]
