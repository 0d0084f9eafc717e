"""Every link of the documentation leads somewhere, and every page can be found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_pages import DOCS, ROOT

PAGES = [
    *(path for path in sorted(DOCS.rglob("*.md")) if "_build" not in path.parts),
    *sorted(ROOT.glob("*.md")),
]
_FENCED = re.compile(r"^(`{3,}).*?^\1[ ]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT).with_suffix(""))


def prose_of(page: Path) -> str:
    """Return a page without its blocks and without code in lines."""
    return _CODE.sub("code", _FENCED.sub("", page.read_text(encoding="utf-8")))


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as the renderers make them."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def links_of(page: Path) -> list[str]:
    return [link for link in _LINK.findall(prose_of(page)) if "://" not in link and not link.startswith("mailto:")]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken: list[str] = []
    for link in links_of(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("section", ["tutorial", "how-to", "reference", "explanation"])
def test_every_page_of_a_section_is_in_its_index(section: str) -> None:
    index = (DOCS / section / "index.md").read_text(encoding="utf-8")
    names = [page.stem for page in sorted((DOCS / section).glob("*.md")) if page.stem != "index"]

    assert [name for name in names if f"({name}.md)" not in index] == []
    assert [name for name in names if not re.search(rf"^{re.escape(name)}$", index, re.MULTILINE)] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_a_page_has_one_title_and_no_tabs(page: Path) -> None:
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))

    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    assert "\t" not in text
