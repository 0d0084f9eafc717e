"""The environment of the benchmarks: its own, made on the first run from the group `bench`.

Peers never enter the development environment, and a benchmark never measures a peer
that happens to lie around. The programs here call `ensure_environment` first.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tomllib
import venv
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["RESULTS", "ROOT", "ensure_environment", "machine", "save"]

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
_PLACE = ROOT / "benchmarks" / ".venv"
_STAMP = _PLACE / "made-from.txt"
_MEASURED = (
    "segue", "granian", "uvicorn", "uvloop", "httptools", "msgspec", "jinja2", "flask", "django", "fastapi",
    "starlette", "litestar", "falcon", "blacksheep", "emmett55", "sanic", "sqlalchemy", "psycopg", "asyncpg",
    "peewee", "tortoise-orm", "piccolo", "flask-login", "flask-session", "flask-sqlalchemy",
)  # fmt: skip


def ensure_environment(module: str) -> None:
    """Go on in `benchmarks/.venv`, made or brought up to date where it must be.

    Args:
        module: What was started with `python -m`; it is started again, with its arguments.
    """
    if Path(sys.prefix).resolve() == _PLACE.resolve():
        return
    wanted = _fingerprint()
    if not _STAMP.exists() or _STAMP.read_text() != wanted:
        _make()
        _STAMP.write_text(wanted)
    python = _PLACE / "bin" / "python"
    os.chdir(ROOT)
    os.execv(python, [str(python), "-m", module, *sys.argv[1:]])


def _fingerprint() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    parts = [project["dependency-groups"]["bench"], project["project"]["dependencies"], sys.version]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _make() -> None:
    print(f"Making {_PLACE.relative_to(ROOT)} (once; the peers are installed there) ...", flush=True)
    if not (_PLACE / "bin" / "python").exists():
        venv.create(_PLACE, with_pip=True)
    pip = [str(_PLACE / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # --group came with pip 25.1, which is newer than what Python 3.11 brings.
    subprocess.run([*pip, "pip>=25.1"], check=True, cwd=ROOT)
    subprocess.run([*pip, "--group", "bench", "--editable", "."], check=True, cwd=ROOT)


def machine() -> dict[str, Any]:
    """Return what a result must say about where it came from."""
    packages = {}
    for name in _MEASURED:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    system = os.uname()
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "system": f"{system.sysname} {system.release} {system.machine}",
        "cores": os.cpu_count(),
        "packages": packages,
    }


def save(name: str, result: dict[str, Any]) -> Path:
    """Write a result to `benchmarks/results/` and return its path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps({"machine": machine(), **result}, indent=1) + "\n")
    return path
