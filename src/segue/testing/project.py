"""The app of the project whose tests run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..app import App

__all__ = ["project_app"]


def project_app(target: str | None = None, folder: Path | None = None) -> App:
    """Return the app that *target* names, or the one that the command line would find.

    Args:
        folder: Where to look; by default the working directory.

    Raises:
        SetupError: There is none, or its code fails.
    """
    from ..cli.discovery import load_app  # loads asyncio and the targets: only where it is asked for

    app, _ = load_app(target, folder or Path.cwd())
    if not app.closed_at:
        app.testing = True
    return app
