"""Uploaded files and their names."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import UsageError
from segue.http.bodies import Spool
from segue.http.uploads import UploadFile, neutral_filename

Make = Callable[..., UploadFile]


@pytest.fixture(params=[0, 1000], ids=["on-disk", "in-memory"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    made: list[UploadFile] = []

    def build(content: bytes = b"0123456789", filename: str = "a.txt") -> UploadFile:
        spool = Spool(request.param)
        spool.write(content)
        made.append(UploadFile(spool, filename=filename))
        return made[-1]

    yield build
    for upload in made:
        upload.close()


@pytest.mark.parametrize(
    ("raw", "filename"),
    [
        pytest.param("../../etc/passwd", "passwd", id="E08-dots"),
        pytest.param("/etc/passwd", "passwd", id="E08-absolute"),
        pytest.param("C:\\Windows\\system.ini", "system.ini", id="E08-windows-path"),
        pytest.param("C:evil.exe", "C_evil.exe", id="E08-drive"),
        pytest.param("..", "file", id="E08-two-dots"),
        pytest.param(".", "file", id="E08-dot"),
        pytest.param("", "file", id="E08-empty"),
        pytest.param("/", "file", id="E08-slash"),
        pytest.param("a.png\0.exe", "a.png", id="E08-nul"),
        pytest.param(".htaccess", "htaccess", id="E08-dotfile"),
        pytest.param("....", "file", id="E08-dots-only"),
        pytest.param("a.txt. ", "a.txt", id="E08-trailing-dot-and-space"),
        pytest.param("app.css::$DATA", "app.css_DATA", id="E08-stream"),
        pytest.param("CON", "_CON", id="E08-device"),
        pytest.param("nul.txt", "_nul.txt", id="E08-device-with-extension"),
        pytest.param("aux .css", "aux_.css", id="E08-device-with-space"),
        pytest.param("COM¹.txt", "_COM1.txt", id="E08-device-superscript"),
        pytest.param("a\r\nb.txt", "a_b.txt", id="E08-line-break"),
        pytest.param("<script>.html", "script_.html", id="E08-markup"),
        pytest.param("\u2024\u2024\u2215x", "x", id="E08-normalises-to-dots"),
        pytest.param("\u2025/x", "x", id="E08-two-dot-leader"),
        pytest.param("a\u202egnp.exe", "agnp.exe", id="E08-direction"),
        pytest.param("日本", "file", id="E08-nothing-ascii"),
        pytest.param("日本.pdf", "pdf", id="E08-only-the-extension-is-ascii"),
        pytest.param("Été à Paris.JPG", "Ete_a_Paris.JPG", id="E08-accents"),
        pytest.param("-rf", "rf", id="E08-option"),
        pytest.param("x" * 300 + ".tar", "x" * 96 + ".tar", id="E08-long"),
        pytest.param("x" * 300, "x" * 100, id="E08-long-without-extension"),
    ],
)
def test_e08_a_hostile_file_name_is_neutralised(raw: str, filename: str) -> None:
    assert neutral_filename(raw) == filename


@settings(deadline=None)
@given(st.text(max_size=400))
def test_e08_every_file_name_is_neutral(raw: str) -> None:
    name = neutral_filename(raw)

    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", name)
    assert not name.endswith(".")
    assert neutral_filename(name) == name or name.startswith("_")


def test_k11_a_megabyte_of_ligatures_is_cut_before_it_is_normalised() -> None:
    assert len(neutral_filename("\ufdfa" * 1_000_000)) <= 100


def test_an_upload_is_read_sought_and_iterated(make: Make) -> None:
    upload = make()

    assert upload.read(4) == b"0123"
    assert upload.tell() == 4
    assert upload.seek(1) == 1
    assert upload.read() == b"123456789"
    assert b"".join(upload) == b"0123456789"
    assert list(upload.chunks(4)) == [b"0123", b"4567", b"89"]
    assert upload.size == 10


def test_saving_to_a_path_replaces_the_file(make: Make, tmp_path: Path) -> None:
    target = tmp_path / "kept.bin"
    target.write_bytes(b"old and longer than the new one")

    assert make().save(target) == target
    assert target.read_bytes() == b"0123456789"
    assert [each.name for each in tmp_path.iterdir()] == ["kept.bin"]


def test_saving_into_a_directory_uses_the_neutral_name_and_replaces_nothing(make: Make, tmp_path: Path) -> None:
    upload = make(filename="../a.txt")

    first, second = upload.save(tmp_path), upload.save(str(tmp_path))

    assert first == tmp_path / "a.txt"
    assert second.parent == tmp_path
    assert second.name.endswith("-a.txt")
    assert first.read_bytes() == second.read_bytes() == b"0123456789"


def test_e15_a_failed_save_leaves_nothing(make: Make, tmp_path: Path) -> None:
    upload = make()
    upload.close()

    with pytest.raises(UsageError):
        upload.save(tmp_path / "x")

    assert list(tmp_path.iterdir()) == []


def test_saving_where_no_directory_is_fails(make: Make, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        make().save(tmp_path / "missing" / "x")


def test_the_async_twins_do_the_same(make: Make, tmp_path: Path) -> None:
    upload = make()

    async def use() -> tuple[bytes, Path]:
        return await upload.aread(3), await upload.asave(tmp_path / "x")

    found, path = asyncio.run(use())

    assert found == b"012"
    assert path.read_bytes() == b"0123456789"


def test_a_closed_upload_says_what_to_do(make: Make) -> None:
    upload = make()
    upload.read(1)
    upload.close()

    with pytest.raises(UsageError) as caught:
        upload.read()

    assert caught.value.code == "http/body-closed"
