"""Evidence holds what happened, and nothing that must not be kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.redaction import MAX_EVIDENCE_BYTES, redact, redact_text


@pytest.mark.parametrize(
    ("raw", "gone"),
    [
        (b'{"client_secret": "pi_1_secret_x"}', b"secret_x"),
        (b'{"email":"ada@example.com"}', b"ada@"),
        (b'{"name" : "Ada \\"the\\" Lovelace"}', b"Lovelace"),
        (b'{"phone": "+44 20 7946 0000', b"7946"),
        (b'{"billing_details": {"address": {"line1": "1 High St"}}}', b"High"),
        (b"Invalid API Key provided: sk_test_abcdef", b"abcdef"),
        (b'{"id": "pm_1Abcdef", "object": "payment_method"}', b"1Abcdef"),
        (b"the payment method pm_1Abcdef belongs to the customer cus_x", b"1Abcdef"),
        (b'{"customer":"cus_Qwerty"}', b"Qwerty"),
        (b'{"destination":"acct_1Qwerty"}', b"Qwerty"),
        (b'{"note": "4242424242424242"}', b"4242"),
        (b'{"note": "4242 4242 4242 4242"}', b"4242"),
        (b"card 4242-4242-4242-4242 refused", b"4242"),
        (b'{"note": 378282246310005}', b"378282246310005"),
        (b"pays DE89370400440532013000 now", b"0532013000"),
        (b'{"content": "<IBAN>DE12345678901234567890</IBAN>"}', b"345678"),
        (b"<ns2:Nm>Ann Lee</ns2:Nm>", b"Lee"),
        (b"<Cdtr><Nm>Ann Lee", b"Lee"),
        (b"<AdrLine>1 High St</AdrLine>", b"High"),
    ],
)
def test_secrets_and_people_are_taken_out(raw: bytes, gone: bytes) -> None:
    kept = redact(raw)
    assert gone not in kept
    assert b"[redacted]" in kept


@pytest.mark.parametrize(
    "raw",
    [
        b'{"id": "pi_3Nabc", "amount": 1000, "created": 1790000000, "status": "succeeded"}',
        b'{"latest_charge": "ch_4242424242424242"}',
        b'{"serial": 1234567890123456}',
        b'{"code": "payment_method_unexpected_state", "param": "payment_method"}',
    ],
)
def test_what_explains_a_payment_stays(raw: bytes) -> None:
    assert redact(raw) == raw


def test_an_answer_stays_json_when_it_was() -> None:
    body = json.dumps({"name": 'a "quoted" \\ name', "client_secret": "x", "amount": 5}).encode()
    assert json.loads(redact(body)) == {"name": "[redacted]", "client_secret": "[redacted]", "amount": 5}


def test_a_long_answer_is_cut() -> None:
    assert len(redact(b"x" * 10_000_000)) == MAX_EVIDENCE_BYTES


@given(st.binary(max_size=500))
def test_any_bytes_can_be_redacted(raw: bytes) -> None:
    assert len(redact(raw)) <= MAX_EVIDENCE_BYTES


def test_the_text_of_an_error_fits_its_column() -> None:
    text = redact_text("key sk_live_abcdefgh \x00 \ud800 " + "x" * 1000)
    assert len(text) <= 500 and "abcdefgh" not in text and "\x00" not in text
