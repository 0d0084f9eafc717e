"""The configuration keys of the core, with their defaults.

Holds: one table; each battery declares its own keys in its `install.py`.
Imports: floor 0.
Never: reads a value.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any, Literal

from .config import Config

__all__ = ["declare_core"]


def declare_core(config: Config) -> None:
    """Declare every key that the core reads."""
    declare = config.declare
    declare("DEBUG", False, doc="Development: errors show themselves to a local browser.")
    declare("DEBUGGER", False, doc="In debug, error pages run Python in their frames; the log has the PIN.")
    declare("TESTING", False, doc="Set by the test client.")
    declare(
        "SECRET_KEY", None, type=str, secret=True, env="SECRET_KEY", doc="Signs cookies and tokens; 32 bytes or more."
    )
    declare("SECRET_KEY_FALLBACKS", [], secret=True, doc="Former keys that still verify.")
    declare("DATABASE", None, secret=True, env="DATABASE_URL", doc="Address of the database, or several by name.")
    declare("ATOMIC_REQUESTS", False, doc="Whether each handler runs in a transaction of the default database.")
    declare("DATABASE_ROUTERS", [], doc="Who says in which database a model's rows are: objects, or their targets.")
    declare(
        "FETCH_MODE",
        "peers",
        type=Literal["peers", "one", "raise"],
        doc="What touching an unloaded relation does: load it for all `peers`, for `one` row, or `raise`.",
    )
    declare("STRICT_POLICIES", False, doc="Whether what no policy allows is denied, permissions of models or not.")
    declare("REDIS_URL", None, type=str, secret=True, env="REDIS_URL", doc="Address of Redis.")
    declare(
        "CACHES",
        None,
        secret=True,
        doc="Where caches keep their values: an address, or several by name; else in memory.",
    )
    declare("SITE_URL", None, type=str, doc="The canonical origin, such as https://www.example.com.")
    declare("SERVER_NAME", None, type=str, doc="The domain below which `subdomain=` routes live.")
    declare(
        "ALLOWED_HOSTS", [], doc="Hosts answered for: literal, or `.example.com` for all below. Default: SITE_URL's."
    )
    declare("TRUSTED_PROXIES", [], doc="Networks whose X-Forwarded-* headers are believed.")
    declare("TRUSTED_ORIGINS", [], doc="Other origins that may send forms.")
    declare("CSRF_PROTECTION", True, doc="Whether a request of another site that would change something is refused.")
    _declare_sessions(config)
    declare("CSP", None, doc="Content security policy directives to add or replace; None removes one.")
    declare("SILENCED_CHECKS", [], doc="Ids of findings that `segue check` leaves out, such as urls.W003.")
    declare("MAX_CONTENT_LENGTH", 2_500_000, doc="Largest body in bytes; `max_body=` on a route overrides it.")
    declare("MAX_FORM_FIELDS", 1000, doc="Most fields of a form or query.")
    declare("MAX_FILES", 100, doc="Most files of one request.")
    declare("THREADS", min(32, 4 * (os.cpu_count() or 1)), doc="Threads for `def` handlers, per worker.")
    declare("THREAD_QUEUE_SECONDS", 5.0, doc="A `def` handler that found no thread for so long is refused (503).")
    declare("HANDLER_DEADLINE_SECONDS", 30.0, doc="An `async def` handler that runs longer is cancelled (503).")
    declare(
        "LOOP_BLOCKED_SECONDS",
        None,
        type=float,
        doc="A step that holds the event loop for longer is logged, with its place; by default 0.1 in debug.",
    )
    declare("MAX_IN_FLIGHT", 0, doc="Most requests at once per worker; more are refused (503). 0: the server's limit.")
    declare(
        "TEMPLATES_AUTO_RELOAD", None, type=bool, doc="Look at templates anew for each rendering; by default in debug."
    )
    declare("STATIC_URL", "/static/", doc="Where static files are, a path or a CDN's address.")
    declare("STATIC_ROOT", "build/static", doc="Where `segue static build` writes them; relative to the app.")
    declare("MAIL", None, secret=True, doc="What sends mail: smtp://user:password@host, or several by name.")
    declare("MAIL_FROM", None, type=str, doc="Who sends the mails that name no sender: `Club <club@example.com>`.")
    declare("MAIL_SUBJECT_PREFIX", None, type=str, doc="Before the subjects of `mail_admins`; default: the app's name.")
    declare("ADMINS", [], doc="Addresses that `mail_admins` writes to.")
    declare("HOST", "127.0.0.1", doc="Address to listen on.")
    declare("PORT", 8000, env="PORT", doc="Port to listen on.")
    declare("WORKERS", 1, env="WEB_CONCURRENCY", doc="Worker processes.")
    declare("LOG_LEVEL", "INFO", env="LOG_LEVEL", doc="Least severe level that is logged.")


def _declare_sessions(config: Config) -> None:
    declare = config.declare
    declare(
        "SESSION_STORE",
        "cookie",
        type=Any,
        doc="Where sessions are kept: cookie, database, redis, cache, redis://…, cache://name, or a target.",
    )
    declare("SESSION_COOKIE_NAME", None, type=str, doc="By default __Host-session; where it is not secure, session.")
    declare("SESSION_COOKIE_SECURE", None, type=bool, doc="Whether it is sent by TLS alone; by default outside debug.")
    declare("SESSION_COOKIE_SAMESITE", "Lax", type=Literal["Lax", "Strict", "None"], doc="Lax, Strict or None.")
    declare("SESSION_COOKIE_DOMAIN", None, type=str, doc="By default the host alone.")
    declare("SESSION_COOKIE_PATH", "/", doc="Below which path the cookie is sent.")
    declare("SESSION_IDLE", 14 * 86400, type=timedelta | float, doc="A session unused for so long ends (seconds).")
    declare("SESSION_LIFETIME", 30 * 86400, type=timedelta | float, doc="No session gets older than this (seconds).")
    declare("SESSION_PERMANENT", False, doc="Whether sessions outlive the browser, unless they say otherwise.")
