"""Bodies: counted, and kept in memory or on disk."""

from __future__ import annotations

import os
import stat
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import BadRequest, ContentTooLarge, UsageError
from segue.http.bodies import BodyCounter, Spool


def test_b08_the_limit_counts_bytes_and_not_the_header() -> None:
    counter = BodyCounter(10)
    counter.count(b"x" * 10)

    with pytest.raises(ContentTooLarge):
        counter.count(b"x")


def test_b08_an_understated_length_is_refused() -> None:
    counter = BodyCounter(100, 3)

    with pytest.raises(BadRequest) as caught:
        counter.count(b"abcd")

    assert caught.value.code == "http/incomplete-body"


def test_a_short_body_is_incomplete() -> None:
    counter = BodyCounter(100, 5)
    counter.count(b"abcd")

    with pytest.raises(BadRequest) as caught:
        counter.finish()

    assert caught.value.code == "http/incomplete-body"
    assert caught.value.detail == "The body ended after 4 of 5 bytes."


def test_a_whole_body_is_counted() -> None:
    counter = BodyCounter(100, 4)
    counter.count(b"ab")
    counter.count(b"cd")
    counter.finish()

    assert counter.received == 4


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40)), st.integers(0, 100))
def test_a_spool_gives_back_what_was_written(chunks: list[bytes], threshold: int) -> None:
    spool = Spool(threshold)
    for chunk in chunks:
        spool.write(chunk)
    with spool.open() as reader:
        found = reader.read()
    on_disk = spool.is_on_disk
    spool.close()

    assert found == b"".join(chunks)
    assert spool.size == len(found)
    assert on_disk == (len(found) > threshold)


@pytest.mark.parametrize("threshold", [0, 100])
def test_readers_of_one_spool_do_not_share_a_position(threshold: int) -> None:
    spool = Spool(threshold)
    spool.write(b"0123456789")

    with spool.open() as one, spool.open() as two:
        one.seek(5)
        assert two.read(2) == b"01"
        assert one.read() == b"56789"
        assert one.seek(-2, 2) == 8
        assert one.read() == b"89"
    spool.close()


def test_writing_goes_on_after_reading() -> None:
    spool = Spool(0)
    spool.write(b"abc")
    with spool.open() as reader:
        reader.read()
    spool.write(b"def")

    with spool.open() as reader:
        assert reader.read() == b"abcdef"
    spool.close()


def test_e11_the_temporary_file_is_private_and_has_no_name() -> None:
    spool = Spool(0)
    spool.write(b"secret")

    status = os.fstat(spool._file.fileno())  # type: ignore[union-attr]
    spool.close()

    assert stat.S_IMODE(status.st_mode) == 0o600
    assert status.st_nlink == 0


def test_a_closed_spool_says_so() -> None:
    spool = Spool(0)
    spool.write(b"x")
    spool.close()
    spool.close()

    with pytest.raises(UsageError) as caught:
        spool.open()

    assert caught.value.code == "http/body-closed"


def test_two_threads_read_one_file() -> None:
    spool = Spool(0)
    spool.write(b"ab" * 50_000)
    found: list[bytes] = []

    def read() -> None:
        with spool.open() as reader:
            found.append(b"".join(iter(lambda: reader.read(777), b"")))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spool.close()

    assert found == [b"ab" * 50_000] * 4


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_x13_a_full_disk_is_507_and_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.TemporaryFile", lambda *a, **k: open("/dev/full", "wb", buffering=0))  # noqa: SIM115
    spool = Spool(0)

    with pytest.raises(Exception) as caught:
        spool.write(b"x" * 100)

    assert caught.value.status == 507  # type: ignore[attr-defined]
    assert caught.value.code == "http/no-space"  # type: ignore[attr-defined]
    assert not spool.is_on_disk
