"""Where the app is given its users: keys, models, the request's user, gates, commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from importlib.util import find_spec
from typing import Any

from ..errors import SetupError, did_you_mean
from ..handling.markers import marks_of
from ..places import caller_place
from ..typing import Setup
from .accounts import ACCOUNTS, Accounts, demand_one_answer, user_model_for
from .authenticating import load_backends
from .commands import changepassword, createsuperuser
from .current import auser_attribute, user_attribute, user_parameter
from .gates import require_login
from .groups import Group
from .permissions import PERMISSIONS, demand_known, permissions_of
from .protocol import AnonymousUser
from .remembering import RememberedLogin
from .shown import template_names

__all__ = ["Auth"]


class Auth:
    """The battery of users: `app.register(Auth(user=Member), prefix="/accounts")`.

    Args:
        user: The class of the site's users; `None` is the one user model that the app's package
            defines so far, else `segue.auth.User`.
        login_required: Whether every handler needs a login, but those marked `login_not_required`.
        signup: Whether strangers may make accounts.
        pages: Whether it brings the pages of accounts; without them, the site has its own.
        magic_link: Whether a link in a mail logs in, without a password.
        providers: Whose accounts log in too, such as `[Google()]`; see `segue.auth.social`.
        passkeys: Whether users may log in with passkeys, on those pages; needs `segue[webauthn]`.
    """

    def __init__(
        self,
        user: Any = None,
        *,
        login_required: bool = False,
        signup: bool = True,
        pages: bool = True,
        magic_link: bool = False,
        providers: Sequence[Any] = (),
        passkeys: bool = False,
    ) -> None:
        self.user = user
        self.login_required = login_required
        self.signup = signup
        self.pages = pages
        self.magic_link = magic_link
        self.providers: tuple[Any, ...] = tuple(providers)
        self.passkeys = passkeys

    def __repr__(self) -> str:
        return f"<Auth of {self.user.__name__ if self.user is not None else 'the site'}>"

    def install(self, setup: Setup, *, prefix: str = "/accounts") -> None:
        """Give the app its users.

        Raises:
            SetupError: *user* is no class of users (`auth/bad-user-model`), or passkeys lack what they
                need (`auth/no-fido2`, `auth/needs-pages`).
        """
        user = self._user_class(setup.import_name)
        below = "/" + prefix.strip("/") if prefix.strip("/") else ""
        accounts = Accounts(user, below, caller_place(), self.passkeys)
        has_pages = self.pages and accounts.is_model
        for what in ("magic_link", "providers", "passkeys"):
            if getattr(self, what) and not has_pages:
                raise _without_pages(accounts, what)
        if self.passkeys:
            _demand_fido2(accounts)
            from .pages.passkeys import Passkey  # a table, for sites that have it

            setup.add_models(Passkey)
        _declare(setup.config)
        if has_pages:
            from .pages.routes import pages  # views and forms, for sites that have them
            from .pages.waiting import beginning

            if self.providers:
                _install_providers(setup, self.providers)
            blueprint = pages(
                signup=self.signup,
                magic_link=self.magic_link,
                social=bool(self.providers),
                passkeys=self.passkeys,
            )
            setup.register(blueprint, prefix=prefix)
            accounts = replace(accounts, second_step=beginning, providers=self.providers)
        setup.provide(ACCOUNTS, accounts)
        if accounts.is_model:
            setup.add_models(user, Group, RememberedLogin)
        setup.request_attribute("user")(user_attribute)
        setup.request_attribute("auser")(auser_attribute)
        setup.parameter("user")(user_parameter)
        setup.parameter(user)(user_parameter)
        setup.parameter(AnonymousUser)(user_parameter)
        setup.context_processor(template_names)
        setup.login_gate(require_login, is_default=self.login_required)
        setup.on_compile(partial(_compiled, accounts))
        setup.command(createsuperuser)
        setup.command(changepassword)

    def _user_class(self, import_name: str) -> Any:
        if self.user is None:
            return user_model_for(import_name)
        options = getattr(self.user, "_meta", None)
        if (
            not isinstance(self.user, type)
            or not hasattr(self.user, "is_authenticated")
            or getattr(options, "abstract", False)
        ):
            raise SetupError(
                f"Auth(user={self.user!r}) is no class of users.",
                code="auth/bad-user-model",
                where=caller_place(),
                why="It is a model that derives from AbstractUser or AbstractBaseUser, or what satisfies UserProtocol.",
                hint='class Member(AbstractUser):\n    …\napp.register(Auth(user=Member), prefix="/accounts")',
            )
        return self.user


def _install_providers(setup: Setup, providers: Sequence[Any]) -> None:
    for name in ("httpx2", "joserfc"):
        if find_spec(name) is None:
            raise SetupError(
                f"Auth(providers=…) needs {name}, which is not installed.",
                code="auth/no-oauth",
                where=caller_place(),
                why="It is how a provider is asked, and how what it signs is checked.",
                hint='pip install "segue[oauth]"',
            )
    from .social.models import SocialAccount  # for sites that have providers

    setup.add_models(SocialAccount)
    for each in providers:
        setup.config.declare(f"{each.setting}_CLIENT_ID", "", doc=f"What {each.title} calls this site.")
        setup.config.declare(f"{each.setting}_CLIENT_SECRET", "", secret=True, doc=f"By what {each.title} knows it.")


def _declare(config: Any) -> None:
    declare = config.declare
    # Not in a cookie: a login must end on the server when it ends.
    declare(
        "SESSION_STORE",
        "database",
        type=Any,
        doc="Where sessions are kept: cookie, database, redis, cache, redis://…, cache://name, or a target.",
    )
    declare("AUTHENTICATION_BACKENDS", ["segue.auth:ModelBackend"], doc="Who is asked whose credentials are right.")
    declare("LOGIN_URL", None, type=str, doc="The login: a path or an endpoint; by default below the prefix of Auth.")
    declare("LOGIN_REDIRECT_URL", "/", doc="Where a login leads that was asked for by itself.")
    declare("LOGOUT_REDIRECT_URL", "/", doc="Where a logout leads.")
    declare("AUTH_VERIFY_EMAIL", default=True, doc="Whether a mailed link opens a new account.")
    declare("LOGIN_RATE", "10/5m", doc="Most attempts for one name from one network.")
    declare("LOGIN_NETWORK_RATE", "50/5m", doc="Most attempts from one network.")
    declare("LOGIN_RATE_CACHE", "default", doc="The cache that counts attempts; workers should share it.")
    declare("MAGIC_LINK_SAME_BROWSER", default=False, doc="Whether a mailed link logs in only where it was asked for.")
    declare("FRESH_LOGIN", 600, type=timedelta | float, doc="How long a login is fresh (seconds).")
    declare("REMEMBER_ME", 30 * 86400, type=timedelta | float, doc="How long a browser is known again (seconds).")


def _compiled(accounts: Accounts, compiled: Any) -> None:
    """Decide at the end of the compilation what needs all of it."""
    app = compiled.app
    _demand_database(accounts, app)
    _demand_endpoints(compiled)
    _demand_clients(accounts, app)
    demand_one_answer(accounts, app.import_name)
    list(load_backends(app))
    models: list[Any] = app.owned_models() if app.config["DATABASE"] is not None else []
    known = compiled.values[PERMISSIONS] = permissions_of(models)
    for endpoints in compiled.endpoints.values():
        for endpoint in endpoints:
            marks = marks_of(endpoint.handler.function)
            for guard in marks.get("guards", ()):
                demand_known(marks_of(guard).get("permissions", ()), known=known, where=endpoint.handler.place)
    for part in compiled.parts:
        for guard in part.registries.guards:
            demand_known(marks_of(guard).get("permissions", ()), known=known, where=part.place)


def _demand_clients(accounts: Accounts, app: Any) -> None:
    """Refuse a provider that this site is not known to: its button would lead to an error there."""
    for each in accounts.providers:
        if not each.client_id and not app.config[f"{each.setting}_CLIENT_ID"]:
            raise SetupError(
                f"{each.title} is to log people in, and there is no client id.",
                code="auth/no-client",
                where=accounts.place,
                why="The provider gives one, and a secret, when the site is entered there.",
                hint=f"Set {each.setting}_CLIENT_ID and {each.setting}_CLIENT_SECRET.",
            )


def _without_pages(accounts: Accounts, what: str) -> SetupError:
    return SetupError(
        f"Auth({what}=…) has no pages on which that could be done.",
        code="auth/needs-pages",
        where=accounts.place,
        why="It belongs to the pages of accounts, which need users that are rows.",
        hint=f"Auth({what}=…), without pages=False and with a model of users",
    )


def _demand_fido2(accounts: Accounts) -> None:
    if find_spec("fido2") is None:
        raise SetupError(
            "Auth(passkeys=True) needs a library that is not installed.",
            code="auth/no-fido2",
            where=accounts.place,
            hint='pip install "segue[webauthn]"',
        )


def _demand_endpoints(compiled: Any) -> None:
    """Refuse a target that is no path and no endpoint: it would be missed only once somebody had logged in."""
    for key in ("LOGIN_URL", "LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL"):
        target = compiled.app.config[key]
        if target and "/" not in target and target not in compiled.endpoints:
            raise SetupError(
                f"{key} is {target!r}, and there is no such endpoint.",
                code="auth/unknown-endpoint",
                where=f"the configuration key {key}",
                why="It is a path, which begins with a slash, or the name of an endpoint.",
                hint=did_you_mean(target, compiled.endpoints) or f"{key} = {'/' + target!r}",
            )


def _demand_database(accounts: Accounts, app: Any) -> None:
    needs = accounts.is_model or app.config["SESSION_STORE"] == "database"
    if needs and app.config["DATABASE"] is None:
        raise SetupError(
            "Auth() keeps users and sessions in a database, and this app has none.",
            code="auth/no-database",
            where=accounts.place,
            why='Sessions are kept there unless SESSION_STORE says otherwise, such as "cookie".',
            hint=f'App(__name__, database="sqlite:///{app.name}.db")',
        )
