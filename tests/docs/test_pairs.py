"""The other side of each pair runs too: what the pages show of Flask and of Django does what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from markdown_pages import DOCS, Block, blocks_of, sections_of

PAGES = {"flask": DOCS / "how-to" / "from-flask.md", "django": DOCS / "how-to" / "from-django.md"}
NEEDED = {"flask": ("flask", "flask_login", "flask_wtf"), "django": ("django",)}


def theirs(framework: str) -> dict[str, list[Block]]:
    """Return the blocks of a framework by the section of its page; what stands before the first is part of all."""
    page = PAGES[framework]
    preface, _, _ = page.read_text(encoding="utf-8").partition("\n## ")
    found = {
        title: [each for each in blocks if framework in each.options] for title, blocks in sections_of(page).items()
    }
    before = [each for each in blocks_of(page, preface) if framework in each.options]
    return {title: [*before, *blocks] for title, blocks in found.items() if blocks}


PAIRS = [(framework, title) for framework in PAGES for title in theirs(framework)]


@pytest.mark.slow
@pytest.mark.parametrize(("framework", "title"), PAIRS)
def test_the_other_side_of_a_pair_runs(framework: str, title: str, tmp_path: Path) -> None:
    for name in NEEDED[framework]:
        pytest.importorskip(name)
    blocks = theirs(framework)[title]
    for block in blocks:
        if block.language != "python" and block.filename is not None:
            path = tmp_path / block.filename
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.content, encoding="utf-8")
    program = "\n".join(block.code for block in blocks if block.language == "python")
    (tmp_path / "pair.py").write_text(program, encoding="utf-8")

    done = subprocess.run([sys.executable, "pair.py"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, f"{blocks[-1].place}\n{done.stderr}"


@pytest.mark.parametrize(("framework", "title"), PAIRS)
def test_each_side_of_a_pair_says_what_comes_out(framework: str, title: str) -> None:
    blocks = [each for each in sections_of(PAGES[framework])[title] if each.language == "python"]

    for side in (True, False):
        code = "".join(each.code for each in blocks if (framework in each.options) is side)
        assert "assert " in code, f"{title}: {'theirs' if side else 'ours'} asserts nothing"
