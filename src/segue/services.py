"""What every app has without registering anything: keys, sessions, caches, mail.

Holds: how each is made of the configuration, at its first use; the parameters and attributes
by which requests reach the session.
Imports: floor 0; each service inside the function that makes it.
Never: loads a service that nobody asked for: half of all apps send no mail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import App

__all__ = ["ATTRIBUTES", "PARAMETERS", "is_served", "service_makers"]


def service_makers(app: App, databases: Any, *, debug: bool) -> Mapping[str, Callable[[], Any]]:
    """Return what makes each service, by the name of its `Key`.

    Raises:
        SetupError: What the configuration says of one cannot be meant.
    """
    config = app.config
    if config["MAIL"]:
        from .mail.urls import read_mailers  # for apps that say how: what is wrong with it stops the start

        read_mailers(config["MAIL"])

    def keys() -> Any:
        from .signing import Keys

        return Keys(config["SECRET_KEY"], config["SECRET_KEY_FALLBACKS"])

    def cookies() -> Any:
        from .signing import SignedCookies

        return SignedCookies(keys())

    def sessions() -> Any:
        from .targets import load_target
        from .web.sessions import Sessions

        return Sessions(
            config,
            keys(),
            debug=debug,
            load=lambda named: load_target(named, root=app.root_path),
            caches=caches,
            space=app.name,
        )

    @cache  # sessions may be in one of them
    def caches() -> Any:
        from .cache.named import make_caches

        return make_caches(config["CACHES"], root=app.root_path, prefix=app.name, databases=databases)

    def mail() -> Any:
        from .mail import Mail

        prefix = config["MAIL_SUBJECT_PREFIX"]
        return Mail(
            config["MAIL"],
            sender=config["MAIL_FROM"],
            admins=config["ADMINS"],
            subject_prefix=f"[{app.name}] " if prefix is None else prefix,
            root=app.root_path,
            is_development=bool(config["DEBUG"]),
            is_testing=app.testing or config["TESTING"],
        )

    # By name, since the module of a key would be loaded with it.
    return {"signing keys": keys, "signed cookies": cookies, "sessions": sessions, "caches": caches, "mail": mail}


def is_served(store: Any) -> bool:
    """Tell whether a `SESSION_STORE` names a server, or a cache, which may be on one."""
    return isinstance(store, str) and (store in ("redis", "cache") or "://" in store)


# Of requests


def _session(request: Any) -> Any:
    from .web.sessions.session import session_of

    return session_of(request)


def _asession(request: Any) -> Any:
    from .web.sessions.session import aloaded

    return partial(aloaded, request)


def _session_parameter() -> Callable[..., Any]:
    from .web.sessions.session import loaded

    return loaded


ATTRIBUTES: Mapping[str, Callable[[Any], Any]] = {"session": _session, "asession": _asession}
PARAMETERS: Mapping[str, Callable[[], Callable[..., Any]]] = {"session": _session_parameter}
