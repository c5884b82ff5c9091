"""Card numbers are refused wherever they stand, and nothing else is taken for one (A-F18)."""

import hashlib
import json
import logging
import random
import uuid
from typing import Any

import pytest
from structlog.stdlib import ProcessorFormatter

from core.card_data import contains_card_number, hide_card_numbers, passes_luhn
from tests.store import Store, error

# Numbers that the schemes and providers publish for tests.
CARDS = [
    "4242424242424242",
    "4000056655665556",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "3056930009020004",
    "36227206271667",
    "3566002020360505",
    "6200000000000005",
    "6304000000000000",
    "6011000990139424",
]
BODY: dict[str, Any] = {"seller_account": "ada", "name": "Ada", "country": "DE"}


def grouped(card: str, separator: str) -> str:
    return separator.join(card[index : index + 4] for index in range(0, len(card), 4))


@pytest.mark.parametrize("card", CARDS)
def test_cards_are_seen_in_every_dress(card: str) -> None:
    assert passes_luhn(card)
    fullwidth = card.translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
    for text in (
        card,
        grouped(card, " "),
        grouped(card, "-"),
        grouped(card, "\u2013"),
        grouped(card, "\u00a0"),
        fullwidth,
        f"my card is {card}, thanks",
        f"pan={card}&cvv=123",
        f"card{card}x",
        f"card_{card}",
        f"{grouped(card, ' ')} 12 27 123",
        f"order 17 {grouped(card, ' ')}",
    ):
        assert contains_card_number(text), text


@pytest.mark.parametrize("card", CARDS)
def test_a_wrong_check_digit_is_no_card(card: str) -> None:
    assert not contains_card_number(card[:-1] + str((int(card[-1]) + 1) % 10))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1234567890123456",
        "1700000000000",  # milliseconds
        "20260131120000123",
        "4242",
        "+49 170 1234567",
        "DE89370400440532013000",
        "424242424242424242424242",
        "4111.1111.1111.1111",
    ],
)
def test_other_numbers_are_let_through(text: str) -> None:
    assert not contains_card_number(text)


def test_machine_made_references_are_let_through() -> None:
    """A store's UUIDs, digests and tokens must never be refused by chance."""
    chance = random.Random(7)
    for _ in range(20000):
        number = chance.getrandbits(256).to_bytes(32, "big")
        assert not contains_card_number(str(uuid.UUID(bytes=number[:16])))
        assert not contains_card_number(hashlib.sha256(number).hexdigest())


CARD = CARDS[0]
UUID = "0194fdc2-fa2f-4c1d-8d52-424242424242"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({**BODY, "name": f"Ada {CARD}"}, "name"),
        ({**BODY, "seller_account": CARD}, "seller_account"),
        ({**BODY, "country": CARD}, "country"),
        ({**BODY, "tax_bps": int(CARD)}, "tax_bps"),
        ({**BODY, "note": [{"deep": [CARD]}]}, "note[0].deep[0]"),
        ({**BODY, "payout_schedule": {CARD: 1}}, "payout_schedule"),
        ({**BODY, CARD: 1}, None),
    ],
)
def test_card_numbers_anywhere_in_a_body(store: Store, body: Any, param: str | None, caplog: Any) -> None:
    response = store.post("/v1/sellers", body)
    assert error(response) == (422, "card_data_forbidden", param)
    assert CARD not in response.content.decode()
    assert CARD not in caplog.text


def test_card_numbers_in_headers_and_queries(store: Store) -> None:
    assert error(store.post("/v1/sellers", BODY, key=CARD))[1] == "card_data_forbidden"
    assert error(store.get("/v1/sellers", seller_account=CARD))[1] == "card_data_forbidden"
    for response in (
        store.get("/v1/sellers", **{CARD: "1"}),
        store.get("/v1/sellers", unknown=CARD),
        store.get(f"/v1/sellers/{CARD}"),
        store.get(f"/v1/sellers/{grouped(CARD, '%20')}/wallets"),
        store.post(f"/v1/payments/{CARD}", {}),
    ):
        assert error(response) == (422, "card_data_forbidden", None)
        assert CARD not in json.dumps(dict(response.headers)) + response.content.decode()


def logged(message: str, *values: Any, **extra: Any) -> str:
    """The line that the installation's own handler writes."""
    record = logging.getLogger("django.request").makeRecord(
        "django.request", logging.WARNING, "f.py", 1, message, values, None, extra=extra
    )
    [formatter] = [
        handler.formatter
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, ProcessorFormatter)
    ]
    return formatter.format(record)


@pytest.mark.parametrize("card", CARDS)
def test_no_log_line_holds_a_card_number(card: str) -> None:
    fullwidth = card.translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
    for dress in (card, grouped(card, " "), grouped(card, "-"), fullwidth):
        assert not contains_card_number(logged("Not Found: %s", f"/v1/payments/{dress}"))
    try:
        raise ValueError(card)
    except ValueError as error:
        assert not contains_card_number(logged("%s", repr(error)))


def test_the_rest_of_a_line_stays_as_it_is() -> None:
    line = json.loads(logged("Not Found: %s", f"/é/{CARD}/{UUID}/pay_01m8mc3fr8egwrp3x8sbsqt531"))
    assert line["event"] == f"Not Found: /é/[card number]/{UUID}/pay_01m8mc3fr8egwrp3x8sbsqt531"
    assert (line["level"], line["logger"]) == ("warning", "django.request")
    chance = random.Random(7)
    for _ in range(2000):
        text = f"{uuid.UUID(int=chance.getrandbits(128))} 2026-11-29T19:22:07.057245Z 1700000000000"
        assert hide_card_numbers(text) == text


def test_nothing_is_logged_twice() -> None:
    """Django would write every warning once more, past the handler that hides the numbers."""
    assert logging.getLogger("django").handlers == []
