"""Building static files: gather, hash, rewrite what refers to them, compress, list.

The hash in a file's name covers the file and everything it refers to, directly or not:
a style sheet whose image changed has another name, although its text is the same. It is
made of contents alone, before anything is rewritten, so scripts may import each other in
circles.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import quote, unquote

from ..errors import SetupError, did_you_mean
from ..http.files import guess_type, safe_join
from .codings import CODINGS, installed_codings
from .compression import is_compressible
from .manifest import load_manifest, write_manifest
from .references import Reference, references_in
from .static import StaticFile, static_names

__all__ = ["Built", "build", "gather"]

_MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did.

    Attributes:
        files: Every file, in the order of their names.
        written: How many of them were not there yet.
        removed: How many files of the build before went away.
    """

    folder: Path
    files: tuple[StaticFile, ...]
    written: int
    removed: int


@dataclass(slots=True)
class _Source:
    name: str
    path: Path
    body: bytes
    digest: str
    references: list[tuple[Reference, str]] = field(default_factory=list[tuple[Reference, str]])


def gather(folders: Sequence[tuple[str, Path]]) -> dict[str, Path]:
    """Return all files of *folders* by name.

    Args:
        folders: Each with the prefix of its blueprint's addresses. What a blueprint has below
            its prefix beats what another folder has there; else the first folder wins.
    """
    found: dict[str, Path] = {}
    for prefix, folder in [each for each in folders if each[0]] + [("", folder) for _, folder in folders]:
        root = folder.resolve()
        for name in static_names(root):
            found.setdefault(prefix + name, root / name)
    return found


def build(
    files: Mapping[str, Path], folder: Path, *, base: str = "/static/", allow_missing: Sequence[str] = ()
) -> Built:
    """Write the static *files* into *folder*, with the manifest that production serves by.

    Args:
        files: By name.
        base: The path that their addresses begin with; an absolute reference below it is
            one to a static file.
        allow_missing: Patterns of the names of files that may refer to what is not there.

    Raises:
        SetupError: A file refers to one that is missing (`web/missing-reference`).
    """
    sources = {name: _read(name, path) for name, path in sorted(files.items())}
    _resolve(sources, base, allow_missing)
    before = load_manifest(folder)
    known = {} if before is None else before.files
    built: list[StaticFile] = []
    written = 0
    folder.mkdir(parents=True, exist_ok=True)
    digests = {name: _digest(source, sources) for name, source in sources.items()}
    for name, source in sources.items():
        file = StaticFile(name, folder, digests[name])
        file = replace(file, path=folder / file.hashed_name)
        entry = known.get(name)
        if entry is not None and entry.digest == file.digest and _is_complete(file.path, entry.encodings):
            built.append(replace(file, encodings=entry.encodings))
            continue
        built.append(_write(file, _rewritten(source, digests)))
        written += 1
    write_manifest(folder, built)
    old = [StaticFile(name, folder, entry.digest, entry.encodings) for name, entry in known.items()]
    return Built(folder, tuple(built), written, _remove(folder, old, built))


# Reading


def _read(name: str, path: Path) -> _Source:
    body = path.read_bytes()
    return _Source(name, path, body, hashlib.sha256(body).hexdigest())


def _resolve(sources: Mapping[str, _Source], base: str, allow_missing: Sequence[str]) -> None:
    """Find what each source refers to.

    Raises:
        SetupError: Something refers to what is not there.
    """
    missing: list[tuple[_Source, Reference, str]] = []
    for source in sources.values():
        may_miss = any(fnmatchcase(source.name, pattern) for pattern in allow_missing)
        for reference in references_in(source.name, _text(source.body)):
            target = reference.target.encode("latin-1").decode("utf-8", "replace")
            name = _name_of(source.name, unquote(target), base)
            if name is None:
                continue
            if name in sources:
                source.references.append((reference, name))
            elif not may_miss:
                missing.append((source, reference, name))
    if missing:
        raise _missing(missing, sources)


def _text(body: bytes) -> str:
    # Every byte becomes one character and comes back as it was, so any encoding above ASCII will do.
    return body.decode("latin-1")


def _name_of(source: str, target: str, base: str) -> str | None:
    """Return the name of the static file that *target* means, or `None` where it means none."""
    if target.startswith("/"):
        return target.removeprefix(base) if base.startswith("/") and target.startswith(base) else None
    name = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    return None if name.startswith("..") else name


def _missing(missing: Sequence[tuple[_Source, Reference, str]], sources: Mapping[str, _Source]) -> SetupError:
    source, reference, name = missing[0]
    more = len(missing) - 1
    also = "" if not more else f" ({more} more)"
    places = [f"{each.path}:{found.line}, {found.kind} {found.target}" for each, found, _ in missing[:_MOST_SHOWN]]
    near = did_you_mean(name, sources)
    return SetupError(
        f"{source.name}, line {reference.line}, refers to {reference.target!r}, which is not there{also}.",
        code="web/missing-reference",
        where="\n".join(places),
        why=f"No folder of static files has {name}.",
        hint=near or f"Add the file, or let it be: segue static build --allow-missing {source.name!r}",
    )


# Hashing and writing


def _digest(source: _Source, sources: Mapping[str, _Source]) -> str:
    if not source.references:
        return source.digest[:12]
    reached: set[str] = set()
    waiting = [source.name]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [target for _, target in sources[name].references]
    # The name as well: two files of one circle reach the same ones.
    lines = [source.name, *(f"{name} {sources[name].digest}" for name in sorted(reached))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def _rewritten(source: _Source, digests: Mapping[str, str]) -> bytes:
    if not source.references:
        return source.body
    text, pieces, done = _text(source.body), list[str](), 0
    for reference, name in source.references:
        hashed = StaticFile(name, source.path, digests[name]).hashed_name
        way = reference.target.rpartition("/")[:2]
        pieces += [text[done : reference.start], *way, quote(hashed.rpartition("/")[2])]
        done = reference.end
    return "".join([*pieces, text[done:]]).encode("latin-1")


def _write(file: StaticFile, body: bytes) -> StaticFile:
    file.path.parent.mkdir(parents=True, exist_ok=True)
    file.path.write_bytes(body)
    encodings: list[str] = []
    for coding in installed_codings() if is_compressible(guess_type(file.name)) else ():
        packed = coding.smallest(body)
        if len(packed) < len(body):
            _variant(file.path, coding.suffix).write_bytes(packed)
            encodings.append(coding.name)
    return replace(file, encodings=tuple(encodings))


def _variant(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


_SUFFIXES = {coding.name: coding.suffix for coding in CODINGS}


def _paths_of(path: Path, encodings: Sequence[str]) -> list[Path]:
    return [path, *(_variant(path, _SUFFIXES[name]) for name in encodings if name in _SUFFIXES)]


def _is_complete(path: Path, encodings: Sequence[str]) -> bool:
    return all(each.is_file() for each in _paths_of(path, encodings))


def _remove(folder: Path, old: Sequence[StaticFile], built: Sequence[StaticFile]) -> int:
    """Remove what the build before wrote and this one has not; nothing that a build did not write."""
    kept = {file.hashed_name for file in built}
    gone = [file for file in old if file.hashed_name not in kept]
    for file in gone:
        path = safe_join(folder, file.hashed_name)
        for each in [] if path is None else _paths_of(path, file.encodings or ()):
            each.unlink(missing_ok=True)
    return len(gone)
