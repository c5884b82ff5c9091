"""What every payout provider's adapter promises, against the far side's own journal of what it paid.

A provider joins by a class that inherits ProviderContract and a fixture `bench` that knows its far side:

    class TestMyProvider(ProviderContract):
        @pytest.fixture
        def bench(self, …) -> Bench: …
"""

from contextlib import AbstractContextManager
from itertools import chain
from typing import Protocol

import pytest
from django.db import transaction

from channels.types import ChannelData
from payouts.providers.contract import BatchKind, BatchOrder, News, NewsKind, PayoutProvider

__all__ = ["Bench", "ProviderContract"]


class Bench(Protocol):
    """A provider, and the far side that a test moves. Nothing of one bench is seen by another."""

    provider: PayoutProvider
    channel: ChannelData
    secrets: tuple[str, ...]
    """Words of accounts and holders that no evidence may hold."""

    def order(self, *outcomes: str) -> BatchOrder:
        """Return an order that was never sent; each payout ends as its word says: paid, closed, returned."""

    def take_time(self) -> None:
        """Let the far side do all that it will ever do."""

    def lose_answer(self) -> None:
        """Let the next submission be taken, and its answer be lost."""

    def lose_request(self) -> None:
        """Let the next submission vanish: it leaves, it is not taken, and nobody answers."""

    def cut(self) -> AbstractContextManager[None]:
        """Let nothing leave this machine inside."""

    def effects(self) -> dict[str, tuple[int, int]]:
        """Return, of each reference that was paid, how often, and the minor units that stayed paid."""


def orders(bench: Bench, *outcomes: str) -> list[BatchOrder]:
    """Orders as large as the provider takes them, with these payouts."""
    if bench.provider.max_batch >= len(outcomes):
        return [bench.order(*outcomes)]
    return [bench.order(outcome) for outcome in outcomes]


def submit(bench: Bench, *outcomes: str) -> list[BatchOrder]:
    """The same, sent and taken."""
    sent = orders(bench, *outcomes)
    for order in sent:
        assert bench.provider.submit(bench.channel, order).kind is BatchKind.TAKEN
    return sent


def told(bench: Bench, order: BatchOrder) -> dict[str, list[News]]:
    """What asking tells of each payout, in its order."""
    answer = bench.provider.ask(bench.channel, order)
    assert answer.kind in (BatchKind.TAKEN, BatchKind.REFUSED), answer.error
    found: dict[str, list[News]] = {item.reference: [] for item in order.instructions}
    for news in answer.news:
        found[news.reference].append(news)  # A KeyError: it tells of what was not asked about.
    return found


