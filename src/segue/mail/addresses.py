"""Addresses of mailboxes: read strictly, one in a text, and written so that they stay one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.header import Header
from typing import TypeAlias

from ..errors import SegueError, UsageError, cut
from .headers import check_text

__all__ = ["Address", "AddressLike", "InvalidAddress", "encode_addresses", "read_address", "read_addresses"]

MAX_ADDRESS = 320
MAX_DISPLAY_NAME = 256
_MAX_LOCAL = 64
_MAX_DOMAIN = 253

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_DOMAIN = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
# What ends or begins an address; unquoted, it is somebody's attempt at a second one.
_SPECIALS = re.compile(r'[()<>\[\]:;@\\,"]')
# Marks that turn the direction of writing: with them one address looks like another.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")

AddressLike: TypeAlias = str | tuple[str, str]


class InvalidAddress(SegueError, ValueError):
    """A text is not the address of one mailbox."""

    code = "mail/bad-address"
    status = 400


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox.

    Attributes:
        name: What a person is shown; may be empty.
        mailbox: What the server is told: ASCII, the domain in its ASCII form.
    """

    name: str
    mailbox: str

    @property
    def domain(self) -> str:
        """What stands behind the `@`."""
        return self.mailbox.rpartition("@")[2]

    def encode(self) -> str:
        """Return it as it stands in a header."""
        return f"{_encode_name(self.name)} <{self.mailbox}>" if self.name else self.mailbox


def read_address(value: AddressLike, *, header: str = "To") -> Address:
    """Read `me@example.com`, `Me <me@example.com>`, or the pair of name and address.

    The pair takes every name as it is; in a text, a name with `,`, `@` and the like must
    stand in double quotes.

    Args:
        header: What it is for, for the error.

    Raises:
        BadHeaderError: It holds a line break or another control character.
        InvalidAddress: It is no address, or several.
    """
    if isinstance(value, str):
        name, mailbox = _split(check_text(header, value).strip(), header)
    else:
        name, mailbox = (check_text(header, part).strip() for part in value)
    if len(name) > MAX_DISPLAY_NAME or _DIRECTION.search(name):
        raise _invalid(header, name, "The name is too long, or turns the direction of writing.")
    return Address(name, _mailbox(mailbox, header))


def read_addresses(values: Iterable[AddressLike] | None, *, header: str) -> list[Address]:
    """Read a list of addresses.

    Raises:
        UsageError: It is one text instead of a list (`mail/not-a-list`).
    """
    if isinstance(values, str):
        raise UsageError(
            f"{header} is one text, {cut(values)}; it is a list of addresses.",
            code="mail/not-a-list",
            why="A text is a list of its letters.",
            hint=f"[{cut(values)}]",
        )
    return [read_address(value, header=header) for value in values or ()]


def encode_addresses(addresses: Iterable[Address]) -> str:
    """Return *addresses* as they stand in a header, one on a line."""
    return ",\n ".join(each.encode() for each in addresses)


def _split(text: str, header: str) -> tuple[str, str]:
    if not text.endswith(">"):
        return "", text
    name, bracket, mailbox = text[:-1].rpartition("<")
    name = name.strip()
    quoted = _QUOTED.fullmatch(name)
    if quoted is not None:
        return re.sub(r"\\(.)", r"\1", quoted[1]), mailbox
    if not bracket or _SPECIALS.search(name):
        raise _invalid(header, text, 'A name that holds any of ( ) < > [ ] : ; @ , " must stand in double quotes.')
    return name, mailbox


def _mailbox(text: str, header: str) -> str:
    if len(text) > MAX_ADDRESS:
        raise _invalid(header, text, f"An address has at most {MAX_ADDRESS} characters.")
    local, at, domain = text.rpartition("@")
    if not at or len(local) > _MAX_LOCAL or not _LOCAL.fullmatch(local):
        raise _invalid(
            header, text, "One address, and before its @ letters of ASCII, digits, and . _ + - and the like."
        )
    domain = _ascii_domain(domain)
    if len(domain) > _MAX_DOMAIN or not _DOMAIN.fullmatch(domain):
        raise _invalid(header, text, "What stands behind the @ is no name of a domain.")
    return f"{local}@{domain}"


def _ascii_domain(domain: str) -> str:
    if domain.isascii() or len(domain) > _MAX_DOMAIN:
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _encode_name(name: str) -> str:
    if not name.isascii() or "=?" in name:
        return Header(name, "utf-8", maxlinelen=75).encode()
    if _SPECIALS.search(name) or "." in name:
        return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return name


def _invalid(header: str, text: str, why: str) -> InvalidAddress:
    return InvalidAddress(
        f"{header} is not the address of one mailbox: {cut(text)}",
        why=why,
        hint='"me@example.com", "Me <me@example.com>" or ("Me, myself", "me@example.com")',
    )
