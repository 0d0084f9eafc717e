"""`Vite` and `Esbuild`: the batteries that load what a bundler wrote.

Holds both, and what they share: the reading of the manifest (once in production, when it
changed in development), the template functions, and the route of the files.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from ...context import find_current
from ...errors import NotFound, UsageError, did_you_mean
from ...handling.exchange import Exchange
from ...handling.markers import mark
from ...http.download import FileResponse
from ...http.request import Request
from ...places import caller_place
from ...typing import Setup
from ..static import IMMUTABLE, StaticFiles
from .developing import dev_server_policy, react_refresh
from .manifests import Bundle, Reader, read_esbuild, read_vite
from .tags import chunk_tags, script_tag, style_tag

__all__ = ["Esbuild", "Vite"]

# What bundlers put into names; one without a digit or a capital may be a word, and is asked for again.
_HASH = re.compile(r"[.-](?=[A-Za-z_-]*[A-Z0-9])[A-Za-z0-9_-]{8,}\.[a-z0-9]+\Z").search


@dataclass(slots=True)
class _Files:
    """The files of one bundle: the manifest as it is now, their addresses, their responses."""

    folder: Path
    manifest: Path
    root: Path
    base: str
    live: bool
    read: Reader
    _bundle: Bundle | None = None
    _changed: int = 0
    _static: StaticFiles | None = None

    def bundle(self) -> Bundle:
        """Return what the bundler wrote.

        Raises:
            SetupError: Its manifest cannot be read (`web/no-bundle`).
        """
        if self._bundle is None or self.live:
            changed = self.manifest.stat().st_mtime_ns if self.manifest.is_file() else -1
            if self._bundle is None or changed != self._changed:
                self._bundle = self.read(self.manifest, self.folder, self.root)
                self._changed = changed
        return self._bundle

    def url_of(self, file: str) -> str:
        """Return the address of a file of the bundle."""
        context = find_current()
        root = context.root_path if isinstance(context, Exchange) and self.is_here else ""
        return quote(root) + self.base + quote(file)

    @property
    def is_here(self) -> bool:
        """Whether this app serves them, and not another host."""
        return self.base.startswith("/") and not self.base.startswith("//")

    def serve(self, request: Request, filename: str) -> FileResponse | None:
        """Return the response for a file of the folder; the manifest is not for visitors."""
        if self.folder / filename == self.manifest:
            return None
        if self._static is None:
            self._static = StaticFiles([self.folder], live=self.live, may_appear=True)
        response = self._static.serve(request, filename)
        if _HASH(filename) and filename in self.bundle().files():
            response.headers["cache-control"] = IMMUTABLE
        return response


@dataclass(slots=True)
class _Bundler:
    """What both batteries are.

    Attributes:
        word: Before the names of template functions and of the endpoint.
    """

    folder: str
    base: str
    manifest: str
    word: str
    read: Reader
    place: str
    files: _Files = field(init=False)

    def install(self, setup: Setup) -> None:
        root = setup.root_path
        self.files = _Files(
            folder=(root / self.folder).resolve(),
            manifest=(root / self.manifest).resolve(),
            root=root.resolve(),
            base=self.base.rstrip("/") + "/",
            live=bool(setup.config["DEBUG"]),
            read=self.read,
        )
        files = self.files
        if files.is_here:
            setup.add_url_rule(f"{files.base}<path:filename>", self.word, mark(_view(files), login=False))
        if not files.live:
            setup.on_startup(files.bundle)  # what is missing stops the start
        setup.template_global(f"{self.word}_url")(self.url)

    def demand(self, name: str) -> Bundle:
        """Return the bundle once it has a chunk for *name*.

        Raises:
            UsageError: It has none (`web/unknown-entry`).
        """
        bundle = self.files.bundle()
        if name in bundle.chunks:
            return bundle
        entries = sorted(each for each, chunk in bundle.chunks.items() if chunk.is_entry)
        raise UsageError(
            f"The bundle has nothing for {name!r}.",
            code="web/unknown-entry",
            where=str(self.files.manifest),
            why=f"Its entries are: {', '.join(entries[:10]) or 'none'}.",
            hint=did_you_mean(name, bundle.chunks) or "Add it to the entries of the bundler, and build again.",
        )

    def tags(self, *names: str) -> Markup:
        """Return the tags of the chunks *names*."""
        nonce = "" if self.files.is_here else current_nonce()
        found = [each for name in names for each in chunk_tags(self.demand(name), name, self.files.url_of, nonce)]
        return Markup("\n").join(dict.fromkeys(found))

    def url(self, name: str) -> str:
        """Return the address of what the source *name* became."""
        return self.files.url_of(self.demand(name).chunks[name].file)


def current_nonce() -> str:
    """Return the nonce of the running response: what comes from another host needs one."""
    context = find_current()
    return context.csp_nonce if isinstance(context, Exchange) else ""


def _view(files: _Files) -> Callable[..., Any]:
    def bundled(request: Request, filename: str) -> Any:
        response = files.serve(request, filename)
        if response is None:
            raise NotFound()
        return response

    return bundled


@dataclass(frozen=True, slots=True)
class Vite:
    """Loads what Vite built, or its development server: `app.register(Vite())`.

    Templates write `{{ vite_asset("src/main.js") }}` for all tags of an entry, and
    `{{ vite_url("src/logo.svg") }}` for one address. While `DEBUG` is on and
    `VITE_DEV_SERVER` names the server (`http://localhost:5173`), they come from there;
    pages that use React begin with `{{ vite_react_refresh() }}` then.

    Args:
        folder: Vite's `build.outDir`, relative to the app.
        base: Vite's `base`: a path, at which the files are served, or another host's address.
        manifest: Where the manifest is; in the folder's `.vite/` by default.
    """

    folder: str = "dist"
    base: str = "/dist/"
    manifest: str = ""

    def install(self, setup: Setup) -> None:
        """Declare the key, add the template functions and the route of the files."""
        setup.config.declare("VITE_DEV_SERVER", None, type=str, doc="Vite's server, used while DEBUG is on.")
        manifest = self.manifest or f"{self.folder}/.vite/manifest.json"
        bundler = _Bundler(self.folder, self.base, manifest, "vite", read_vite, caller_place())
        bundler.install(setup)
        server: str | None = setup.config["VITE_DEV_SERVER"] if setup.config["DEBUG"] else None
        if server is None:
            setup.template_global("vite_asset")(bundler.tags)
            setup.template_global("vite_react_refresh")(Markup)
            return
        # With the base that Vite is configured with, as its own server has it.
        base = server.rstrip("/") + (bundler.files.base if bundler.files.is_here else "/")
        setup.config["CSP"] = dev_server_policy(setup.config["CSP"], server)

        def vite_asset(*names: str) -> Markup:
            nonce = current_nonce()
            found = [script_tag(base + "@vite/client", nonce)]
            for name in names:
                make = style_tag if name.endswith((".css", ".scss", ".sass", ".less", ".styl")) else script_tag
                found.append(make(base + quote(name), nonce))
            return Markup("\n").join(found)

        def vite_url(name: str) -> str:
            return base + quote(name)

        setup.template_global("vite_asset")(vite_asset)
        setup.template_global("vite_url")(vite_url)
        setup.template_global("vite_react_refresh")(lambda: react_refresh(base, current_nonce()))


@dataclass(frozen=True, slots=True)
class Esbuild:
    """Loads what esbuild built: `app.register(Esbuild())`.

    Templates write `{{ esbuild_asset("src/main.js") }}` for all tags of an entry, and
    `{{ esbuild_url("src/main.js") }}` for the address alone.

    Args:
        folder: esbuild's `--outdir`, relative to the app.
        base: The path at which the files are served, or another host's address.
        metafile: esbuild's `--metafile`, relative to the app, beside which esbuild runs.
    """

    folder: str = "dist"
    base: str = "/dist/"
    metafile: str = "dist/meta.json"

    def install(self, setup: Setup) -> None:
        """Add the template functions and the route of the files."""
        bundler = _Bundler(self.folder, self.base, self.metafile, "esbuild", read_esbuild, caller_place())
        bundler.install(setup)
        setup.template_global("esbuild_asset")(bundler.tags)
