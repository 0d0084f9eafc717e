"""A mail server in process, and what it was given."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Received:
    """What a mail server was given."""

    envelopes: list[Envelope] = field(default_factory=list)
    logins: list[tuple[str, str, bool]] = field(default_factory=list)  # with whether it was encrypted
    sessions: list[Session] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        self.sessions.append(session)
        return "250 OK"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, kind: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        login, password = data.login.decode(), data.password.decode()
        self.logins.append((login, password, server.transport.get_extra_info("ssl_object") is not None))
        return AuthResult(success=password == "good", handled=False)


class AnyPort(Controller):
    """A server at a port that the system chose; with a context for `ssl_context` it speaks TLS from the first byte."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port: int = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@dataclass
class MailServer:
    """A running server: where it is, whom to trust, and what came."""

    host: str
    port: int
    cafile: Path
    received: Received

    def url(self, scheme: str = "smtp", *, login: str = "", options: str = "") -> str:
        return f"{scheme}://{login}{self.host}:{self.port}?cafile={self.cafile}{options}"
