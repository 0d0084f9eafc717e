"""What every answer to an attack must be, whatever the row; and what an interface cannot do."""

from __future__ import annotations

from wire import Reply

__all__ = ["CANNOT", "LEAKS", "assert_discreet"]

# What a body of production never holds: classes, paths, values of locals, file contents.
LEAKS = (
    b"Traceback",
    b'File "',
    b"hunter2-in-a-local",
    b"outside-the-root",
    b"RuntimeError",
    b"segue/",
    b"hostile_app",
    b"site-packages",
    b"/tmp/",
    b"/home/",
)

# (row, interface) → why the safe outcome cannot be had there. docs/reference/interfaces.md
# says the same to users; a test that finds one of these mended fails (xfail is strict).
CANNOT: dict[tuple[str, str], str] = {
    ("A12", "wsgi"): "WSGI writes X_Name and X-Name as one variable, before the app is called",
    ("P09", "rsgi"): "Granian ends a chunked RSGI response in order when the app gives it up",
    ("P09", "wsgi"): "Granian ends a chunked WSGI response in order when the app raises",
    ("X11", "wsgi"): "WSGI does not tell that the client is gone before the app writes to it",
}


def assert_discreet(reply: Reply) -> None:
    """The answer shows nothing of the program that made it."""
    shown = reply.body + b"\n".join(f"{name}: {value}".encode() for name, value in reply.headers)
    found = [leak for leak in LEAKS if leak in shown]
    assert not found, f"{found} in {shown[:500]!r}"
