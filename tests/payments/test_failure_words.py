"""Every failure code has its words for the back office, and none is left that there is no code for."""

import json

import pytest

from payments.api.failure_codes import FAILURES
from payments.telling.failures import FAILURE_WORDS, failure_words
from payments.telling.redaction import outline


def test_every_code_has_words() -> None:
    assert set(FAILURE_WORDS) == set(FAILURES)


@pytest.mark.parametrize("code", sorted(FAILURES))
def test_the_words_are_sentences_that_do_not_repeat_the_code(code: str) -> None:
    happened, then = failure_words(code)
    for words in (happened, then):
        assert words[0].isupper() and words.endswith("."), words
        assert "_" not in words
    assert happened != then


def test_a_code_of_old_times_is_told_by_its_message() -> None:
    assert failure_words("gone", message="The bank said no.")[0] == "The bank said no."
    assert failure_words("gone")[0] == "The payment failed."


def test_an_outline_says_what_happened_and_nothing_of_people() -> None:
    body = json.dumps(
        {
            "id": "pi_1",
            "status": "requires_payment_method",
            "amount": 900,
            "customer": "cus_x",
            "last_payment_error": {
                "decline_code": "lost_card",
                "message": "No.",
                "payment_method": {"billing_details": {"email": "a@b"}},
            },
        }
    )
    assert outline(body) == (
        '{"status": "requires_payment_method", "amount": 900,'
        ' "last_payment_error": {"decline_code": "lost_card", "message": "No."}}'
    )
    for broken in ("", "<html>", "[1]", '"text"', "{}"):
        assert outline(broken) == ""
