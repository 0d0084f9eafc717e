"""OPERATE-16, CORE-53, E08, E09, E15: one suite on each store of files, in both colours."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from segue.errors import UsageError
from segue.storage import FileSystemStorage, MemoryStorage, Storage, StorageFull


@pytest.fixture(params=["folder", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return FileSystemStorage(tmp_path / "media") if request.param == "folder" else MemoryStorage()


def content_of(storage: Storage, name: str) -> bytes:
    with storage.open(name) as file:
        return file.read()


@pytest.mark.parametrize("content", [b"blue", io.BytesIO(b"blue"), [b"bl", b"ue"]], ids=["bytes", "file", "pieces"])
def test_what_was_saved_is_read_again(storage: Storage, content: object) -> None:
    if isinstance(content, io.BytesIO):
        content.seek(0)

    name = storage.save("covers/2026/blue.png", content)  # type: ignore[arg-type]  # each kind there is

    assert name == "covers/2026/blue.png"
    assert content_of(storage, name) == b"blue"
    assert (storage.exists(name), storage.size(name)) == (True, 4)


def test_async_code_does_the_same(storage: Storage) -> None:
    async def story() -> None:
        name = await storage.asave("blue.png", b"blue")
        assert await storage.aexists(name)
        assert await storage.asize(name) == 4
        with await storage.aopen(name) as file:
            assert file.read() == b"blue"
        await storage.adelete(name)
        assert not await storage.aexists(name)

    asyncio.run(story())


def test_a_name_that_is_taken_becomes_another(storage: Storage) -> None:
    first, second = storage.save("a/blue.png", b"one"), storage.save("a/blue.png", b"one")

    assert first == "a/blue.png" != second
    assert second.startswith("a/blue_")
    assert second.endswith(".png")
    storage.delete(second)
    assert content_of(storage, first) == b"one"


def test_no_two_of_many_writers_get_one_name(storage: Storage) -> None:
    def save(number: int) -> str:
        return storage.save("same.txt", b"%d" % number)

    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(save, range(64)))

    assert len(set(names)) == 64
    assert [content_of(storage, name) for name in names] == [b"%d" % number for number in range(64)]


@pytest.mark.parametrize(
    "hostile",
    [
        "a\x00.png",
        "NUL.txt",
        "..",
        ".htaccess",
        "a\u202egnp.exe",
        "\ud800.png",
        "x" * 300 + ".png",
        "C:\\a.png",
        "a*.png",
    ],
)
def test_a_visitors_name_becomes_harmless(storage: Storage, hostile: str) -> None:
    name = storage.save(f"uploads/{hostile}", b"x")

    last = name.removeprefix("uploads/")
    assert last.isascii()
    assert 0 < len(last) <= 100
    assert not set(last) & set('/\\:*?"<>|\0')
    assert not last.startswith(".")
    assert content_of(storage, name) == b"x"


@pytest.mark.parametrize("name", ["../a.png", "a/../../b.png", "/etc/a.png", "a//b.png", "nul/a.png", "", "a/"])
def test_a_folder_that_leads_out_is_refused(storage: Storage, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        storage.save(name, b"x")

    assert caught.value.code == "storage/bad-name"


def test_deleting_takes_a_name_literally(storage: Storage) -> None:
    name = storage.save("ab.png", b"x")
    storage.delete("missing.png")
    for pattern in ("a*", "?b.png", "[a]b.png"):
        try:
            storage.delete(pattern)
        except UsageError as error:
            assert error.code == "storage/bad-name"  # noqa: PT017  # a store in memory knows no such name at all

    assert storage.exists(name)


def test_what_is_not_there_is_not_found(storage: Storage) -> None:
    for ask in (storage.open, storage.size):
        with pytest.raises(FileNotFoundError):
            ask("missing.png")
    assert not storage.exists("missing.png")


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "media", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    (root / "link").symlink_to(outside)
    storage = FileSystemStorage(root)

    assert not storage.exists("link/secret.txt")
    with pytest.raises(UsageError):
        storage.open("link/secret.txt")
    with pytest.raises(UsageError):
        storage.delete("link/secret.txt")
    with pytest.raises(UsageError):
        storage.save("link/other.txt", b"x")
    assert [each.name for each in outside.iterdir()] == ["secret.txt"]


def test_nothing_is_left_of_a_file_that_breaks_off(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        FileSystemStorage(tmp_path).save("a.bin", pieces())

    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="limits of a process are POSIX")
def test_a_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(StorageFull) as caught:
            FileSystemStorage(tmp_path).save("a.bin", (b"x" * 65_536 for _ in range(4)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert (caught.value.code, caught.value.status) == ("storage/full", 507)
    assert list(tmp_path.iterdir()) == []
