"""What a proxy says of the client, believed only from proxies that are trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from ..errors import BadRequest, SetupError, cut
from .hosts import parse_host

__all__ = ["Peer", "ProxyTrust"]

_MAX_HOPS = 32
_MAX_HEADER = 4096
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class Peer(NamedTuple):
    """Who asks: the client's address, and the scheme and host that it used."""

    client: str
    scheme: str
    host: str


class ProxyTrust:
    """The proxies whose `X-Forwarded-*` headers count; by default there are none.

    Args:
        cidrs: Networks or addresses; `unix` is a peer without an address (a socket file).

    Attributes:
        trusts_any: Whether there are any; without, `resolve` need not be called.

    Raises:
        SetupError: An entry is neither (`http/bad-trusted-proxy`).
    """

    __slots__ = ("_networks", "_unix", "trusts_any")

    def __init__(self, cidrs: Iterable[str] = ()) -> None:
        entries = list(cidrs)
        self._unix = "unix" in entries
        self._networks = [_network(entry) for entry in entries if entry != "unix"]
        self.trusts_any: bool = bool(entries)

    def __repr__(self) -> str:
        return f"<ProxyTrust {', '.join(map(str, self._networks)) or 'none'}>"

    def trusts(self, address: str) -> bool:
        """Whether *address* is a trusted proxy's."""
        if not address:
            return self._unix
        parsed = _address(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    def resolve(
        self,
        peer_ip: str,
        *,
        scheme: str,
        host: str,
        x_forwarded_for: str | None = None,
        x_forwarded_proto: str | None = None,
        x_forwarded_host: str | None = None,
        allows_host: Callable[[str], bool] | None = None,
    ) -> Peer:
        """Return who asks: the right-most hop that is not a trusted proxy.

        What is malformed is ignored. `Forwarded`, `X-Real-IP` and their like are not read.

        Args:
            peer_ip: The socket's other end.
            scheme: Of the connection.
            host: The Host header.
            allows_host: Whether the site answers for a forwarded host; one that it
                refuses is ignored.
        """
        if not self.trusts(peer_ip):
            return Peer(peer_ip, scheme, host)
        client, trusted = peer_ip, 1
        if x_forwarded_for is not None and len(x_forwarded_for) <= _MAX_HEADER:
            for hop in reversed(x_forwarded_for.rsplit(",", _MAX_HOPS)[-_MAX_HOPS:]):
                parsed = _hop(hop)
                if parsed is None:
                    break
                client = str(parsed)
                if not self.trusts(client):
                    break
                trusted += 1
        forwarded = _SCHEMES.get(_entry(x_forwarded_proto, trusted).lower())
        name = _entry(x_forwarded_host, trusted)
        if name and _is_host(name) and (allows_host is None or allows_host(name)):
            host = name
        return Peer(client, forwarded or scheme, host)


def _network(entry: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(entry, strict=False)
    except ValueError:
        raise SetupError(
            f"TRUSTED_PROXIES holds {cut(entry)}, which is no network.",
            code="http/bad-trusted-proxy",
            hint='Write addresses or networks: ["127.0.0.1", "10.0.0.0/8"].',
        ) from None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    if len(text) > 45:
        return None
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket shows an IPv4 peer as ::ffff:a.b.c.d.
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _hop(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address of one hop, which may carry a port."""
    text = text.strip(" \t")
    if text.startswith("["):
        address, bracket, port = text[1:].partition("]")
        return _address(address) if bracket and _is_port(port) else None
    if text.count(":") == 1:
        address, _, port = text.partition(":")
        return _address(address) if _is_port(f":{port}") else None
    return _address(text)


def _is_port(text: str) -> bool:
    return not text or (text[0] == ":" and text[1:].isascii() and text[1:].isdigit() and len(text) <= 6)


def _entry(header: str | None, trusted: int) -> str:
    """Return what the outermost trusted proxy said, where each adds to the list or one wrote it."""
    if header is None or len(header) > _MAX_HEADER:
        return ""
    values = header.split(",")
    return values[-min(trusted, len(values))].strip(" \t")


def _is_host(text: str) -> bool:
    try:
        parse_host(text)
    except BadRequest:
        return False
    return True
