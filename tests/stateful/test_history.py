"""The judge of concurrent histories: what it lets pass, and what it does not."""

import math

import pytest

from tests.stateful.calls import Answer, Call, Entry, Line, Post, ReadWallet
from tests.stateful.cast import Account, plain
from tests.stateful.history import Event, explain
from tests.stateful.model import Model


def entry(key: str, debit: Account, credit: Account, minor: int) -> Entry:
    return Entry(key, (Line(debit, minor), Line(credit, -minor)))


def history(*told: tuple[int, Call, Answer | None, float, float]) -> list[Event]:
    return [Event(*one) for one in told]


MONEY = Account("ann", "seller_available", "EUR")
OUT = plain("psp_clearing", "EUR")
DEPOSIT, FIRST, SECOND = (
    Post((entry("d", OUT, MONEY, 100),)),
    Post((entry("x", MONEY, OUT, 60),)),
    Post((entry("y", MONEY, OUT, 60),)),
)
READ = ReadWallet("ann", "EUR")
DONE, AGAIN, REFUSED = Answer(new=(True,)), Answer(new=(False,)), Answer(refused="insufficient_funds")


def is_explained(*events: tuple[int, Call, Answer | None, float, float]) -> bool:
    start = Model().after(DEPOSIT)[1]
    return explain(history(*events), start, ends=lambda model: True) is not None


def saw(available: int) -> Answer:
    return Answer(value=(0, available, 0, 0))


def test_the_judge_accepts_what_some_order_explains() -> None:
    assert is_explained((0, FIRST, REFUSED, 0, 3), (1, SECOND, DONE, 1, 2))
    assert is_explained((0, FIRST, DONE, 0, 3), (1, FIRST, AGAIN, 0, 3), (2, READ, saw(100), 0, 3))
    assert is_explained((0, FIRST, None, 0, math.inf), (1, READ, saw(100), 1, 2), (1, READ, saw(40), 3, 4))


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([(0, FIRST, DONE, 0, 3), (1, SECOND, DONE, 0, 3)], id="120 of 100 went"),
        pytest.param([(0, FIRST, DONE, 0, 3), (1, FIRST, DONE, 0, 3)], id="one key was new twice"),
        pytest.param([(0, FIRST, REFUSED, 0, 3)], id="refused though there is enough"),
        pytest.param([(0, FIRST, AGAIN, 0, 3)], id="a repeat of nothing"),
        pytest.param([(0, FIRST, DONE, 0, 1), (1, READ, saw(100), 2, 3)], id="a read of the past"),
        pytest.param([(0, READ, saw(40), 0, 1), (1, FIRST, DONE, 2, 3)], id="a read of the future"),
        pytest.param(
            [(0, FIRST, None, 0, math.inf), (1, READ, saw(40), 1, 2), (1, READ, saw(100), 3, 4)],
            id="what was seen has gone",
        ),
    ],
)
def test_the_judge_refuses_what_no_order_explains(
    events: list[tuple[int, Call, Answer, float, float]],
) -> None:
    assert not is_explained(*events)
