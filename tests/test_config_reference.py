"""The reference of the configuration and the core's declarations agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.config import Config
from segue.settings import declare_core

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "configuration.md"

core = Config(environ={})
declare_core(core)


@pytest.mark.parametrize("key", list(core.options))
def test_every_key_of_the_core_stands_in_the_reference(key: str) -> None:
    assert f"| `{key}`" in PAGE.read_text(encoding="utf-8")


def test_the_core_finds_no_fault_with_its_own_defaults() -> None:
    assert core.findings() == []
