"""Where templates lie, and the loader that reads them in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from jinja2.loaders import split_template_path

__all__ = ["Folder", "FolderLoader", "own_folders"]


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of templates.

    Attributes:
        path: The folder; it need not exist.
        owner: The blueprint it belongs to; `None` for the app's own.
    """

    path: Path
    owner: str | None = None


def own_folders() -> list[Folder]:
    """Return the folders of Segue's own templates: each package may have one, `templates/`."""
    root = Path(__file__).resolve().parents[1]
    return [Folder(path, "segue") for path in sorted(root.glob("*/templates")) if path.is_dir()]


class FolderLoader(jinja2.BaseLoader):
    """Reads a template from the first folder that has it.

    Unlike Jinja2's own loader it notices, where templates are looked at anew,
    that a file has appeared in an earlier folder than the one it came from.
    """

    def __init__(self, folders: Sequence[Folder]) -> None:
        self.folders: tuple[Folder, ...] = tuple(folders)

    def paths_of(self, name: str) -> list[Path]:
        """Return every path that *name* could have, first choice first; none leads out of its folder."""
        try:
            pieces = split_template_path(name)
        except jinja2.TemplateNotFound:
            return []
        if not pieces or "\0" in name:
            return []
        return [folder.path.joinpath(*pieces) for folder in self.folders]

    def find(self, name: str) -> Path | None:
        """Return the file of *name*, or `None`."""
        return next((path for path in self.paths_of(name) if path.is_file()), None)

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """Return source, path, and a function that says whether both are still right."""
        path = self.find(template)
        if path is None:
            raise jinja2.TemplateNotFound(template)
        found = path
        changed = found.stat().st_mtime_ns
        source = found.read_text(encoding="utf-8")

        def is_current() -> bool:
            try:
                return self.find(template) == found and found.stat().st_mtime_ns == changed
            except OSError:
                return False

        return source, str(found), is_current

    def list_templates(self) -> list[str]:
        """Return the names of all templates, sorted, each once."""
        names: set[str] = set()
        for folder in self.folders:
            for path in folder.path.rglob("*"):
                name = path.relative_to(folder.path).as_posix()
                if path.is_file() and not any(part.startswith(".") for part in name.split("/")):
                    names.add(name)
        return sorted(names)
