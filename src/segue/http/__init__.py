"""HTTP without I/O: requests, responses, headers, cookies, bodies, ranges.

Holds: what RFC 9110 to 9112 and their kin say, as values and pure functions.
Imports: floor 0, msgspec and multipart.
Never: knows a server, an app or a colour; reads no socket.
"""

from typing import TYPE_CHECKING, Any

from .headers import HeaderBlock, Headers, RequestHeaders
from .limits import Limits
from .multidict import MultiDict
from .request import Request
from .response import Response, StreamResponse, redirect, stream

if TYPE_CHECKING:
    from .download import FileResponse, send_file, send_from_directory
    from .uploads import UploadFile

__all__ = [
    "FileResponse",
    "HeaderBlock",
    "Headers",
    "Limits",
    "MultiDict",
    "Request",
    "RequestHeaders",
    "Response",
    "StreamResponse",
    "UploadFile",
    "redirect",
    "send_file",
    "send_from_directory",
    "stream",
]


def __getattr__(name: str) -> Any:
    # An app that neither sends nor takes files does not load what does.
    if name in ("FileResponse", "send_file", "send_from_directory"):
        from . import download

        return getattr(download, name)
    if name == "UploadFile":
        from .uploads import UploadFile

        return UploadFile
    raise AttributeError(f"segue.http has no {name!r}")
