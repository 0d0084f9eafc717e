"""Bundlers of front ends: what they wrote, and the tags that load it.

Holds: `Vite` and `Esbuild`, the batteries; the reading of manifests; the tags.
Imports: what web imports.
Never: runs a bundler, or needs Node where nothing is bundled.
"""

from .batteries import Esbuild, Vite

__all__ = ["Esbuild", "Vite"]
