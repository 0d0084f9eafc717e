"""Addresses of mail servers, as `MAIL` has them.

smtp://user:password@host:587        STARTTLS, and nothing without it
smtps://user:password@host           TLS from the first byte (port 465)
console:  memory:  dummy:            the terminal, a list, nothing
file:var/mail                        a folder, from the app's
package.module:Class                 a back end of your own
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from ..conversion import is_table
from ..errors import SetupError, cut, did_you_mean
from ..masking import mask
from ..targets import Target

__all__ = ["LocalAddress", "MailAddress", "SMTPAddress", "parse_mail_url", "read_mailers"]

TLS = Literal["starttls", "ssl", "none"]
_LOCAL = ("console", "dummy", "file", "memory")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OPTIONS = ("cafile", "helo", "timeout", "tls")
FORMS = (
    "smtp://user:password@host:587?tls=starttls&timeout=10\n"
    "smtps://user:password@host\n"
    "console:   memory:   dummy:   file:var/mail\n"
    "package.module:Class"
)


@dataclass(frozen=True, slots=True)
class SMTPAddress:
    """A server, and how it is talked to.

    Attributes:
        tls: `starttls`, `ssl` (from the first byte) or `none`.
        cafile: Who may vouch for the server; empty: those whom the system trusts.
        helo: How this machine names itself; empty: by its host name.
    """

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: TLS = "starttls"
    timeout_seconds: float = 10.0
    cafile: str = ""
    helo: str = ""

    def __repr__(self) -> str:
        return f"<SMTPAddress {self.host}:{self.port}, tls {self.tls}>"


@dataclass(frozen=True, slots=True)
class LocalAddress:
    """A back end that reaches no server: `console`, `memory`, `dummy`, `file` with its folder."""

    kind: str
    folder: str = ""


MailAddress: TypeAlias = SMTPAddress | LocalAddress | Target


def parse_mail_url(text: str) -> MailAddress:
    """Read one address; nothing is connected or imported.

    Raises:
        SetupError: It has none of the forms (`mail/bad-url`).
    """
    scheme, colon, rest = text.strip().partition(":")
    if scheme in ("smtp", "smtps") and rest.startswith("//"):
        return _smtp(text.strip())
    if scheme in _LOCAL and not (scheme == "file" and not rest):
        folder = unquote(rest.removeprefix("//")) if scheme == "file" else ""
        if scheme == "file" or not rest:
            return LocalAddress(scheme, folder)
    if colon and rest.startswith("//"):
        raise _bad(text, f"There is no way to send mail by {cut(scheme)}.")
    return Target.parse(text)


def read_mailers(value: Any) -> dict[str, MailAddress]:
    """Read `MAIL`: one address, or several by name, of which one is `default`.

    Raises:
        SetupError: One of them has none of the forms, or none is `default` (`mail/bad-url`).
    """
    if not value:
        return {}
    given = cast("dict[str, Any]", value) if is_table(value) else {"default": value}
    if "default" not in given:
        raise SetupError(
            "None of the mailers in MAIL is the default.",
            code="mail/bad-url",
            why=f"There are {', '.join(sorted(given))}.",
            hint='MAIL = {"default": "smtp://…", "newsletter": "smtp://…"}',
        )
    return {name: parse_mail_url(str(each)) for name, each in given.items()}


def _smtp(text: str) -> SMTPAddress:
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        timeout = float(options.get("timeout", "10"))
    except ValueError as error:
        raise _bad(text, f"{error}.") from None
    for name in options:
        if name not in _OPTIONS:
            raise _bad(text, f"There is no option {cut(name)}. {did_you_mean(name, _OPTIONS)}")
    if not host or parts.path.strip("/") or not 0 < timeout <= 600:
        raise _bad(text, "It needs a host and no path, and its time-out is up to 600 seconds.")
    tls = _tls(text, options.get("tls"), is_secure=parts.scheme == "smtps", host=host)
    return SMTPAddress(
        host=host,
        port=port or (465 if tls == "ssl" else 587 if tls == "starttls" else 25),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=tls,
        timeout_seconds=timeout,
        cafile=options.get("cafile", ""),
        helo=options.get("helo", ""),
    )


def _tls(text: str, said: str | None, *, is_secure: bool, host: str) -> TLS:
    if said is None:
        # What stays in this machine is read by nobody else.
        return "ssl" if is_secure else "none" if host in _LOOPBACK else "starttls"
    if said not in get_args(TLS) or (is_secure and said != "ssl"):
        raise _bad(text, f"tls={cut(said)}: it is starttls, ssl or none, and of smtps only ssl.")
    return cast("TLS", said)


def _bad(text: str, why: str) -> SetupError:
    return SetupError(
        f"{cut(mask('MAIL', text))} is no address for mail.",
        code="mail/bad-url",
        why=why,
        hint="Write one of:\n" + FORMS,
    )
