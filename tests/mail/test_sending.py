"""OPERATE-14, SECURITY H03: who sends a mail, where it goes, and when."""

from __future__ import annotations

import io
import logging
import stat
from collections.abc import Callable, Sequence
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from segue import App, mail
from segue.errors import SetupError, UsageError
from segue.mail import (
    MAIL,
    DeliveryError,
    EmailMessage,
    InvalidAddress,
    MailBackend,
    amail_admins,
    asend_mail,
    get_connection,
    mail_admins,
    send_mail,
    send_mass_mail,
)
from segue.mail.backends.local import ConsoleBackend, DummyBackend, MemoryBackend
from segue.mail.backends.smtp import SMTPBackend
from segue.testing import Client

MakeClient = Callable[..., Client]


class Failing(MailBackend):
    """A mail server that is down."""

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        raise DeliveryError("The mail server is down.")


def make_app(**config: Any) -> App:
    return App("tests_app", static_folder=None, template_folder=None, config=config)


def make_testing_app(**config: Any) -> App:
    return make_app(TESTING=True, **config)


# The short ways


def test_a_mail_in_tests_is_kept_for_them() -> None:
    with make_testing_app(MAIL="smtp://mail.example.com", MAIL_FROM="Club <club@example.com>").context():
        sent = send_mail("Subject here", "The message.", None, ["to@example.com"], html_message="<p>The message.")

        kept = mail.outbox[0]

    assert sent == 1
    assert (kept.subject, kept.to) == ("Subject here", ["to@example.com"])
    assert kept.alternatives[0].content == "<p>The message."


def test_two_apps_have_two_outboxes() -> None:
    first, second = make_testing_app(), make_testing_app()
    with first.context():
        send_mail("a", "b", None, ["to@example.com"])

    assert len(first.provided(MAIL).outbox) == 1
    assert second.provided(MAIL).outbox == []


def test_several_mails_are_sent_at_once() -> None:
    with make_testing_app().context():
        sent = send_mass_mail([("1", "b", None, ["a@example.com"]), ("2", "b", None, ["b@example.com"])])

        assert (sent, [each.subject for each in mail.outbox]) == (2, ["1", "2"])


def test_the_admins_get_a_mail_that_names_the_app() -> None:
    with make_testing_app(ADMINS=["root@example.com"]).context():
        mail_admins("Disk full", "Of what?")

        assert (mail.outbox[0].subject, mail.outbox[0].to) == ("[tests_app] Disk full", ["root@example.com"])


async def test_async_functions_have_the_same_ways() -> None:
    with make_testing_app(ADMINS=["root@example.com"]).context():
        await asend_mail("a", "b", None, ["to@example.com"])
        await amail_admins("c", "d")
        await EmailMessage("e", "f", None, ["to@example.com"]).asend()

        assert len(mail.outbox) == 3


def test_without_admins_nobody_is_written_to() -> None:
    with make_testing_app().context():
        assert mail_admins("a", "b") == 0


def test_a_mail_to_nobody_is_not_sent() -> None:
    with make_testing_app().context():
        assert EmailMessage("a", "b").send() == 0
        assert mail.outbox == []


async def test_blocking_the_loop_names_the_async_way() -> None:
    with make_testing_app().context(), pytest.raises(UsageError, match="asend"):
        send_mail("a", "b", None, ["to@example.com"])


def test_a_failure_is_raised_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    message = EmailMessage("a", "b", "me@example.com", ["to@example.com"], connection=Failing())

    assert message.send(fail_silently=True) == 0
    assert "The mail server is down." in caplog.text
    with pytest.raises(DeliveryError):
        message.send()


# Who sends


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("smtp://me:pw@mail.example.com", SMTPBackend),
        ("console:", ConsoleBackend),
        ("dummy:", DummyBackend),
        ("memory:", MemoryBackend),
        (f"{__name__}:Failing", Failing),
        (f"{__name__}:Failing()", Failing),
    ],
)
def test_an_address_names_a_back_end(url: str, kind: type, request: pytest.FixtureRequest) -> None:
    with make_app(MAIL=url).context():
        found = get_connection()

    assert type(found).__name__ == kind.__name__


@pytest.mark.parametrize(
    ("url", "port", "tls"),
    [
        ("smtp://mail.example.com", 587, "starttls"),
        ("smtp://mail.example.com:25", 25, "starttls"),
        ("smtps://mail.example.com", 465, "ssl"),
        ("smtp://mail.example.com?tls=none", 25, "none"),
        ("smtp://localhost", 25, "none"),
        ("smtp://localhost?tls=starttls", 587, "starttls"),
    ],
)
def test_another_machine_is_talked_to_in_secret(url: str, port: int, tls: str) -> None:
    backend = get_connection(url)

    assert isinstance(backend, SMTPBackend)
    assert (backend.address.port, backend.address.tls) == (port, tls)


@pytest.mark.parametrize(
    "url",
    [
        "smtp://",
        "smtp://host:x",
        "smtp://host/path",
        "smtp://host?tsl=none",
        "smtp://host?tls=maybe",
        "smtps://host?tls=none",
        "smtp://host?timeout=forever",
        "pigeon://host",
        {"newsletter": "console:"},
    ],
)
def test_an_address_that_is_none_stops_the_start(url: Any) -> None:
    with pytest.raises(SetupError, match="mail/bad-url"):
        make_app(MAIL=url).compile()


