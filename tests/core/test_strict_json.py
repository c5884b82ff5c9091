"""The reader of bodies: what it refuses, over HTTP, and what counts as the same request."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.api.errors import InvalidString, MalformedRequest
from core.api.strict_json import MAX_BYTES, MAX_DEPTH, read_object
from core.canonical import canonical_json
from core.card_data import CardDataForbidden
from core.errors import DomainError
from merchants.models import Seller
from tests.store import Store, error

GOOD = b'{"seller_account": "ada", "name": "Ada", "country": "DE"}'
MALFORMED = {
    "blank": b"  ",
    "not JSON": b"{'a': 1}",
    "cut off": GOOD[:-1],
    "something behind": GOOD + b"{}",
    "list (A-F10)": b"[]",
    "null (A-F10)": b"null",
    "string (A-F10)": b'"x"',
    "number (A-F10)": b"1",
    "true (A-F10)": b"true",
    "key twice (A-F7)": GOOD[:-1] + b', "name": "Bob"}',
    "key twice inside (A-F7)": b'{"payout_schedule": {"interval": "daily", "interval": "daily"}}',
    "key twice by escape (A-F7)": GOOD[:-1] + b', "n\\u0061me": "Bob"}',
    "fraction": b'{"tax_bps": 1.0}',
    "exponent (A-C2)": b'{"tax_bps": 1e2}',
    "infinite (A-C4)": b'{"tax_bps": 1e400}',
    "NaN (A-C4)": b'{"tax_bps": NaN}',
    "Infinity (A-C4)": b'{"tax_bps": -Infinity}',
    "2^63 (A-C3)": b'{"tax_bps": 9223372036854775808}',
    "5000 digits (A-C3)": b'{"tax_bps": ' + b"9" * 5000 + b"}",
    "2000 deep (A-F6)": b'{"a": ' * 2000 + b"1" + b"}" * 2000,
    "a million brackets (A-F6)": b'{"a": ' + b"[" * 1_000_000,
    "33 deep (A-F6)": b'{"a": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
    "invalid UTF-8 (A-F9)": b'{"name": "\xff"}',
    "overlong UTF-8 (A-F9)": b'{"name": "\xc0\xaf"}',
    "raw surrogate (A-F9)": b'{"name": "\xed\xa0\x80"}',
    "UTF-16 (A-F9)": GOOD.decode().encode("utf-16"),
    "UTF-16 without mark (A-F9)": GOOD.decode().encode("utf-16-le"),
    "byte-order mark (A-F9)": b"\xef\xbb\xbf" + GOOD,
    "raw control character": b'{"name": "a\x01"}',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_bodies(store: Store, body: bytes) -> None:
    """A-F6, A-F7, A-F9, A-F10, A-C2…A-C4."""
    assert error(store.post("/v1/sellers", body))[:2] == (400, "malformed_request")
    assert not Seller.objects.exists()


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-16",
        "application/json; charset=zlib",
        "application/json; charset=bz2",
        "application/json; charset=base64",
        "application/json; charset=unicode_escape",
        "application/json; charset=latin-1",
        "application/json; charset=",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "*/*",
        "",
        "nonsense",
    ],
)
def test_other_media_types_a_f5_a_f9_a_f12(store: Store, content_type: str) -> None:
    """A-F5, A-F9, A-F12."""
    response = store.post("/v1/sellers", GOOD, content_type=content_type)
    assert error(response) == (415, "unsupported_media_type", None)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'],
)
def test_json_in_utf_8_is_accepted(store: Store, content_type: str) -> None:
    assert store.post("/v1/sellers", GOOD, content_type=content_type).status_code == 201


def test_an_empty_body_is_an_empty_object(store: Store) -> None:
    """So that a POST whose fields are all optional needs no body."""
    assert error(store.post("/v1/sellers", b"")) == (422, "missing_field", "name")


def test_compressed_bodies_a_f12(store: Store) -> None:
    """A-F12."""
    response = store.post("/v1/sellers", GOOD, headers={"Content-Encoding": "gzip"})
    assert error(response)[:2] == (415, "unsupported_media_type")


def test_a_body_may_not_be_larger_than_a_mebibyte(store: Store) -> None:
    body = b'{"name": "' + b"a" * MAX_BYTES + b'"}'
    assert error(store.post("/v1/sellers", body)) == (413, "body_too_large", None)


STRINGS = ["\\u0000", "a\\u0000b", "\\ud800", "\\udc00x", "\\u001b[31m", "\\n", "\\u0085", "\\u007f"]


@pytest.mark.parametrize("text", STRINGS)
@pytest.mark.parametrize("name", ["seller_account", "name", "country", "payout_schedule"])
def test_forbidden_characters_in_every_string_field_a_f8(store: Store, name: str, text: str) -> None:
    """A-F8."""
    body = json.dumps({**json.loads(GOOD), name: "@"}).replace("@", text).encode()
    assert error(store.post("/v1/sellers", body)) == (422, "invalid_string", name)


@pytest.mark.parametrize("text", STRINGS)
def test_forbidden_characters_in_keys_a_f8(store: Store, text: str) -> None:
    """A-F8: a key of free-form JSON reaches the database as well."""
    body = GOOD[:-1] + f', "payout_schedule": {{"{text}": 1}}}}'.encode()
    assert error(store.post("/v1/sellers", body)) == (422, "invalid_string", "payout_schedule")


def test_a_surrogate_pair_is_one_character() -> None:
    assert read_object(b'{"a": "\\ud83d\\ude00"}') == {"a": "😀"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def shuffled(value: Any, draw: Any) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key], draw) for key in draw(st.permutations(list(value)))}
    return [shuffled(item, draw) for item in value] if isinstance(value, list) else value


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=5), st.data())
def test_equal_json_has_one_canonical_form_f_b9(value: dict[str, Any], data: Any) -> None:
    """F-B9: order of keys, blanks and escapes do not matter."""
    other = shuffled(value, data.draw)
    loose = json.dumps(other, indent=data.draw(st.sampled_from([None, 1, "\t"])), ensure_ascii=True).encode()
    dense = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        assert canonical_json(read_object(loose)) == canonical_json(read_object(dense))
    except (MalformedRequest, InvalidString, CardDataForbidden):
        with pytest.raises(DomainError):
            read_object(dense)


@given(JSON, JSON)
def test_unequal_json_has_unequal_canonical_forms_f_b9(one: Any, other: Any) -> None:
    """F-B9: 1, "1" and true are three different requests."""
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (canonical_json(one) == canonical_json(other)) is same


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """No input may end in another exception than one of the catalogue."""
    try:
        read_object(raw)
    except DomainError as refusal:
        assert refusal.status in (400, 422)
