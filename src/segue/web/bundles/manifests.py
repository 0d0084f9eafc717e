"""What a bundler says that it wrote, in one form.

Holds: `Bundle`, `Chunk`, and the readers of Vite's manifest and of esbuild's metafile.
A file that is not what it should be is an error that names it, never a KeyError.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import msgspec

from ...errors import SetupError

__all__ = ["Bundle", "Chunk", "Reader", "read_esbuild", "read_vite"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """One file that a bundler wrote.

    Attributes:
        file: Relative to the bundle's folder, with forward slashes.
        styles: The style sheets that it needs.
        imports: The names of the chunks that it loads at once.
        is_entry: Whether pages may begin with it.
    """

    file: str
    styles: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    is_entry: bool = False


@dataclass(frozen=True, slots=True)
class Bundle:
    """All chunks by the names that sources have: `src/main.js`."""

    chunks: Mapping[str, Chunk]

    def reached(self, name: str) -> list[Chunk]:
        """Return the chunk of *name* and all that it loads at once, each once, it first."""
        found: dict[str, Chunk] = {}
        waiting = [name]
        while waiting:
            each = waiting.pop(0)
            if each not in found and each in self.chunks:
                found[each] = self.chunks[each]
                waiting += found[each].imports
        return list(found.values())

    def files(self) -> frozenset[str]:
        """Return all files that the bundler named."""
        return frozenset(file for chunk in self.chunks.values() for file in (chunk.file, *chunk.styles))


Reader: TypeAlias = Callable[[Path, Path, Path], Bundle]


class _ViteChunk(msgspec.Struct):
    file: str
    css: list[str] = []
    imports: list[str] = []
    assets: list[str] = []
    isEntry: bool = False  # noqa: N815 - Vite's word


class _Import(msgspec.Struct):
    path: str
    kind: str = ""
    external: bool = False


class _Output(msgspec.Struct):
    entryPoint: str = ""  # noqa: N815 - esbuild's word
    cssBundle: str = ""  # noqa: N815 - esbuild's word
    imports: list[_Import] = []
    inputs: dict[str, msgspec.Raw] = {}


class _Metafile(msgspec.Struct):
    outputs: dict[str, _Output]


def read_vite(path: Path, folder: Path, root: Path) -> Bundle:
    """Read Vite's manifest *path*.

    Raises:
        SetupError: It is not there, or is none (`web/no-bundle`).
    """
    try:
        chunks = msgspec.json.decode(path.read_bytes(), type=dict[str, _ViteChunk])
    except (OSError, msgspec.MsgspecError) as error:
        raise _no_bundle(path, error, "Set build.manifest to true in vite.config.js, and run: vite build") from None
    found = {
        name: Chunk(each.file, tuple(each.css), tuple(each.imports), each.isEntry) for name, each in chunks.items()
    }
    # Pictures and fonts have chunks of their own only where a page may begin with them.
    for each in chunks.values():
        for file in each.assets:
            found.setdefault(file, Chunk(file))
    return Bundle(found)


def read_esbuild(path: Path, folder: Path, root: Path) -> Bundle:
    """Read esbuild's metafile *path*.

    Args:
        folder: Where its outputs are.
        root: Where it was run; what the metafile names is relative to that.

    Raises:
        SetupError: It is not there, or is none (`web/no-bundle`).
    """
    try:
        outputs = msgspec.json.decode(path.read_bytes(), type=_Metafile).outputs
    except (OSError, msgspec.MsgspecError) as error:
        raise _no_bundle(path, error, f"esbuild … --bundle --outdir={folder.name} --metafile={path.name}") from None
    return Bundle(dict(_outputs(outputs, folder, root)))


def _outputs(outputs: Mapping[str, _Output], folder: Path, root: Path) -> Iterator[tuple[str, Chunk]]:
    def inside(path: str) -> str | None:
        relative = os.path.relpath(root / path, folder)
        return None if relative.startswith("..") else Path(relative).as_posix()

    for path, output in outputs.items():
        file = inside(path)
        if file is None:
            continue
        imports = [each for each in output.imports if each.kind == "import-statement" and not each.external]
        styles = inside(output.cssBundle) if output.cssBundle else None
        chunk = Chunk(
            file,
            () if styles is None else (styles,),
            tuple(name for name in (inside(each.path) for each in imports) if name is not None),
            bool(output.entryPoint),
        )
        yield file, chunk
        if output.entryPoint:
            yield output.entryPoint, chunk
        elif len(output.inputs) == 1 and not file.endswith((".js", ".css")):
            yield next(iter(output.inputs)), chunk  # a picture or a font, which was only copied


def _no_bundle(path: Path, error: Exception, hint: str) -> SetupError:
    is_missing = isinstance(error, FileNotFoundError)
    return SetupError(
        f"The bundler's manifest {path.name} {'is not there' if is_missing else 'cannot be read'}.",
        code="web/no-bundle",
        where=str(path),
        why="It says which files the bundler wrote for a page." if is_missing else str(error),
        hint=hint,
    )
