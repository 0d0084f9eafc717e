"""The names of downloads."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import UsageError
from segue.http.bodies import parse_parameters
from segue.http.disposition import content_disposition
from segue.http.headers import check_header


@pytest.mark.parametrize(
    ("filename", "header"),
    [
        pytest.param(None, "attachment", id="none"),
        pytest.param("", "attachment", id="empty"),
        pytest.param("report.pdf", 'attachment; filename="report.pdf"', id="plain"),
        pytest.param("a b.pdf", 'attachment; filename="a b.pdf"', id="space"),
        pytest.param('a"b.pdf', "attachment; filename=\"a_b.pdf\"; filename*=UTF-8''a%22b.pdf", id="E07-quote"),
        pytest.param("a;b=c.pdf", 'attachment; filename="a;b=c.pdf"', id="E07-semicolon"),
        pytest.param("a\r\nX-Evil: 1", 'attachment; filename="aX-Evil: 1"', id="E07-line-break"),
        pytest.param("a%0d%0ab", "attachment; filename=\"a_0d_0ab\"; filename*=UTF-8''a%250d%250ab", id="E07-encoded"),
        pytest.param("é.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt", id="E07-non-ascii"),
        pytest.param("../a\\b", 'attachment; filename=".._a_b"', id="E07-slashes"),
        pytest.param("a\u202etxt.exe", 'attachment; filename="atxt.exe"', id="E07-direction"),
        pytest.param("x" * 5000, f'attachment; filename="{"x" * 255}"', id="E07-5-KB"),
    ],
)
def test_e07_a_name_stays_inside_its_quotes(filename: str | None, header: str) -> None:
    assert content_disposition("attachment", filename) == header


@settings(deadline=None)
@given(st.text(max_size=300))
def test_e07_every_name_makes_one_header_without_further_parameters(filename: str) -> None:
    header = content_disposition("inline", filename)
    _, params = parse_parameters(header)

    check_header("content-disposition", header)
    assert set(params) <= {"filename", "filename*"}


def test_another_kind_is_refused() -> None:
    with pytest.raises(UsageError):
        content_disposition("form-data", "x")
