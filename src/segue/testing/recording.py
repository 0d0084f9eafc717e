"""What a test is told about a request besides its answer.

Holds `Record`: the templates that were rendered with their values, and the errors that
no handler took. It travels by context variables, so requests at the same time do not
see each other's.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ..handling.recovery import unhandled
from ..signals import Receiver, Signals, template_rendered

__all__ = ["Record", "listen", "recording"]


@dataclass(slots=True)
class Record:
    """What happened inside.

    Attributes:
        templates: Names, in the order in which they were rendered.
        context: The values given to them; of one name the last.
        errors: What no handler took.
    """

    templates: list[str] = field(default_factory=list[str])
    context: dict[str, Any] = field(default_factory=dict[str, Any])
    errors: list[BaseException] = field(default_factory=list[BaseException])


_record: ContextVar[Record | None] = ContextVar("segue_testing_record", default=None)


def _note(sender: object, *, template: Any, context: Any) -> None:
    record = _record.get()
    if record is not None:
        record.templates.append(template.name or "<string>")
        record.context.update(context)


def listen(signals: Signals) -> None:
    """Have renderings of an app noted; a second call changes nothing."""
    signals.connect(Receiver(template_rendered, _note))


@contextmanager
def recording() -> Generator[Record]:
    """Note what happens in the block, and in the tasks and threads that it starts."""
    record = Record()
    tokens = _record.set(record), unhandled.set(record.errors)
    try:
        yield record
    finally:
        _record.reset(tokens[0])
        unhandled.reset(tokens[1])