class ProviderContract:
    """Inherit it; the fixture `bench` is the subclass's."""

    @pytest.fixture
    def bench(self) -> Bench:
        raise NotImplementedError

    def test_a_batch_is_paid_once(self, bench: Bench) -> None:
        sent = submit(bench, "paid", "paid", "paid")
        bench.take_time()
        items = list(chain.from_iterable(order.instructions for order in sent))
        assert bench.effects() == {item.reference: (1, item.amount_minor) for item in items}
        for order in sent:
            for item in order.instructions:
                last = told(bench, order)[item.reference][-1]
                assert last.kind is NewsKind.PAID
                assert last.amount_minor in (None, item.amount_minor)
                assert last.currency in (None, item.currency)

    def test_what_was_taken_is_accepted_before_it_is_paid(self, bench: Bench) -> None:
        (order,) = orders(bench, "paid")
        answer = bench.provider.submit(bench.channel, order)
        assert answer.kind is BatchKind.TAKEN
        assert {news.reference: news.kind for news in answer.news} in (
            {order.instructions[0].reference: NewsKind.ACCEPTED},
            {order.instructions[0].reference: NewsKind.PAID},
        )

    def test_the_same_batch_again_pays_nobody_twice_f_f14(self, bench: Bench) -> None:
        """F-F14: a reference that the provider has already is good news, before and after it is paid."""
        (order,) = submit(bench, "paid")
        assert bench.provider.submit(bench.channel, order).kind is BatchKind.TAKEN
        bench.take_time()
        again = bench.provider.submit(bench.channel, order)
        assert again.kind is BatchKind.TAKEN
        assert all(news.kind is not NewsKind.REFUSED for news in again.news)
        bench.take_time()
        assert [times for times, _ in bench.effects().values()] == [1]
        assert told(bench, order)[order.instructions[0].reference][-1].kind is NewsKind.PAID

    def test_a_lost_answer_is_unknown_and_asking_finds_it_f_f2(self, bench: Bench) -> None:
        """F-F2: accepted, then silence. Asking by our reference finds it; it is never sent under another."""
        (order,) = orders(bench, "paid")
        bench.lose_answer()
        assert bench.provider.submit(bench.channel, order).kind is BatchKind.UNKNOWN
        assert bench.provider.ask(bench.channel, order).kind is BatchKind.TAKEN
        bench.take_time()
        assert [times for times, _ in bench.effects().values()] == [1]

    def test_a_lost_request_is_unknown_and_never_called_taken_f_f5(self, bench: Bench) -> None:
        """F-F5: only a proof of absence lets it be sent again, under the same reference, and then once."""
        (order,) = orders(bench, "paid")
        bench.lose_request()
        assert bench.provider.submit(bench.channel, order).kind is BatchKind.UNKNOWN
        answer = bench.provider.ask(bench.channel, order).kind
        assert answer in (BatchKind.ABSENT, BatchKind.UNKNOWN)
        if answer is BatchKind.ABSENT:
            assert bench.provider.proves_absence
            assert bench.provider.submit(bench.channel, order).kind is BatchKind.TAKEN
        bench.take_time()
        assert [times for times, _ in bench.effects().values()] == [1] * (answer is BatchKind.ABSENT)

    def test_what_cannot_leave_was_not_sent(self, bench: Bench) -> None:
        (order,) = orders(bench, "paid")
        with bench.cut():
            assert bench.provider.submit(bench.channel, order).kind is BatchKind.NOT_SENT
            assert bench.provider.ask(bench.channel, order).kind is BatchKind.UNKNOWN
        assert bench.provider.submit(bench.channel, order).kind is BatchKind.TAKEN
        bench.take_time()
        assert [times for times, _ in bench.effects().values()] == [1]

    def test_one_bad_account_stops_nobody_else(self, bench: Bench) -> None:
        sent = orders(bench, "paid", "closed", "paid")
        answers = [bench.provider.submit(bench.channel, order) for order in sent]
        bench.take_time()
        ends: list[News] = []
        for order, answer in zip(sent, answers, strict=True):
            if answer.kind is BatchKind.REFUSED:
                ends += answer.news  # Nobody asks about what was refused for good.
            else:
                ends += [told(bench, order)[item.reference][-1] for item in order.instructions]
        assert [news.kind for news in ends] == [NewsKind.PAID, NewsKind.REFUSED, NewsKind.PAID]
        failure = ends[1].failure
        assert failure is not None and failure.code and failure.message and failure.is_of_destination
        assert sorted(bench.effects()) == sorted([ends[0].reference, ends[2].reference])

    def test_money_that_came_back_is_told_after_that_it_left_f_f3(self, bench: Bench) -> None:
        """F-F3: paid, and returned days later: both are told, and the last word is that it came back."""
        (order,) = submit(bench, "returned")
        bench.take_time()
        ((_, news),) = told(bench, order).items()
        assert [one.kind for one in news] in ([NewsKind.PAID, NewsKind.RETURNED], [NewsKind.RETURNED])
        assert news[-1].failure is not None
        assert list(bench.effects().values()) == [(1, 0)]

    def test_the_same_order_is_the_same_message(self, bench: Bench) -> None:
        """F-F4: what leaves can be made again, byte for byte, whatever has happened since."""
        (order,) = orders(bench, "paid")
        before = bench.provider.message(bench.channel, order)
        bench.provider.submit(bench.channel, order)
        bench.take_time()
        assert bench.provider.message(bench.channel, order) == before

    def test_every_call_is_on_record_and_names_nobody(self, bench: Bench) -> None:
        (order,) = orders(bench, "paid")
        first = bench.provider.submit(bench.channel, order)
        bench.take_time()
        second = bench.provider.ask(bench.channel, order)
        assert first.calls and second.calls
        for one in (*first.calls, *second.calls):
            assert (one.channel_id, one.merchant_id) == (bench.channel.id, bench.channel.merchant_id)
            assert [word for word in bench.secrets if word in one.body.decode() + one.error] == []
        assert [word for word in bench.secrets if word in first.error + second.error] == []

    @pytest.mark.parametrize(
        "payload",
        [{}, {"type": "payout.paid"}, {"type": None, "data": {"object": 5}}, {"id": "x", "data": []}],
    )
    def test_junk_says_nothing(self, bench: Bench, payload: dict[str, object]) -> None:
        assert bench.provider.read(bench.channel, payload) == ()

    def test_nothing_is_sent_inside_a_transaction(self, bench: Bench) -> None:
        (order,) = orders(bench, "paid")
        with transaction.atomic():
            with pytest.raises(RuntimeError, match="transaction"):
                bench.provider.submit(bench.channel, order)
            with pytest.raises(RuntimeError, match="transaction"):
                bench.provider.ask(bench.channel, order)
        assert bench.effects() == {}
