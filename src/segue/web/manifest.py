"""The list of built static files: what `segue static build` writes and a site in production reads.

Holds: `write_manifest`, `read_manifest`, and the entries that a manifest has.
Only what it names is served, so nothing else that lies in the folder gets out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from ..errors import SetupError
from ..http.files import safe_join
from .static import StaticFile, StaticFiles

__all__ = ["MANIFEST", "Entry", "Manifest", "load_manifest", "read_manifest", "write_manifest"]

MANIFEST = "manifest.json"


class Entry(msgspec.Struct, frozen=True):
    """One built file.

    Attributes:
        digest: The hash in its name.
        encodings: The codings it is there in, beside itself.
    """

    digest: str
    encodings: tuple[str, ...] = ()


class Manifest(msgspec.Struct, frozen=True):
    """All built files, by the names that templates know them under."""

    files: dict[str, Entry]
    version: int = 1


def load_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of *folder*, or `None` where it has none.

    Raises:
        SetupError: It cannot be read (`web/broken-manifest`).
    """
    path = folder / MANIFEST
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise _broken(path, str(error)) from None


def read_manifest(folder: Path) -> StaticFiles:
    """Return the static files that the manifest of *folder* names.

    Raises:
        SetupError: It cannot be read, or a file of it is missing (`web/broken-manifest`).
    """
    manifest = load_manifest(folder) or Manifest({})
    root = folder.resolve()
    files = [_file(root, name, entry) for name, entry in manifest.files.items()]
    return StaticFiles([root], live=False, built=files)


def _file(root: Path, name: str, entry: Entry) -> StaticFile:
    built = StaticFile(name, root, entry.digest).hashed_name
    path = safe_join(root, built)
    if path is None or not path.is_file():
        raise _broken(root / MANIFEST, f"it names {built}, which is not there")
    return StaticFile(name, path, entry.digest, entry.encodings)


def write_manifest(folder: Path, files: Iterable[StaticFile]) -> None:
    """Write the manifest of *folder*, in one go: who reads it sees the old one or the new one."""
    entries = {file.name: Entry(file.digest, file.encodings or ()) for file in files}
    made = msgspec.json.format(msgspec.json.encode(Manifest(dict(sorted(entries.items())))), indent=1)
    scratch = folder / f"{MANIFEST}.new"
    scratch.write_bytes(made)
    os.replace(scratch, folder / MANIFEST)


def _broken(path: Path, why: str) -> SetupError:
    return SetupError(
        "The built static files cannot be served.",
        code="web/broken-manifest",
        where=str(path),
        why=f"Of the manifest: {why}.",
        hint="segue static build",
    )
