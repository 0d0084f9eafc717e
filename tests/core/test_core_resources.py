"""CORE-21: files beside the code."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from segue import App, Blueprint
from segue.blueprint import Scaffold
from segue.errors import UsageError


@pytest.fixture(params=["app", "blueprint"])
def scaffold(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scaffold:
    """An app or a blueprint whose module lies in a folder with a resource."""
    (tmp_path / "site" / "data").mkdir(parents=True)
    (tmp_path / "site" / "data" / "names.txt").write_bytes("Zoë\r\n".encode())
    (tmp_path / "outside.txt").write_text("secret")
    module = ModuleType("resource_site")
    module.__file__ = str(tmp_path / "site" / "__init__.py")
    monkeypatch.setitem(sys.modules, "resource_site", module)
    return App("resource_site") if request.param == "app" else Blueprint("blog", "resource_site")


def test_a_resource_is_opened_as_bytes(scaffold: Scaffold) -> None:
    with scaffold.open_resource("data/names.txt") as file:
        assert file.read() == "Zoë\r\n".encode()


def test_a_resource_is_opened_as_text(scaffold: Scaffold) -> None:
    with scaffold.open_resource("data/names.txt", "r") as file:
        assert file.read() == "Zoë\n"


def test_another_encoding_can_be_said(scaffold: Scaffold) -> None:
    with scaffold.open_resource("data/names.txt", "r", encoding="latin-1") as file:
        assert file.read() == "ZoÃ«\n"


@pytest.mark.parametrize("name", ["missing.txt", "data", "../outside.txt", "/etc/hostname", "data/../../outside.txt"])
def test_what_is_no_file_in_the_folder_is_not_found(scaffold: Scaffold, name: str) -> None:
    with pytest.raises(FileNotFoundError, match="app/no-resource"):
        scaffold.open_resource(name)


def test_a_link_out_of_the_folder_is_not_followed(scaffold: Scaffold) -> None:
    (scaffold.root_path / "link.txt").symlink_to(scaffold.root_path.parent / "outside.txt")

    with pytest.raises(FileNotFoundError):
        scaffold.open_resource("link.txt")


@pytest.mark.parametrize("mode", ["w", "a", "r+", "wb", "x"])
def test_resources_are_not_written(scaffold: Scaffold, mode: Any) -> None:
    with pytest.raises(UsageError, match="app/read-only-resource"):
        scaffold.open_resource("data/names.txt", mode)
