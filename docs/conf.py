"""How the documentation is built: `make docs`. It needs no network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_version = Path(__file__).parent.parent.joinpath("src", "segue", "_version.py").read_text(encoding="utf-8")

project = "Segue"
author = "The authors of Segue"
release = re.findall(r'__version__ = "(.+?)"', _version)[0]

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
# A wrong link stops the build: `sphinx-build -W` is what the checks run.
nitpicky = True
# Links to headings of other pages, by the heading's words.
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"Segue {release}"
html_copy_source = False
html_show_sphinx = False
# A first line that names the file makes JSON of an example no JSON.
suppress_warnings = ["misc.highlighting_failure"]
# The fences of the examples say more than a language (`no-run`), and use `console` and `text`.
highlight_language = "text"


def write_text_editions(app: Sphinx, error: Exception | None) -> None:
    """Put the source of each page beside its HTML, a list of them, and all of them in one file."""
    if error is not None or app.builder.format != "html":
        return
    source, target = Path(app.srcdir), Path(app.outdir)
    lines, whole = [f"# {project} {release}", ""], list[str]()
    for name in sorted(app.env.found_docs):
        text = source.joinpath(f"{name}.md").read_text(encoding="utf-8")
        twin = target / f"{name}.md"
        twin.parent.mkdir(parents=True, exist_ok=True)
        twin.write_text(text, encoding="utf-8")
        whole.append(text)
        if not name.startswith("errors/"):
            lines.append(f"- [{text.partition(chr(10))[0].removeprefix('# ')}]({name}.md)")
    target.joinpath("llms.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")
    target.joinpath("llms-full.txt").write_text("\n\n".join(whole), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Let Sphinx call what this file adds to the build."""
    app.connect("build-finished", write_text_editions)