def test_an_error_about_an_address_shows_no_password() -> None:
    with pytest.raises(SetupError) as caught:
        make_app(MAIL="smtp://me:s3cret@host?tsl=none").compile()

    assert "s3cret" not in str(caught.value)


def test_one_of_several_mailers_is_taken_by_its_name(tmp_path: Path) -> None:
    with make_app(MAIL={"default": "dummy:", "letters": f"file:{tmp_path}/out"}, MAIL_FROM="me@example.com").context():
        send_mail("a", "b", None, ["to@example.com"], using="letters")

    (file,) = (tmp_path / "out").iterdir()
    assert message_from_bytes(file.read_bytes())["Subject"] == "a"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_unknown_mailer_names_the_nearest() -> None:
    app = make_app(MAIL={"default": "dummy:", "letters": "dummy:"})

    with app.context(), pytest.raises(UsageError, match="Did you mean letters"):
        get_connection(using="leters")


def test_what_sends_no_mail_is_no_back_end() -> None:
    with make_app(MAIL="pathlib:Path").context(), pytest.raises(SetupError, match="mail/bad-backend"):
        get_connection()


def test_in_development_mails_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with make_app(DEBUG=True).context():
        send_mail("Printed", "b", None, ["to@example.com"])

    assert "Subject: Printed\n" in capsys.readouterr().out


def test_what_is_printed_can_be_read_and_its_links_followed(capsys: pytest.CaptureFixture[str]) -> None:
    link = "http://localhost:8000/accounts/verify/" + "x=" * 40
    with make_app(DEBUG=True).context():
        message = EmailMessage("Grüße", f"Dear Zoë,\n\n{link}\n\x1b[2J", None, ["to@example.com"])
        message.attach_alternative(f'<a href="{link}">go</a>', "text/html")
        message.attach("ticket.pdf", b"%PDF", "application/pdf")
        message.send()

    printed = capsys.readouterr().out

    assert "Subject: Grüße\n" in printed
    assert f"\n\nDear Zoë,\n\n{link}\n" in printed
    assert f'<a href="{link}">go</a>' in printed
    assert "[ticket.pdf, application/pdf]" in printed
    assert "\x1b" not in printed
    assert "quoted-printable" not in printed


def test_what_the_terminal_cannot_show_is_replaced() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    with make_app(DEBUG=True).context():
        EmailMessage("a", "Zoë", None, ["to@example.com"], connection=ConsoleBackend(stream)).send()

    assert b"\n\nZo?\n" in raw.getvalue()


def test_in_production_somebody_must_say_how_mail_is_sent() -> None:
    with make_app().context(), pytest.raises(UsageError, match="mail/no-mailer"):
        send_mail("a", "b", "me@example.com", ["to@example.com"])


def test_in_production_somebody_must_say_who_sends() -> None:
    with make_app(MAIL="dummy:").context(), pytest.raises(UsageError, match="mail/no-sender"):
        send_mail("a", "b", None, ["to@example.com"])


# After the response


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_a_mail_goes_out_after_the_last_byte(app: App, client: MakeClient, colour: str) -> None:
    seen: list[tuple[str, int]] = []

    def stream() -> Any:
        yield b"a"
        seen.append(("last byte", len(mail.outbox)))

    def signup() -> Any:
        EmailMessage("Hi", "b", None, ["to@example.com"]).send_after_response()
        seen.append(("handler", len(mail.outbox)))
        return stream()

    async def asignup() -> Any:
        return signup()

    app.get("/signup")(signup if colour == "def" else asignup)

    client().get("/signup")

    assert seen == [("handler", 0), ("last byte", 0)]
    assert len(app.provided(MAIL).outbox) == 1


def test_a_mail_server_that_is_down_changes_no_response(
    app: App, client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/signup")
    def signup() -> str:
        mail.send_later(EmailMessage("Hi", "b", None, ["to@example.com"], connection=Failing()))
        return "See your mail."

    with caplog.at_level(logging.ERROR, "segue.mail"):
        response = client().get("/signup")

    assert (response.status_code, response.text) == (200, "See your mail.")
    assert "A mail was not sent" in caplog.text


def test_a_request_that_fails_sends_nothing(app: App, client: MakeClient) -> None:
    @app.get("/signup")
    def signup() -> str:
        EmailMessage("Hi", "b", None, ["to@example.com"]).send_after_response()
        raise RuntimeError("rolled back")

    client().get("/signup")

    assert app.provided(MAIL).outbox == []


@pytest.mark.parametrize("address", ["bob@example.com,eve@example.com", "bob@example.com\nBcc: eve@example.com"])
def test_a_bad_address_is_an_error_of_the_client_before_the_response(
    app: App, client: MakeClient, address: str
) -> None:
    @app.get("/signup")
    def signup(to: str) -> str:
        EmailMessage("Hi", "b", None, [to]).send_after_response()
        return "See your mail."

    response = client().get("/signup", query={"to": address})

    assert response.status_code == 400
    assert app.provided(MAIL).outbox == []


def test_outside_a_request_it_is_sent_at_once() -> None:
    with make_testing_app().context():
        EmailMessage("Hi", "b", None, ["to@example.com"]).send_after_response()

        assert len(mail.outbox) == 1


def test_outside_a_request_a_bad_address_is_raised_too() -> None:
    with make_testing_app().context(), pytest.raises(InvalidAddress):
        EmailMessage("Hi", "b", None, ["to"]).send_after_response()
