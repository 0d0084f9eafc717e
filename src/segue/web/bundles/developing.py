"""What a page needs while Vite's development server makes its scripts: for `DEBUG` alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from ...errors import SetupError
from ..csp import PAGE_POLICY
from ..origins import origin_of_url

__all__ = ["dev_server_policy", "react_refresh"]


def dev_server_policy(said: Mapping[str, Any] | None, server: str) -> dict[str, Any]:
    """Return the changes of the content security policy with *server* in them.

    Scripts, pictures and fonts come from there, changes by a socket, and styles are put
    into the page by script.

    Raises:
        SetupError: *server* is no address (`web/bad-dev-server`).
    """
    origin = origin_of_url(server)
    if origin is None:
        raise SetupError(
            f"VITE_DEV_SERVER is {server!r}, which is no address of a server.",
            code="web/bad-dev-server",
            hint="VITE_DEV_SERVER=http://localhost:5173",
        )
    here = str(origin)
    socket = "ws" + here.removeprefix("http")
    changes: dict[str, Any] = dict(said or {})
    for name, more in {
        "script-src": (here,),
        "style-src": (here, "'unsafe-inline'"),
        "img-src": (here,),
        "font-src": (here,),
        "connect-src": (here, socket),
    }.items():
        before: Any = changes.get(name, PAGE_POLICY.get(name, PAGE_POLICY["default-src"]))
        if before is None:
            continue  # nothing restricts it
        words = before.split() if isinstance(before, str) else list(before)
        changes[name] = " ".join([word for word in words if word != "'none'"] + list(more))
    return changes


def react_refresh(base: str, nonce: str) -> Markup:
    """Return the script by which React's components are changed in a running page."""
    return Markup(
        '<script type="module" nonce="{}">\n'
        'import refresh from "{}@react-refresh";\n'
        "refresh.injectIntoGlobalHook(window);\n"
        "window.$RefreshReg$ = () => {{}};\n"
        "window.$RefreshSig$ = () => (type) => type;\n"
        "window.__vite_plugin_react_preamble_installed__ = true;\n"
        "</script>"
    ).format(nonce, base)
