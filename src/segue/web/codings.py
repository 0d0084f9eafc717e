"""The content codings that responses are compressed by while they are made.

Holds one `Coding` each for br, zstd and gzip, and `Encoder`, what they have in common.
The levels are those that cost no more than they save: 400 KB of text take 3 to 11 ms.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..errors import SetupError, did_you_mean

__all__ = ["CODINGS", "Coding", "Encoder", "coding_named", "installed_codings"]

_GZIP_LEVEL = 6
_BROTLI_LEVEL = 4
_ZSTD_LEVEL = 3
# A window of 32 KB, with the header and trailer of gzip.
_GZIP_WINDOW = 15 + 16


@dataclass(frozen=True, slots=True)
class Encoder:
    """One body being compressed.

    Attributes:
        add: Takes bytes, and returns what is ready of the output, often nothing.
        flush: Returns the rest of what was added so far; more may follow.
        finish: Returns the end.
    """

    add: Callable[[bytes], bytes]
    flush: Callable[[], bytes]
    finish: Callable[[], bytes]

    def whole(self, body: bytes) -> bytes:
        """Compress a body in one go."""
        return self.add(body) + self.finish()


@dataclass(frozen=True, slots=True)
class Coding:
    """A content coding.

    Attributes:
        name: Its name in headers.
        module: What it needs; empty for the standard library.
        suffix: Of a file that is compressed so, behind the file's own.
        encoder: Begins a body; loads *module*.
        smallest: Compresses a file as far as it goes, which takes its time; loads *module*.
    """

    name: str
    module: str
    suffix: str
    encoder: Callable[[], Encoder]
    smallest: Callable[[bytes], bytes]

    @property
    def is_installed(self) -> bool:
        """Whether what it needs can be imported; nothing is."""
        return not self.module or find_spec(self.module) is not None


def _gzip() -> Encoder:
    made = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    return Encoder(made.compress, lambda: made.flush(zlib.Z_SYNC_FLUSH), made.flush)


def _brotli() -> Encoder:
    made = _load("brotli").Compressor(quality=_BROTLI_LEVEL)
    return Encoder(made.process, made.flush, made.finish)


def _zstd() -> Encoder:
    if not _ZSTD_PACKAGE:
        made = _load("compression.zstd").ZstdCompressor(level=_ZSTD_LEVEL)
        return Encoder(made.compress, lambda: made.flush(made.FLUSH_BLOCK), made.flush)
    zstandard = _load("zstandard")
    made = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()
    return Encoder(made.compress, lambda: made.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK), made.flush)


def _smallest_gzip(body: bytes) -> bytes:
    made = zlib.compressobj(9, zlib.DEFLATED, _GZIP_WINDOW)  # its header has no time: the same body, the same bytes
    return made.compress(body) + made.flush()


def _smallest_brotli(body: bytes) -> bytes:
    packed: bytes = _load("brotli").compress(body, quality=11)
    return packed


def _smallest_zstd(body: bytes) -> bytes:
    packed: bytes
    if _ZSTD_PACKAGE:
        packed = _load("zstandard").ZstdCompressor(level=19).compress(body)
    else:
        packed = _load("compression.zstd").compress(body, level=19)
    return packed


def _load(module: str) -> Any:
    # These modules have no types, and two of the three are not everywhere.
    return import_module(module)


# Python has zstd itself from 3.14.
_ZSTD_PACKAGE = "zstandard" if sys.hexversion < 0x030E0000 else ""

# In the order of preference, where a client likes several the same.
CODINGS = (
    Coding("br", "brotli", ".br", _brotli, _smallest_brotli),
    Coding("zstd", _ZSTD_PACKAGE, ".zst", _zstd, _smallest_zstd),
    Coding("gzip", "", ".gz", _gzip, _smallest_gzip),
)


def installed_codings() -> list[Coding]:
    """Return the codings that can be used here, the preferred one first."""
    return [each for each in CODINGS if each.is_installed]


def coding_named(name: str) -> Coding:
    """Return the coding called *name*.

    Raises:
        SetupError: There is none (`web/unknown-coding`), or what it needs is not
            installed (`web/coding-not-installed`).
    """
    found = next((each for each in CODINGS if each.name == name), None)
    if found is None:
        raise SetupError(
            f"There is no content coding {name!r} here.",
            code="web/unknown-coding",
            hint=did_you_mean(name, [each.name for each in CODINGS]),
        )
    if not found.is_installed:
        raise SetupError(
            f"The content coding {name!r} needs the package {found.module}, which is not installed.",
            code="web/coding-not-installed",
            hint='pip install "segue[compress]"',
        )
    return found
