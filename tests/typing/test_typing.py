"""What type checkers say of models, querysets and databases: both agree with `cases/`, without a plugin."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"
ROOT = Path(__file__).resolve().parents[2]


def check(*words: str) -> str:
    """Run a type checker on the cases; return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", *words, str(CASES)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    return "\n".join(line for line in (done.stdout + done.stderr).splitlines() if "error" in line or "Error" in line)


def test_there_are_many_cases() -> None:
    found = [case for file in CASES.glob("*.py") for case in re.findall(r"\bassert_type\(", file.read_text())]

    assert len(found) >= 150


@pytest.mark.slow
def test_mypy_agrees(tmp_path: Path) -> None:
    # Errors in Segue itself are `make check`'s.
    said = check("mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", "--follow-imports=silent")

    assert said == ""


@pytest.mark.slow
def test_pyright_agrees() -> None:
    assert check("pyright") == "0 errors, 0 warnings, 0 informations"
