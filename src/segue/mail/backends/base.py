"""What every back end is."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ...errors import SegueError

if TYPE_CHECKING:
    from ..message import EmailMessage

__all__ = ["DeliveryError", "MailBackend"]


class DeliveryError(SegueError, OSError):
    """A mail could not be handed over; the operator, or the owner of the address, must act."""

    code = "mail/not-delivered"
    status = 503


class MailBackend(ABC):
    """Hands mails over. Subclass it for a provider, and name the class in `MAIL`.

    As a context manager it keeps its connection open for the block.
    """

    @abstractmethod
    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Hand *messages* over, and return how many.

        Raises:
            DeliveryError: One was not taken; those before it were.
        """

    async def asend_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Do the same for `async def` code: here in a thread; override it where you can wait."""
        return await asyncio.to_thread(self.send_messages, messages)

    def open(self) -> bool:
        """Connect, and return whether this call did it."""
        return False

    def close(self) -> None:  # noqa: B027 - a back end without a connection has nothing to close
        """Disconnect; nothing where there is no connection."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
