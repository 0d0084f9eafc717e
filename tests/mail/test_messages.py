"""SECURITY Q01, OPERATE-14: what a mail consists of, and what cannot be slipped into it."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage as Part
from email.message import MIMEPart
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest

from segue.errors import UsageError
from segue.mail import BadHeaderError, EmailMessage, EmailMultiAlternatives, InvalidAddress


def parsed(message: EmailMessage) -> Part:
    """Return the mail as who gets it reads it."""
    return cast("Part", message_from_bytes(message.message().as_bytes(), policy=default))


def write(**options: Any) -> EmailMessage:
    return EmailMessage(
        **{"subject": "Hi", "body": "Text", "from_email": "me@example.com", "to": ["bob@example.com"], **options}
    )


def write_out(options: dict[str, Any]) -> None:
    """Do what every back end does before it sends."""
    message = write(**options)
    message.recipients()
    message.message()


# What it consists of


def test_the_examples_of_django_are_written_as_documented(tmp_path: Path) -> None:
    (tmp_path / "design.txt").write_text("a design")
    email = EmailMessage(
        "Hello",
        "Body goes here",
        "from@example.com",
        ["to1@example.com", "to2@example.com"],
        ["bcc@example.com"],
        reply_to=["another@example.com"],
        headers={"Message-ID": "foo"},
    )
    email.attach_file(tmp_path / "design.txt")

    got = parsed(email)

    assert (got["Subject"], got["To"]) == ("Hello", "to1@example.com, to2@example.com")
    assert (got["Reply-To"], got["Message-ID"]) == ("another@example.com", "foo")
    assert email.recipients() == ["to1@example.com", "to2@example.com", "bcc@example.com"]
    assert next(iter(got.iter_attachments())).get_filename() == "design.txt"


def test_text_and_html_are_two_forms_of_one_mail() -> None:
    message = EmailMultiAlternatives("Hi", "plain ä", "me@example.com", ["bob@example.com"])
    message.attach_alternative("<p>fancy ä</p>", "text/html")

    got = parsed(message)

    assert got.get_content_type() == "multipart/alternative"
    assert [part.get_content().strip() for part in got.iter_parts()] == ["plain ä", "<p>fancy ä</p>"]  # type: ignore[attr-defined]
    assert not message.body_contains("plain")
    assert message.body_contains("ä")


def test_a_picture_is_shown_by_the_html() -> None:
    message = write()
    address = message.attach_inline("logo.png", b"\x89PNG", cid="logo")
    message.attach_alternative(f'<img src="{address}">')

    related = next(part for part in parsed(message).walk() if part.get_content_type() == "multipart/related")
    html, picture = related.iter_parts()  # type: ignore[attr-defined]

    assert address in html.get_content()
    assert picture["Content-ID"] == f"<{address.removeprefix('cid:')}>"
    assert (picture.get_content_type(), picture.get_content_disposition()) == ("image/png", "inline")


def test_a_picture_without_html_is_an_error() -> None:
    message = write()
    message.attach_inline("logo.png", b"\x89PNG")

    with pytest.raises(UsageError, match="mail/no-html"):
        message.message()


@pytest.mark.parametrize(
    ("filename", "content", "mimetype", "kind"),
    [
        ("a.txt", "text ä", None, "text/plain"),
        ("a.pdf", b"%PDF", None, "application/pdf"),
        ("a.unknown-kind", b"\x00", None, "application/octet-stream"),
        ("data", '{"a": 1}', "application/json", "application/json"),
        ("rübe.csv", "a;b", "text/csv", "text/csv"),
    ],
)
def test_a_file_goes_along(filename: str, content: str | bytes, mimetype: str | None, kind: str) -> None:
    got = parsed(write(attachments=[(filename, content, mimetype)]))

    part = next(iter(got.iter_attachments()))
    raw = part.get_payload(decode=True)
    assert (part.get_filename(), part.get_content_type()) == (filename, kind)
    assert cast("bytes", raw).rstrip(b"\r\n") == (content if isinstance(content, bytes) else content.encode())


def test_parts_made_elsewhere_and_whole_mails_go_along() -> None:
    part = MIMEPart()
    part.set_content("made elsewhere")
    message = write(attachments=[part])
    message.attach("forwarded.eml", write(subject="inner").message())

    kinds = [each.get_content_type() for each in parsed(message).walk()]

    assert kinds == ["multipart/mixed", "text/plain", "text/plain", "message/rfc822", "text/plain"]


def test_a_mail_of_any_language_is_sent_as_ascii() -> None:
    message = write(subject="Grüße " * 40, body="日本語\n" + "ä" * 3000, to=[("Jörg, der Große", "j@example.com")])

    raw = message.message().as_bytes()
    got = parsed(message)

    assert raw.isascii()
    assert max(len(line) for line in raw.splitlines()) <= 998
    assert got["Subject"] == "Grüße " * 40
    assert got["To"].addresses[0].display_name == "Jörg, der Große"
    assert got.get_content().startswith("日本語")


def test_surrogates_in_a_text_are_replaced() -> None:
    assert parsed(write(body="a\ud800b")).get_content().strip() == "a\ufffdb"


def test_an_address_in_the_headers_replaces_what_is_shown() -> None:
    message = write(headers={"To": "list@example.com", "X-Campaign": 7})

    got = parsed(message)

    assert (got["To"], got["X-Campaign"]) == ("list@example.com", "7")
    assert message.recipients() == ["bob@example.com"]


# What cannot be slipped in

BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x00"]


@pytest.mark.parametrize("line_break", BREAKS, ids=ascii)
@pytest.mark.parametrize(
    "slip",
    [
        lambda text: {"subject": text},
        lambda text: {"from_email": f"{text} <me@example.com>"},
        lambda text: {"from_email": (text, "me@example.com")},
        lambda text: {"to": [f"bob@example.com{text}"]},
        lambda text: {"cc": [f'"{text}" <bob@example.com>']},
        lambda text: {"bcc": [("", f"bob@example.com{text}")]},
        lambda text: {"reply_to": [f"bob@example.com{text}"]},
        lambda text: {"headers": {"X-Own": text}},
        lambda text: {"headers": {f"X-Own{text}": "a"}},
        lambda text: {"headers": {"From": f"me@example.com{text}"}},
        lambda text: {"attachments": [(text, b"")]},
    ],
    ids=["subject", "from", "from name", "to", "cc", "bcc", "reply-to", "header", "header name", "shown", "filename"],
)
def test_a_line_break_begins_no_header(slip: Any, line_break: str) -> None:
    with pytest.raises(BadHeaderError) as caught:
        write_out(slip(f"a{line_break}Bcc: eve@example.com"))

    assert caught.value.status == 400


@pytest.mark.parametrize("name", ["Bcc", "bcc", "Content-Type", "MIME-Version", "", "X Own", "X:Own", "Ü"])
def test_a_header_that_is_not_the_callers_is_refused(name: str) -> None:
    with pytest.raises(BadHeaderError):
        write(headers={name: "a@example.com"}).message()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "bob",
        "bob@",
        "@example.com",
        "bob@example.com, eve@example.com",
        "bob@example.com;eve@example.com",
        "bob@example.com <eve@example.com>",
        "a, b <eve@example.com>",
        '"a" <bob@example.com>, "b" <eve@example.com>',
        '"a" b" <bob@example.com>',
        "<bob@example.com> eve@example.com",
        "bob@@example.com",
        "bob@exa mple.com",
        "bob@-example.com",
        "bob@example..com",
        ".bob@example.com",
        "bob..b@example.com",
        "böb@example.com",
        "bob@[127.0.0.1]",
        ("name\u202ecod", "bob@example.com"),
        ("n" * 257, "bob@example.com"),
        "b" * 65 + "@example.com",
        "bob@" + "e" * 320,
    ],
)
def test_what_is_not_one_address_is_refused(address: Any) -> None:
    with pytest.raises(InvalidAddress) as caught:
        write(to=[address]).recipients()

    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("address", "shown", "mailbox"),
    [
        ("bob@example.com", "bob@example.com", "bob@example.com"),
        ("Bob <bob@example.com>", "Bob <bob@example.com>", "bob@example.com"),
        ('"Bob, B. \\"x\\"" <bob@example.com>', '"Bob, B. \\"x\\"" <bob@example.com>', "bob@example.com"),
        (("ceo@bank.com", "eve@example.com"), '"ceo@bank.com" <eve@example.com>', "eve@example.com"),
        ("bob+tag@müller.example", "bob+tag@xn--mller-kva.example", "bob+tag@xn--mller-kva.example"),
        ("root@localhost", "root@localhost", "root@localhost"),
    ],
)
def test_an_address_stays_one(address: Any, shown: str, mailbox: str) -> None:
    message = write(to=[address])

    assert str(message.message()["To"]) == shown
    assert message.recipients() == [mailbox]


def test_a_text_that_looks_encoded_is_read_as_it_was_written() -> None:
    trick = "=?utf-8?q?evil=0ABcc=3A_x?="

    assert parsed(write(subject=trick))["Subject"] == trick
    assert "=?utf-8?q?evil" not in write(to=[(trick, "bob@example.com")]).message().as_string()


def test_a_list_that_is_one_text_is_an_error() -> None:
    with pytest.raises(UsageError, match="mail/not-a-list"):
        write(to="bob@example.com")


def test_a_media_type_that_is_none_is_an_error() -> None:
    with pytest.raises(UsageError, match="mail/bad-media-type"):
        write(attachments=[("a", b"", 'text/html; charset="x"\r\nBcc: a')])


@pytest.mark.parametrize("text", ["a@" + "a." * 500_000, '"' * 1_000_000 + " <a@b.c>", "<" * 9_999, "\\" * 9_000 + ">"])
def test_a_long_text_is_refused_at_once(calls_of: Callable[[Callable[[], Any]], int], text: str) -> None:
    def refuse() -> None:
        with pytest.raises((BadHeaderError, InvalidAddress)):
            write(to=[text]).recipients()

    assert calls_of(refuse) < 100


def test_the_name_of_the_machine_is_not_told() -> None:
    message_id = str(write(from_email="me@club.example").message()["Message-ID"])

    assert message_id.endswith("@club.example>")
