"""Mail servers in process, with the variants of TLS that the tests want."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme
from mail_servers import AnyPort, MailServer, Received


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who vouches for the servers; no system trusts it."""
    return trustme.CA()


@pytest.fixture
def start_server(authority: trustme.CA, tmp_path: Path) -> Iterator[Callable[..., MailServer]]:
    """Start a server: `tls` is `none`, `starttls` or `ssl`; `name` is whom its certificate is for."""
    cafile = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(cafile))
    with ExitStack() as stack:

        def start(tls: str = "none", *, name: str = "localhost") -> MailServer:
            received = Received()
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            authority.issue_cert(name).configure_cert(context)
            own: dict[str, Any] = {
                "starttls": {"tls_context": context, "require_starttls": True},
                "ssl": {"ssl_context": context, "auth_require_tls": False},
                "none": {"auth_require_tls": False},
            }[tls]
            controller = AnyPort(received, hostname="127.0.0.1", port=0, authenticator=received.authenticate, **own)
            controller.start()
            stack.callback(controller.stop)
            return MailServer("localhost", controller.port, cafile, received)

        yield start
