"""Header fields: what may stand in them, and how they are written.

Everything here is done before the `email` package sees a value: of its versions in use
some write a line break that stands in a value as one, and some encode the comma between
two addresses.
"""

from __future__ import annotations

import re
from email.header import Header

from ..errors import SegueError, cut

__all__ = ["BadHeaderError", "check_name", "check_text", "encode_text"]

MAX_VALUE = 10_000
_MAX_LINE = 998  # RFC 5322 §2.1.1

# Controls (U+0085 among them), the two separators that Unicode counts as line breaks,
# and lone surrogates, which no charset can write.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NAME = re.compile(r"[!-9;-~]{1,76}")
# A text may say what else is in the mail, or whom it goes to without being seen.
_WRITTEN_BY_US = frozenset({"bcc", "mime-version", "content-type", "content-transfer-encoding", "content-disposition"})


class BadHeaderError(SegueError, ValueError):
    """A header field holds what would end it, or begin another one."""

    code = "mail/bad-header"
    status = 400


def check_text(name: str, value: object) -> str:
    """Return *value* as the text of the header *name*; a tab becomes a space.

    Raises:
        BadHeaderError: It holds a line break or another control character, or is over 10,000 characters.
    """
    text = str(value)
    if len(text) > MAX_VALUE:
        raise BadHeaderError(
            f"The header {name} has {len(text)} characters.",
            why=f"A header holds at most {MAX_VALUE}.",
            hint="Cut the text before it becomes a header.",
        )
    text = text.replace("\t", " ")
    if _FORBIDDEN.search(text):
        raise BadHeaderError(
            f"The header {name} holds a line break or another control character: {cut(text)}",
            why="A line break would begin another header, such as Bcc, or the text of the mail.",
            hint='Join the lines before: " ".join(text.split())',
        )
    return text


def check_name(name: str) -> None:
    """Refuse a header name that is none, or that is not the caller's to set.

    Raises:
        BadHeaderError: It is no name, would show who gets a blind copy, or describes the content.
    """
    if not _NAME.fullmatch(name):
        raise BadHeaderError(
            f"{cut(name)} is no name of a header.",
            why="A name consists of visible ASCII characters without a colon.",
            hint='headers={"X-Campaign": "spring"}',
        )
    if name.lower() in _WRITTEN_BY_US:
        raise BadHeaderError(
            f"The header {name} cannot be set.",
            why="It would show the blind copies to all." if name.lower() == "bcc" else "It follows from the content.",
            hint='EmailMessage(…, bcc=["me@example.com"])' if name.lower() == "bcc" else f"Leave {name} away.",
        )


def encode_text(name: str, text: str) -> str:
    """Return a checked *text* as it stands in the header *name*: ASCII, folded.

    Raises:
        BadHeaderError: It has a word that no line can hold.
    """
    # What looks encoded already is encoded once more, so that it is read as it was written.
    charset = "us-ascii" if text.isascii() and "=?" not in text else "utf-8"
    written = Header(text, charset, header_name=name, maxlinelen=76).encode()
    if any(len(line) > _MAX_LINE for line in f"{name}: {written}".splitlines()):
        raise BadHeaderError(
            f"The header {name} has a word of over {_MAX_LINE} characters.",
            why="Such a line is cut or refused on its way (RFC 5322 §2.1.1).",
            hint="Cut the text before it becomes a header.",
        )
    return written
