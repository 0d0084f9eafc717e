"""SECURITY Q02, OPERATE-14: mails reach a server, encrypted or not at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TextIO

import pytest
from mail_servers import MailServer

from segue.mail import (
    BadHeaderError,
    DeliveryError,
    EmailMessage,
    MailBackend,
    asend_mass_mail,
    get_connection,
    send_mass_mail,
)

StartServer = Callable[..., MailServer]


class ScriptedServer:
    """Offers STARTTLS and refuses it, to each connection anew."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.connections = 0
        self._socket = socket.create_server(("localhost", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                with connection, connection.makefile("rw", newline="") as stream:
                    self._converse(stream)

    def _converse(self, stream: TextIO) -> None:
        say = {"EHLO": "250-test\r\n250 STARTTLS\r\n", "STARTTLS": "454 not today\r\n"}
        stream.write("220 test\r\n")
        stream.flush()
        for line in stream:
            self.lines.append(line)
            stream.write(say.get(line.split()[0], "250 OK\r\n"))
            stream.flush()


@pytest.fixture
def refusing_server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def write(connection: MailBackend | None = None, **options: object) -> EmailMessage:
    options = {"to": ["bob@example.com"], "from_email": "Me <me@example.com>", "connection": connection, **options}
    return EmailMessage("Hello", "The text.", **options)  # type: ignore[arg-type]


def test_a_mail_arrives_as_it_was_written(start_server: StartServer) -> None:
    server = start_server()

    sent = write(get_connection(server.url()), cc=["ann@example.com"], bcc=["eve@example.com"]).send()

    envelope = server.received.envelopes[0]
    assert sent == 1
    assert envelope.mail_from == "me@example.com"
    assert envelope.rcpt_tos == ["bob@example.com", "ann@example.com", "eve@example.com"]
    assert b"Subject: Hello\r\n" in envelope.content
    assert b"The text." in envelope.content
    assert b"eve@" not in envelope.content


async def test_an_async_function_sends_without_holding_the_loop(start_server: StartServer) -> None:
    server = start_server()

    sent = await write(get_connection(server.url())).asend()

    assert sent == 1
    assert len(server.received.envelopes) == 1


def test_several_mails_go_over_one_connection(start_server: StartServer) -> None:
    server = start_server()

    with get_connection(server.url()) as connection:
        write(connection).send()
        connection.send_messages([write(), write()])

    assert len(server.received.envelopes) == 3
    assert len({id(session) for session in server.received.sessions}) == 1


@pytest.mark.parametrize(("tls", "scheme"), [("starttls", "smtp"), ("ssl", "smtps")])
def test_a_login_and_a_mail_are_encrypted(start_server: StartServer, tls: str, scheme: str) -> None:
    server = start_server(tls)

    write(get_connection(server.url(scheme, login="me%40club:good@", options=f"&tls={tls}"))).send()

    assert server.received.logins == [("me@club", "good", True)]
    assert len(server.received.envelopes) == 1


def test_a_refused_login_sends_nothing_and_shows_no_password(start_server: StartServer) -> None:
    server = start_server("starttls")
    connection = get_connection(server.url(login="me:s3cret@", options="&tls=starttls"))

    with pytest.raises(DeliveryError) as caught:
        write(connection).send()

    assert server.received.envelopes == []
    assert "s3cret" not in f"{caught.value} {connection!r}"


def test_without_starttls_neither_login_nor_mail_is_sent(start_server: StartServer) -> None:
    server = start_server("none")
    connection = get_connection(server.url(login="me:good@", options="&tls=starttls"))

    with pytest.raises(DeliveryError, match="STARTTLS"):
        write(connection).send()

    assert server.received.logins == []
    assert server.received.envelopes == []


def test_a_certificate_for_another_name_ends_the_connection(start_server: StartServer) -> None:
    server = start_server("starttls", name="other.example.com")
    connection = get_connection(server.url(login="me:good@", options="&tls=starttls"))

    with pytest.raises(DeliveryError, match="certificate"):
        write(connection).send()

    assert server.received.logins == []
    assert server.received.envelopes == []


def test_a_certificate_that_nobody_vouches_for_ends_the_connection(start_server: StartServer) -> None:
    server = start_server("ssl")

    with pytest.raises(DeliveryError, match="certificate"):
        write(get_connection(f"smtps://localhost:{server.port}")).send()

    assert server.received.envelopes == []


def test_after_a_failed_starttls_the_same_back_end_connects_anew(refusing_server: ScriptedServer) -> None:
    connection = get_connection(f"smtp://me:good@localhost:{refusing_server.port}?tls=starttls&timeout=5")

    with pytest.raises(DeliveryError):
        write(connection).send()
    with pytest.raises(DeliveryError):
        write(connection).send()

    assert refusing_server.connections == 2
    assert not any(line.startswith(("AUTH", "MAIL")) for line in refusing_server.lines)


def test_a_server_that_is_not_there_is_an_error_of_the_operator() -> None:
    with socket.create_server(("localhost", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(DeliveryError, match=f"localhost:{port}") as caught:
        write(get_connection(f"smtp://localhost:{port}")).send()

    assert caught.value.status == 503


async def test_the_failure_of_one_does_not_keep_the_others(start_server: StartServer) -> None:
    server = start_server()
    server.received.refused.add("gone@example.com")
    mails = [("1", "", "me@example.com", [to]) for to in ("gone@example.com", "bob@example.com")]

    sent = await asend_mass_mail(mails, fail_silently=True, connection=get_connection(server.url()))

    assert sent == 1
    assert [each.rcpt_tos for each in server.received.envelopes] == [["bob@example.com"]]


def test_one_refused_recipient_of_several_is_logged(
    start_server: StartServer, caplog: pytest.LogCaptureFixture
) -> None:
    server = start_server()
    server.received.refused.add("gone@example.com")

    write(get_connection(server.url()), to=["gone@example.com", "bob@example.com"]).send()

    assert len(server.received.envelopes) == 1
    assert "1 of 2 recipients were refused, by [550]" in caplog.text
    assert "gone@" not in caplog.text


def test_a_bad_header_costs_no_connection(start_server: StartServer) -> None:
    server = start_server()
    mails = [("Hi", "", "me@example.com", ["bob@example.com"]), ("H\ni", "", "me@example.com", ["bob@example.com"])]

    with pytest.raises(BadHeaderError):
        send_mass_mail(mails, connection=get_connection(server.url()))

    assert server.received.envelopes == []


def test_a_dot_on_a_line_does_not_end_the_mail(start_server: StartServer) -> None:
    server = start_server()

    EmailMessage("a", "one\r\n.\r\nMAIL FROM:<x@y>", "me@example.com", ["bob@example.com"],
                 connection=get_connection(server.url())).send()  # fmt: skip

    assert len(server.received.envelopes) == 1
    assert b"\r\n.\r\nMAIL FROM:<x@y>" in server.received.envelopes[0].content
