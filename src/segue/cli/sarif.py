"""Findings as SARIF 2.1.0, which code hosts and editors show beside the lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .._version import __version__
from ..errors import Finding

__all__ = ["as_sarif"]

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<line>[1-9][0-9]*))?").fullmatch


def as_sarif(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return *findings* as one SARIF log."""
    ids = list(dict.fromkeys(each.id for each in findings))
    driver = {
        "name": "segue",
        "version": __version__,
        "rules": [{"id": each} for each in ids],
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": [_result(each, ids.index(each.id)) for each in findings]}],
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    text = f"{finding.message}\n{finding.hint}" if finding.hint else finding.message
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": _LEVELS[finding.level],
        "message": {"text": text},
    }
    if finding.where:
        result["locations"] = [_location(finding.where)]
    if finding.tags:
        result["properties"] = {"tags": list(finding.tags)}
    return result


def _location(where: str) -> dict[str, Any]:
    first = where.partition("\n")[0].partition(", ")[0]
    found = _PLACE(first)
    path = Path(found["file"]) if found is not None else Path()
    if found is None or not path.is_file():
        return {"logicalLocations": [{"fullyQualifiedName": where}]}
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(path)}}
    if found["line"]:
        physical["region"] = {"startLine": int(found["line"])}
    return {"physicalLocation": physical}


def _uri(path: Path) -> str:
    resolved = path.resolve()
    if resolved.is_relative_to(Path.cwd()):
        return quote(resolved.relative_to(Path.cwd()).as_posix())
    return resolved.as_uri()
