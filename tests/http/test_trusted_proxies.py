"""What proxies say, and who is believed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import SetupError
from segue.http.proxies import Peer, ProxyTrust

LOCAL = ["127.0.0.1", "10.0.0.0/8", "::1"]


def resolve(trusted: list[str], peer: str = "127.0.0.1", **headers: str) -> Peer:
    return ProxyTrust(trusted).resolve(
        peer,
        scheme="http",
        host="site.example",
        x_forwarded_for=headers.get("for"),
        x_forwarded_proto=headers.get("proto"),
        x_forwarded_host=headers.get("host"),
    )


def test_c13_nobody_is_trusted_by_default() -> None:
    trust = ProxyTrust()

    assert not trust.trusts_any
    assert resolve([], **{"for": "1.1.1.1", "proto": "https", "host": "evil.example"}) == Peer(
        "127.0.0.1", "http", "site.example"
    )


def test_c13_an_untrusted_peer_is_not_believed() -> None:
    found = resolve(LOCAL, "8.8.8.8", **{"for": "1.1.1.1", "proto": "https", "host": "evil.example"})

    assert found == Peer("8.8.8.8", "http", "site.example")


@pytest.mark.parametrize(
    ("header", "client"),
    [
        pytest.param("1.1.1.1", "1.1.1.1", id="C13-one"),
        pytest.param("6.6.6.6, 1.1.1.1", "1.1.1.1", id="C13-spoofed-left"),
        pytest.param("6.6.6.6, 1.1.1.1, 10.1.2.3", "1.1.1.1", id="C13-through-two-proxies"),
        pytest.param("10.0.0.9, 10.0.0.8", "10.0.0.9", id="C13-only-proxies"),
        pytest.param("6.6.6.6, nonsense", "127.0.0.1", id="C13-malformed-right"),
        pytest.param("nonsense, 10.0.0.8", "10.0.0.8", id="C13-malformed-left"),
        pytest.param("", "127.0.0.1", id="C13-empty"),
        pytest.param("unknown", "127.0.0.1", id="C13-unknown"),
        pytest.param("1.1.1.1:5000", "1.1.1.1", id="C13-port"),
        pytest.param("[2001:db8::1]:5000", "2001:db8::1", id="C13-ipv6-port"),
        pytest.param("2001:DB8::1", "2001:db8::1", id="C13-ipv6"),
        pytest.param("::ffff:1.1.1.1", "1.1.1.1", id="K08-mapped"),
        pytest.param("6.6.6.6, ::ffff:10.0.0.1", "6.6.6.6", id="K08-mapped-proxy"),
        pytest.param("010.8.8.8", "127.0.0.1", id="K08-octal"),
        pytest.param("2130706433", "127.0.0.1", id="K08-number"),
        pytest.param("127.1", "127.0.0.1", id="K08-short"),
        pytest.param("1.1.1.1\n", "127.0.0.1", id="K09-line-break"),
        pytest.param("1.1.1.1:x", "127.0.0.1", id="C13-bad-port"),
        pytest.param("[::1", "127.0.0.1", id="C13-unclosed"),
        pytest.param("1:" * 2000, "127.0.0.1", id="K07-long"),
        pytest.param("9.9.9.9," * 1000, "127.0.0.1", id="C13-8-KB"),
        pytest.param("10.0.0.1," * 300 + "10.0.0.2", "10.0.0.1", id="C13-300-proxies"),
    ],
)
def test_c13_the_right_most_hop_that_is_no_proxy_counts(header: str, client: str) -> None:
    assert resolve(LOCAL, **{"for": header}).client == client


@pytest.mark.parametrize(
    ("header", "hops", "scheme"),
    [
        pytest.param("https", "1.1.1.1", "https", id="C14-one"),
        pytest.param("HTTPS", "1.1.1.1", "https", id="C14-capitals"),
        pytest.param("wss", "1.1.1.1", "https", id="C14-websocket"),
        pytest.param("https, http", "1.1.1.1", "http", id="C14-spoofed-left"),
        pytest.param("https, http", "1.1.1.1, 10.0.0.1", "https", id="C14-two-proxies"),
        pytest.param("javascript", "1.1.1.1", "http", id="C14-other"),
        pytest.param("", "1.1.1.1", "http", id="C14-empty"),
        pytest.param("https" * 2000, "1.1.1.1", "http", id="C14-long"),
    ],
)
def test_c14_the_scheme_is_what_the_outermost_trusted_proxy_saw(header: str, hops: str, scheme: str) -> None:
    assert resolve(LOCAL, **{"for": hops, "proto": header}).scheme == scheme


@pytest.mark.parametrize(
    ("header", "host"),
    [
        pytest.param("public.example", "public.example", id="D02-trusted"),
        pytest.param("evil.example, public.example", "public.example", id="D02-spoofed-left"),
        pytest.param("a/b", "site.example", id="D02-malformed"),
        pytest.param("user@evil.example", "site.example", id="D02-user"),
        pytest.param("", "site.example", id="D02-empty"),
    ],
)
def test_d02_a_forwarded_host_is_checked(header: str, host: str) -> None:
    assert resolve(LOCAL, host=header).host == host


def test_d02_a_forwarded_host_that_the_site_does_not_answer_for_is_ignored() -> None:
    found = ProxyTrust(["127.0.0.1"]).resolve(
        "127.0.0.1",
        scheme="http",
        host="site.example",
        x_forwarded_host="evil.example",
        allows_host=lambda host: host == "public.example",
    )

    assert found.host == "site.example"


def test_a_socket_file_can_be_trusted() -> None:
    assert resolve(["unix"], "", **{"for": "1.1.1.1"}).client == "1.1.1.1"
    assert resolve(LOCAL, "", **{"for": "1.1.1.1"}).client == ""


def test_a_mapped_peer_is_the_proxy_that_it_is() -> None:
    assert resolve(["127.0.0.1"], "::ffff:127.0.0.1", **{"for": "1.1.1.1"}).client == "1.1.1.1"


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=20), st.text(max_size=20))
def test_any_headers_are_read(hops: str, proto: str, host: str) -> None:
    found = resolve(LOCAL, **{"for": hops, "proto": proto, "host": host})

    assert found.scheme in ("http", "https")
    assert found.host.isascii()


@pytest.mark.parametrize("entry", ["", "*", "proxy.example", "10.0.0.0/33", "300.1.1.1"])
def test_an_entry_that_is_no_network_is_a_start_up_error(entry: str) -> None:
    with pytest.raises(SetupError) as caught:
        ProxyTrust([entry])

    assert caught.value.code == "http/bad-trusted-proxy"
