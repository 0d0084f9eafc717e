"""Everything the documentation shows runs as it stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown_pages import ROOT, Block, blocks_of, chapters_before, error_pages, pages, running_in, sections_of

from segue.errors import SegueError

SLOW = {"docs/tutorial/5-tests", "docs/tutorial/7-data", "docs/tutorial/10-editing"}  # they run pytest

PAGES = [
    pytest.param(page, marks=[pytest.mark.slow] if str(page.relative_to(ROOT).with_suffix("")) in SLOW else [])
    for page in pages()
]


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT).with_suffix(""))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_block_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    with running_in(tmp_path) as run:
        for chapter in chapters_before(page):
            run.write_files(blocks_of(chapter))

        run.run(blocks_of(page))


@pytest.mark.parametrize("page", error_pages(), ids=_name)
def test_the_failing_example_of_an_error_fails_with_its_code(page: Path, tmp_path: Path) -> None:
    code = f"{page.parent.name}/{page.stem}"
    blocks = _section(page, "Fails")

    assert _code_of(blocks, tmp_path) == code


@pytest.mark.parametrize("page", error_pages(), ids=_name)
def test_the_mended_example_of_an_error_works(page: Path, tmp_path: Path) -> None:
    blocks = _section(page, "Works")

    assert _code_of(blocks, tmp_path) is None


@pytest.mark.parametrize("page", error_pages(), ids=_name)
def test_the_page_of_an_error_is_titled_by_its_code(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert text.startswith(f"# {page.parent.name}/{page.stem}\n\n")


def test_the_first_line_of_a_block_names_its_file() -> None:
    code = "<!-- templates/a.html -->\n<p>a</p>\n"
    block = Block(ROOT / "README.md", 1, "html", frozenset(), code)

    assert (block.filename, block.content) == ("templates/a.html", "<p>a</p>\n")


def test_a_failing_block_fails_its_page(tmp_path: Path) -> None:
    blocks = blocks_of(ROOT / "README.md", "```python\nvalue = 1\n```\n\n```python\nassert value == 2\n```\n")

    with running_in(tmp_path) as run, pytest.raises(AssertionError):
        run.run(blocks)


def _section(page: Path, title: str) -> list[Block]:
    blocks = sections_of(page).get(title, [])
    assert any(block.language == "python" for block in blocks), f"{page} shows no python under ## {title}"
    return blocks


def _code_of(blocks: list[Block], folder: Path) -> str | None:
    """Run *blocks*; return the code of the error they raise, or of the problem in `answer`."""
    with running_in(folder) as run:
        try:
            run.run(blocks)
        except SegueError as error:
            return error.code
        answer = run.names.get("answer")
    if answer is None or answer.status_code < 400:
        return None
    return str(answer.json["code"])
