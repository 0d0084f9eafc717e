"""JSON bodies."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import BadRequest, ValidationError
from segue.http.json import check_document, decode_json
from segue.http.limits import Limits

LIMITS = Limits()

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text('abé\\":{', max_size=5), inner),
    max_leaves=20,
)


class Order(msgspec.Struct):
    qty: int
    price: Decimal = Decimal(0)


@settings(deadline=None)
@given(DOCUMENTS, st.booleans())
def test_what_was_encoded_is_decoded(document: Any, ascii_only: bool) -> None:
    body = json.dumps(document, ensure_ascii=ascii_only).encode()

    assert decode_json(body, LIMITS) == document


@settings(deadline=None)
@given(st.text('[]{}":,\\ 01aeEu.-', max_size=40))
def test_any_text_is_decoded_as_the_standard_library_does_or_refused(text: str) -> None:
    try:
        found = decode_json(text.encode(), LIMITS)
    except BadRequest as error:
        assert error.code == "http/bad-json"  # noqa: PT017 - either outcome is right
    else:
        assert found == json.loads(text)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[" * 100_000, id="B15-unclosed"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="B15-nested-arrays"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="B15-nested-objects"),
        pytest.param(b"[" * 65 + b"]" * 65, id="B15-65-levels"),
        pytest.param(b'{"a":' * 65 + b"1" + b"}" * 65, id="B15-65-objects"),
        pytest.param(b"1" * 5000, id="B16-5000-digits"),
        pytest.param(b"18446744073709551616", id="B16-2-to-the-64"),
        pytest.param(b"9223372036854775808", id="B16-2-to-the-63"),
        pytest.param(b'[{"a":-9223372036854775809}]', id="B16-below"),
        pytest.param(b'["\\"", 9223372036854775808]', id="B16-after-an-escape"),
        pytest.param(b"1e999", id="B16-1e999"),
        pytest.param(b"NaN", id="B16-nan"),
        pytest.param(b"[Infinity]", id="B16-infinity"),
        pytest.param(b"-Infinity", id="B16-minus-infinity"),
        pytest.param(b'"\xff"', id="B17-not-utf-8"),
        pytest.param('{"a":1}'.encode("utf-16"), id="B17-utf-16"),
        pytest.param(b'"+AGE-"\x00', id="B17-nul"),
        pytest.param(b'"\\ud800"', id="B17-lone-surrogate"),
        pytest.param(b'"\xed\xa0\x80"', id="B17-encoded-surrogate"),
        pytest.param(b'{"qty":1,"qty":-5}', id="N10-twin-keys"),
        pytest.param(b'{"qty":1,"q\\u0074y":-5}', id="N10-twin-keys-escaped"),
        pytest.param(b'[{"a":{"b":1,"c":2,"b":3}}]', id="N10-twin-keys-inside"),
        pytest.param(b'{"a":{},"a":{}}', id="N10-twin-empty-objects"),
        pytest.param(b'{"a":{"x":1},"a":1}', id="N10-the-first-twin-is-an-object"),
        pytest.param(b'\xef\xbb\xbf{"a":1}', id="N10-bom"),
        pytest.param(b'{"a":1} x', id="N10-trailing"),
        pytest.param(b'{"a":1}{"a":1}', id="N10-two-documents"),
        pytest.param(b'{"a":1 /* x */}', id="N10-comment"),
        pytest.param(b"{'a':1}", id="N10-quotes"),
        pytest.param(b'{"a":1,}', id="N10-trailing-comma"),
    ],
)
def test_hostile_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        decode_json(body, LIMITS)

    assert caught.value.code == "http/bad-json"
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("body", "value"),
    [
        pytest.param(b"-0", 0, id="B16-minus-zero"),
        pytest.param(b"9223372036854775807", 2**63 - 1, id="B16-largest"),
        pytest.param(b"-9223372036854775808", -(2**63), id="B16-smallest"),
        pytest.param(b"12345678901234567890.5", 12345678901234567890.5, id="B16-long-fraction"),
        pytest.param(b"0.1234567890123456789012345", 0.12345678901234568, id="B16-many-decimals"),
        pytest.param(b'"18446744073709551616"', "18446744073709551616", id="B16-digits-in-a-string"),
        pytest.param(b'{"1234567890123456789012":"a:b"}', {"1234567890123456789012": "a:b"}, id="digits-in-a-key"),
        pytest.param(b'{"__proto__":1}', {"__proto__": 1}, id="N10-proto-is-a-key-like-others"),
        pytest.param(b'{"a":"\\\\","b":"\\"a\\":"}', {"a": "\\", "b": '"a":'}, id="N10-escaped-quotes"),
        pytest.param(b'["[[[[", "{{{"]', ["[[[[", "{{{"], id="brackets-in-strings"),
        pytest.param(b'[{"a":1},{"a":2}]', [{"a": 1}, {"a": 2}], id="N10-same-key-in-two-objects"),
        pytest.param(b' {"a": [] } \n', {"a": []}, id="whitespace"),
    ],
)
def test_lawful_json_is_decoded(body: bytes, value: Any) -> None:
    assert decode_json(body, LIMITS) == value


def test_as_deep_as_allowed_is_decoded() -> None:
    document = decode_json(b"[" * 64 + b"]" * 64, LIMITS)

    assert isinstance(document, list)


def test_brackets_in_strings_do_not_count_as_depth() -> None:
    body = json.dumps({"a": "[" * 500, "b": ["{" * 500] * 100}).encode()

    assert decode_json(body, LIMITS)["a"] == "[" * 500


def test_a_typed_body_is_decoded_and_faults_have_a_place() -> None:
    assert decode_json(b'{"qty":3}', LIMITS, Order) == Order(3)

    with pytest.raises(ValidationError) as caught:
        decode_json(b'[{"qty":1},{"qty":"x"}]', LIMITS, list[Order])

    assert [fault.path for fault in caught.value.faults] == [("body", 1, "qty")]


def test_a_typed_body_may_not_repeat_a_key() -> None:
    with pytest.raises(BadRequest):
        decode_json(b'{"qty":1,"qty":5}', LIMITS, Order)


def test_a_decimal_takes_a_number_of_any_length() -> None:
    found = decode_json(b'{"qty":1,"price":123456789012345678901234567890}', LIMITS, Order)

    assert found.price == Decimal("123456789012345678901234567890")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"qty":1,"price":1e999}', id="B16-1e999-as-a-decimal"),
        pytest.param(b'{"qty":1,"price":' + b"9" * 5000 + b"}", id="B16-5000-digits-as-a-decimal"),
        pytest.param(b'{"qty":1,"x":' + b"[" * 65 + b"]" * 65 + b"}", id="B15-depth-in-a-field-that-is-skipped"),
        pytest.param(b'{"qty":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="B15-great-depth-where-skipped"),
    ],
)
def test_a_type_does_not_lift_the_limits(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        decode_json(body, LIMITS, Order)

    assert caught.value.code == "http/bad-json"


def test_twin_keys_may_be_allowed() -> None:
    assert decode_json(b'{"a":1,"a":2}', Limits(json_unique_keys=False)) == {"a": 2}


def test_a_document_that_another_decoder_read_can_be_checked() -> None:
    with pytest.raises(BadRequest):
        check_document(b'{"a":[1,{"b":1,"b":2}]}', LIMITS)

    check_document(b'{"a":[1,{"b":1,"c":2}]}', LIMITS)
