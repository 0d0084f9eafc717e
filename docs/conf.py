"""How the documentation is built: `make docs`. It needs no network."""

from __future__ import annotations

import re
from pathlib import Path

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
