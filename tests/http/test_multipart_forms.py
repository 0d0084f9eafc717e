"""Multipart forms, pushed in by chunks."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import BadRequest, HTTPError, UnsupportedMediaType
from segue.http.bodies import parse_content_type
from segue.http.forms import FormData, MultipartReader
from segue.http.limits import Limits

KIND = parse_content_type("multipart/form-data; boundary=XX")
FIELD = b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
FILE = b'--XX\r\nContent-Disposition: form-data; name="a"; filename="b.bin"\r\n\r\n'
END = b"\r\n--XX--\r\n"

OPEN: list[FormData] = []


@pytest.fixture(autouse=True)
def _close_files() -> Iterator[None]:
    yield
    for form in OPEN:
        close(form)
    OPEN.clear()


def close(form: FormData) -> None:
    for _, upload in form.files.multi_items():
        upload.close()


def read(*chunks: bytes, limits: Limits = Limits(), content_type: str = "multipart/form-data; boundary=XX") -> FormData:
    reader = MultipartReader(parse_content_type(content_type), limits)
    try:
        for chunk in chunks:
            reader.feed(chunk)
        form = reader.finish()
    except BaseException:
        reader.close()
        raise
    OPEN.append(form)
    return form


def part(disposition: str, body: bytes = b"v", *headers: str) -> bytes:
    lines = [f"Content-Disposition: form-data; {disposition}", *headers]
    return b"--XX\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + body + b"\r\n"


def test_fields_and_files_are_told_apart() -> None:
    form = read(
        part('name="title"', b"Kind of Blue") + part('name="cover"; filename="c.png"', b"\x89PNG") + b"--XX--\r\n"
    )

    assert form.fields["title"] == "Kind of Blue"
    assert form.files["cover"].filename == "c.png"
    assert form.files["cover"].read() == b"\x89PNG"
    assert form.files["cover"].size == 4


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text("abc", min_size=1), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
        ),
        max_size=5,
    ),
    st.lists(st.binary(max_size=200), max_size=3),
    st.integers(1, 50),
)
def test_the_cut_into_chunks_does_not_matter(
    fields: Sequence[tuple[str, str]], files: Sequence[bytes], size: int
) -> None:
    files = [content for content in files if b"--XX" not in content]
    fields = [(name, value) for name, value in fields if "--XX" not in value]
    body = b"".join(part(f'name="{name}"', value.encode()) for name, value in fields)
    body += b"".join(part('name="f"; filename="x"', content) for content in files) + b"--XX--\r\n"

    form = read(
        *[body[start : start + size] for start in range(0, len(body), size)], limits=Limits(spool_threshold=100)
    )

    assert form.fields.multi_items() == list(fields)
    assert [upload.read() for upload in form.files.getlist("f")] == list(files)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([b"--XX", b"--XX--", b"\r\n", b"\r", b"\n", FIELD, FILE, b'"', b";", b"\0", b"x", b": "]))
)
def test_any_bytes_are_read_or_refused(chunks: list[bytes]) -> None:
    try:
        close(read(*chunks))
    except HTTPError as error:
        assert 400 <= error.status < 500  # noqa: PT017 - either outcome is right


def test_a_file_past_the_threshold_goes_to_disk_and_a_small_one_does_not() -> None:
    form = read(
        part('name="a"; filename="a"', b"x" * 50) + part('name="b"; filename="b"', b"y" * 51) + b"--XX--\r\n",
        limits=Limits(spool_threshold=100),
    )

    assert not form.files["a"].is_on_disk
    assert form.files["b"].is_on_disk
    assert form.files["b"].read() == b"y" * 51


def test_the_reader_says_when_the_next_chunk_may_be_written_to_disk() -> None:
    reader = MultipartReader(KIND, Limits(spool_threshold=200_000))
    reader.feed(FIELD + b"x" * 5000)
    in_a_field = reader.on_disk
    reader.feed(b"\r\n" + FILE + b"x" * 100_000)
    in_a_file = reader.on_disk
    reader.close()

    assert (in_a_field, in_a_file) == (False, True)


@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        pytest.param([(FIELD + b"\r\n") * 100_000], 413, id="B01-tiny-parts"),
        pytest.param([(FILE + b"x\r\n") * 200], 413, id="B01-tiny-files"),
        pytest.param([FIELD + b"x" * 3_000_000 + END], 413, id="B02-long-field"),
        pytest.param([FIELD, *[b"x" * 1000] * 3000, END], 413, id="B02-long-field-in-chunks"),
        pytest.param([FIELD[:-2] + b"X-A: " + b"a" * 1_000_000 + b"\r\n\r\n" + END], 431, id="B05-long-part-header"),
        pytest.param([FIELD[:-2] + b"X-A: b\r\n" * 10_000 + b"\r\n" + END], 431, id="B05-many-part-headers"),
        pytest.param(
            [FIELD[:-2] + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(10)) + b"\r\n" + END],
            431,
            id="B05-part-headers-together",
        ),
        pytest.param([FIELD[:-2] + b" folded\r\n" * 100_000 + b"\r\n" + END], 431, id="B05-folds"),
        pytest.param([FIELD + b"x"], 400, id="B06-truncated"),
        pytest.param([FIELD], 400, id="B06-only-headers"),
        pytest.param([b""], 400, id="B06-empty"),
        pytest.param([b"\r\n"], 400, id="B06-only-a-line"),
        pytest.param([FIELD + b"x\r\n--XX"], 400, id="B06-no-final-dashes"),
        pytest.param([b"nothing at all" * 1000], 400, id="B06-no-boundary"),
        pytest.param(
            [part('name="a"', b"eA==", "Content-Transfer-Encoding: base64") + b"--XX--"], 400, id="B07-base64"
        ),
        pytest.param(
            [part('name="a"', b" " * 2_400_000, "Content-Transfer-Encoding: quoted-printable") + b"--XX--"],
            400,
            id="B07-quoted-printable",
        ),
        pytest.param([part('name=""') + b"--XX--"], 400, id="no-name"),
        pytest.param([part("x=1") + b"--XX--"], 400, id="name-missing"),
        pytest.param([part('name="' + "n" * 257 + '"') + b"--XX--"], 400, id="long-name"),
        pytest.param([part('name="a"; filename="open') + b"--XX--"], 400, id="file-name-unclosed"),
        pytest.param([part('name="a"; filename = x') + b"--XX--"], 400, id="file-name-with-spaces"),
        pytest.param([part('name="a"', b"\xff") + b"--XX--"], 400, id="B17-not-utf-8"),
        pytest.param([part('name="a"', b"a\0b") + b"--XX--"], 400, id="nul-in-a-field"),
        pytest.param([part('name="a\0"') + b"--XX--"], 400, id="nul-in-a-name"),
        pytest.param(
            [part('name="a"', b"x", "Content-Type: text/plain; charset=utf-7") + b"--XX--"],
            415,
            id="B17-unknown-charset",
        ),
        pytest.param(
            [part('name="a"', b"x", 'Content-Disposition: form-data; name="b"') + b"--XX--"], 400, id="two-dispositions"
        ),
        pytest.param([b"--XX\r\nContent-Type: text/plain\r\n\r\nx" + END], 400, id="no-disposition"),
        pytest.param(
            [b'--XX\r\nContent-Disposition: attachment; name="a"\r\n\r\nx' + END], 400, id="other-disposition"
        ),
    ],
)
def test_a_hostile_form_is_refused(chunks: list[bytes], status: int) -> None:
    with pytest.raises(HTTPError) as caught:
        read(*chunks)

    assert caught.value.status == status


@pytest.mark.parametrize(
    ("chunks", "content"),
    [
        pytest.param([FILE + b"x" * 3_000_000 + END], b"x" * 3_000_000, id="B02-a-file-of-3-MB"),
        pytest.param([FILE + b"\r\n" + b"x" * 2_400_000 + END], b"\r\n" + b"x" * 2_400_000, id="B03-starts-with-crlf"),
        pytest.param([FILE + b"\r" * 2_400_000 + END], b"\r" * 2_400_000, id="B03-only-cr"),
        pytest.param([FILE, *[b"\r\n--X"] * 20_000, END], b"\r\n--X" * 20_000, id="B03-almost-boundaries"),
        pytest.param([b"\r\n" * 1_200_000 + FILE + b"x" + END], b"x", id="B04-preamble"),
        pytest.param([FILE + b"x" + END, *[b"\r\n" * 1000] * 1200], b"x", id="B04-epilogue"),
        pytest.param([FILE, *[b"x"] * 100_000, END], b"x" * 100_000, id="B09-one-byte-chunks"),
    ],
)
def test_an_odd_but_lawful_form_is_read(chunks: list[bytes], content: bytes) -> None:
    form = read(*chunks, limits=Limits(max_body=5_000_000))

    assert form.files["a"].read() == content


@pytest.mark.parametrize(
    ("disposition", "raw", "filename"),
    [
        pytest.param(
            'name="a"; filename="x.txt"; filename*=UTF-8\'\'..%2f..%2fetc', "x.txt", "x.txt", id="B12-star-after"
        ),
        pytest.param('name="a"; filename*=UTF-8\'\'..%2fetc; filename="x.txt"', "x.txt", "x.txt", id="B12-star-before"),
        pytest.param('name="a"; name*=UTF-8\'\'b; filename="x.txt"', "x.txt", "x.txt", id="B12-name-star"),
        pytest.param('name="a"; filename="../../etc/passwd"', "../../etc/passwd", "passwd", id="B12-dots"),
        pytest.param('name="a"; filename="a%22b.txt"', 'a"b.txt', "a_b.txt", id="browser-escape"),
        pytest.param('name="a"; filename="a\\"b.txt"', 'a"b.txt', "a_b.txt", id="backslash-escape"),
        pytest.param('name="a"; filename="C:\\\\dir\\\\x.txt"', "C:\\dir\\x.txt", "x.txt", id="windows-path"),
        pytest.param('name="a"; filename=x.txt', "x.txt", "x.txt", id="token"),
        pytest.param('name="a"; filename="é.txt"', "é.txt", "e.txt", id="utf-8"),
    ],
)
def test_which_file_name_counts(disposition: str, raw: str, filename: str) -> None:
    form = read(part(disposition) + b"--XX--")

    assert (form.files["a"].raw_filename, form.files["a"].filename) == (raw, filename)


def test_b12_a_quoted_extended_parameter_hides_no_file_name() -> None:
    with pytest.raises(BadRequest):
        read(part('name="a"; filename*="x; filename=evil.exe"') + b"--XX--")


def test_b12_a_folded_header_is_one_header() -> None:
    body = b'--XX\r\nContent-Disposition: form-data;\r\n name="a"; filename="x.txt"\r\n\r\nx' + END

    assert read(body).files["a"].filename == "x.txt"


def test_an_empty_file_input_is_no_file() -> None:
    form = read(part('name="a"; filename=""', b"", "Content-Type: application/octet-stream") + b"--XX--")

    assert len(form.files) == 0


def test_a_part_has_its_own_charset() -> None:
    body = part('name="a"', b"\xe9", "Content-Type: text/plain; charset=iso-8859-1") + part('name="b"', "é".encode())

    assert read(body + b"--XX--").fields.to_dict() == {"a": "é", "b": "é"}


def test_the_form_without_parts_is_empty() -> None:
    form = read(b"--XX--\r\n")

    assert (len(form.fields), len(form.files)) == (0, 0)


@pytest.mark.parametrize("boundary", ["", '""', "x" * 71, '"a\tb"', "é"])
def test_b06_a_boundary_that_is_none_is_refused(boundary: str) -> None:
    with pytest.raises(BadRequest):
        MultipartReader(parse_content_type(f"multipart/form-data; boundary={boundary}"), Limits())


def test_b20_an_aborted_form_leaves_no_file_open() -> None:
    reader = MultipartReader(KIND, Limits(spool_threshold=0))
    reader.feed(FILE + b"x" * 5000 + b"\r\n" + FILE + b"y" * 5000)
    first, current = reader._files[0][1], reader._part
    reader.close()
    reader.close()

    assert first._spool.is_closed
    assert current.spool.is_closed  # type: ignore[union-attr]


def test_b20_a_refused_form_leaves_no_file_open() -> None:
    reader = MultipartReader(KIND, Limits(spool_threshold=0))
    reader.feed(FILE + b"x" * 5000 + b"\r\n" + FILE)
    first = reader._files[0][1]

    with pytest.raises(BadRequest):
        reader.finish()

    assert first._spool.is_closed


def test_b23_a_bad_form_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    with pytest.raises(BadRequest):
        read(b"".join(part('name=""') for _ in range(1000)))

    assert caplog.records == []


def test_the_count_of_fields_and_of_files_are_apart() -> None:
    body = part('name="a"') * 3 + part('name="f"; filename="x"') * 2 + b"--XX--"

    form = read(body, limits=Limits(max_fields=3, max_files=2))

    assert (len(form.fields.getlist("a")), len(form.files.getlist("f"))) == (3, 2)


def test_an_unknown_charset_of_a_part_is_415() -> None:
    with pytest.raises(UnsupportedMediaType):
        read(part('name="a"; filename="x"', b"x", "Content-Type: text/plain; charset=punycode") + b"--XX--")
