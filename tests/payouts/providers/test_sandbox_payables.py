"""The provider `sandbox`: the contract over the sandbox's payables API, and what only such an API does."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from channels.errors import InvalidChannel, SignatureInvalid
from channels.services import verify_webhook
from payouts.providers.contract import BatchKind, NewsKind, provider_for
from payouts.providers.sandbox import SandboxPayables
from tests.channels.lines import open_channel, open_merchant
from tests.payments.psp.sandbox_process import SandboxProcess, wait_for
from tests.payouts.providers.contract_suite import ProviderContract
from tests.payouts.providers.orders import instruction, order_of
from tests.payouts.providers.payables import PayablesBench
from tests.sandbox.conftest import Receiver

pytestmark = pytest.mark.django_db
PROVIDER = SandboxPayables()


@pytest.fixture
def bench(sandbox: SandboxProcess, settings: Any) -> PayablesBench:
    return PayablesBench(sandbox, settings)


@pytest.fixture
def listener() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def until() -> Any:
    return wait_for


class TestContract(ProviderContract):
    @pytest.fixture
    def bench(self, sandbox: SandboxProcess, settings: Any) -> PayablesBench:
        return PayablesBench(sandbox, settings)


def kinds(news: Any) -> list[NewsKind]:
    return [one.kind for one in news]


def test_it_is_found_by_its_name() -> None:
    assert isinstance(provider_for("sandbox"), SandboxPayables)


def test_what_the_provider_refuses_at_once_says_why(bench: PayablesBench) -> None:
    """F-F13: the reason is one that can be told, and says when the account itself is bad."""
    order = bench.order("paid", "wrong", "blocked")
    answer = PROVIDER.submit(bench.channel, order)
    assert kinds(answer.news) == [NewsKind.ACCEPTED, NewsKind.REFUSED, NewsKind.REFUSED]
    failures = [one.failure for one in answer.news[1:]]
    assert [(one.code, one.provider_code, one.is_of_destination) for one in failures if one] == [
        ("destination_invalid", "AC01", True),
        ("destination_blocked", "AC06", True),
    ]
    assert answer.provider_reference == order.reference
    bench.take_time()
    assert list(bench.effects()) == [order.instructions[0].reference]


def test_what_cannot_be_sent_stops_nobody_else_and_is_the_same_every_time(bench: PayablesBench) -> None:
    """F-F13"""
    bad = [
        replace(bench.payout("paid"), kind="stripe_account", details={"account": "acct_1"}),
        bench.payout("paid", amount_minor=0),
        bench.payout("paid", holder_name="\x00\n"),
        replace(bench.payout("paid"), details={"holder_name": "Ann Lee"}),
        replace(bench.payout("paid"), details={"holder_name": "Ann Lee", "iban": "DE89 3704"}),
    ]
    order = order_of([bench.payout("paid"), *bad])
    answer = PROVIDER.submit(bench.channel, order)
    assert kinds(answer.news) == [NewsKind.ACCEPTED] + [NewsKind.REFUSED] * 5
    assert kinds(PROVIDER.ask(bench.channel, order).news) == kinds(answer.news)
    nothing = PROVIDER.submit(bench.channel, order_of(bad))
    assert (nothing.kind, kinds(nothing.news), nothing.calls) == (
        BatchKind.REFUSED, [NewsKind.REFUSED] * 5, (),
    )  # fmt: skip


@pytest.mark.parametrize("change", ["two accounts", "two currencies", "one reference", "too many"])
def test_an_order_that_cannot_be_right_is_not_sent(bench: PayablesBench, change: str) -> None:
    first = bench.payout("paid")
    items = {
        "two accounts": [first, replace(bench.payout("closed"), payee_reference=first.payee_reference)],
        "two currencies": [first, bench.payout("paid", currency="USD")],
        "one reference": [first, first],
        "too many": [bench.payout("paid") for _ in range(251)],
    }[change]
    answer = PROVIDER.submit(bench.channel, order_of(items))
    assert (answer.kind, answer.calls, bool(answer.error)) == (BatchKind.NOT_SENT, (), True)
    assert bench.effects() == {}


@pytest.mark.parametrize(
    ("currency", "amount"), [("EUR", 5), ("JPY", 1000), ("KWD", 1005), ("USD", 99_999_999_999)]
)
def test_minor_units_are_those_of_the_currency_f_f12(
    bench: PayablesBench, currency: str, amount: int
) -> None:
    """F-F12"""
    bench.control(f"accounts/PAYABLES-{currency}", {"owner": bench.key, "currency": currency,
                                                   "balance": "9999999999"})  # fmt: skip
    item = bench.payout("paid", currency=currency, amount_minor=amount)
    order = order_of([replace(item, payee_reference=f"dst_{currency}")], currency=currency)
    assert kinds(PROVIDER.submit(bench.channel, order).news) == [NewsKind.ACCEPTED]
    bench.settle()
    assert bench.effects() == {item.reference: (1, amount)}
    (news,) = PROVIDER.ask(bench.channel, order).news
    assert (news.kind, news.amount_minor, news.currency) == (NewsKind.PAID, amount, currency)


def test_an_account_in_the_united_states(bench: PayablesBench) -> None:
    details = {"holder_name": "Ann Lee", "routing_number": "021000021", "account_number": "000123456789",
               "account_type": "checking"}  # fmt: skip
    item = replace(instruction(payee_reference="dst_us", country="US", currency="USD"), kind="us_account",
                   details=details)  # fmt: skip
    order = order_of([item], currency="USD")
    first = PROVIDER.submit(bench.channel, order)
    assert kinds(first.news) == [NewsKind.ACCEPTED]
    assert not [one for one in first.calls if b"000123456789" in one.body or b"Ann Lee" in one.body]


@pytest.mark.parametrize(
    ("fault", "options", "kind"),
    [
        ("http_500", {}, BatchKind.UNKNOWN),
        ("http_502", {"effect": True}, BatchKind.UNKNOWN),
        ("http_503", {}, BatchKind.UNKNOWN),
        ("http_409", {}, BatchKind.UNKNOWN),
        ("http_429", {}, BatchKind.NOT_SENT),
        ("broken_json", {}, BatchKind.UNKNOWN),
        ("truncated_json", {}, BatchKind.UNKNOWN),
        ("wrong_content_type", {}, BatchKind.UNKNOWN),
        ("connection_reset_after_body", {"effect": True}, BatchKind.UNKNOWN),
        ("connection_reset_after_body", {"effect": False}, BatchKind.UNKNOWN),
    ],
)
def test_no_answer_is_believed_that_cannot_be_and_asking_ends_it(
    bench: PayablesBench, fault: str, options: dict[str, Any], kind: BatchKind
) -> None:
    """F-F2, I27: unknown is asked about; sent again under the same references, everybody is paid once."""
    order = bench.order("paid", "paid")
    bench.arm(fault, **options)
    first = PROVIDER.submit(bench.channel, order)
    assert (first.kind, first.news) == (kind, ())
    asked = PROVIDER.ask(bench.channel, order)
    assert asked.kind in (BatchKind.TAKEN, BatchKind.ABSENT)
    if asked.kind is BatchKind.ABSENT:
        assert PROVIDER.submit(bench.channel, order).kind is BatchKind.TAKEN
    bench.settle()
    assert sorted(times for times, _ in bench.effects().values()) == [1, 1]


@pytest.mark.parametrize("fault", ["http_503", "charged_but_timeout", "broken_json"])
def test_until_the_batch_is_sent_nothing_was(bench: PayablesBench, settings: Any, fault: str) -> None:
    """A payee that cannot be told keeps the batch back, whatever became of telling it."""
    settings.PSP_READ_TIMEOUT = settings.PSP_DEADLINE = 0.6
    order = bench.order("paid")
    bench.arm(fault, operation="bank.payees.put", seconds=5)
    assert PROVIDER.submit(bench.channel, order).kind is BatchKind.NOT_SENT
    assert PROVIDER.ask(bench.channel, order).kind is BatchKind.ABSENT
    assert PROVIDER.submit(bench.channel, order).kind is BatchKind.TAKEN


def test_another_batch_under_our_reference_is_a_riddle_and_no_refusal(bench: PayablesBench) -> None:
    """I27: it is never called refused, or its payouts would be given back and paid."""
    order = bench.order("paid")
    PROVIDER.submit(bench.channel, order)
    other = replace(order, instructions=(replace(order.instructions[0], amount_minor=9),))
    answer = PROVIDER.submit(bench.channel, other)
    assert (answer.kind, answer.news) == (BatchKind.UNKNOWN, ())
    (news,) = PROVIDER.ask(bench.channel, other).news
    assert (news.kind, news.amount_minor) == (NewsKind.ACCEPTED, 1234), "the caller compares"


def test_a_reference_that_pays_something_else_is_unknown(bench: PayablesBench) -> None:
    """F-F14: only the same content under the same reference is ours."""
    order = bench.order("paid")
    (item,) = order.instructions
    PROVIDER.submit(bench.channel, order)
    bench.settle()
    again = order_of([replace(item, amount_minor=9)])
    answer = PROVIDER.submit(bench.channel, again)
    assert (answer.kind, kinds(answer.news)) == (BatchKind.TAKEN, [NewsKind.UNKNOWN])
    assert item.reference in answer.error
    same = PROVIDER.submit(bench.channel, order_of([item]))
    assert kinds(same.news) == [NewsKind.PAID]
    assert bench.effects() == {item.reference: (1, 1234)}


def test_a_wrong_key_is_not_a_refusal(bench: PayablesBench) -> None:
    order = bench.order("paid")
    stranger = open_channel(provider="sandbox", secret_key="sk_test_x", base_url=bench.sandbox.url)
    assert PROVIDER.submit(stranger, order).kind is BatchKind.NOT_SENT
    assert PROVIDER.ask(stranger, order).kind is BatchKind.UNKNOWN


def test_the_same_batch_from_two_workers_pays_once(bench: PayablesBench) -> None:
    """F-F2: a lease that ended too early sends nothing twice."""
    order, said = bench.order("paid"), []
    barrier = threading.Barrier(2)

    def send() -> None:
        barrier.wait(10)
        said.append(PROVIDER.submit(bench.channel, order).kind)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        line = _line_of(bench)
        patch.setattr("channels.exchange.line_by_id", lambda channel_id: line)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert said == [BatchKind.TAKEN] * 2
    bench.settle()
    assert [times for times, _ in bench.effects().values()] == [1]


def _line_of(bench: PayablesBench) -> Any:
    """The channel's line, read once: the rows of a test are not seen by other connections."""
    from channels.rows import line_by_id

    return line_by_id(bench.channel.id)


def test_the_sandbox_is_for_test_merchants_and_needs_an_address() -> None:
    with pytest.raises(InvalidChannel) as refusal:
        open_channel(provider="sandbox", secret_key="bk_test_x")
    assert refusal.value.param == "base_url"
    live = open_merchant("live")
    with pytest.raises(InvalidChannel):
        open_channel(merchant_id=live, provider="sandbox", secret_key="k", base_url="http://127.0.0.1:1")


def test_callbacks_are_believed_once_proved_and_say_the_same(
    bench: PayablesBench, listener: Receiver, until: Any
) -> None:
    """F-F3, A-B1: told as it happens, also days later; one that was forged or changed is not."""
    bench.control("callbacks", {"owner": bench.key, "url": listener.url, "secret": "bks_current"})
    bench.arm("webhook_forge", operation="clock.bank_payment", forgery="wrong_amount")
    bench.arm("webhook_forge", operation="clock.bank_return", forgery="bad_secret", instead=True)
    order = bench.order("returned")
    PROVIDER.submit(bench.channel, order)
    bench.settle()
    until(lambda: len(listener.got) == 4)
    bench.take_time()
    until(lambda: len(listener.got) == 5)
    said = [_heard(bench, *one) for one in listener.got]
    paid = [(1234, NewsKind.PAID), (91234, NewsKind.PAID)]
    assert (said[0], said[1], sorted(said[2] + said[3])) == ([], [], paid)
    assert said[4] is None
    assert kinds(PROVIDER.ask(bench.channel, order).news) == [NewsKind.RETURNED]


def _heard(
    bench: PayablesBench, headers: dict[str, str], raw: bytes
) -> list[tuple[int | None, NewsKind]] | None:
    """What a delivery is taken to say; None where it is not believed."""
    try:
        delivery = verify_webhook(channel_name=bench.channel.name, raw=raw, headers=headers)
    except SignatureInvalid:
        return None
    assert delivery.fits_mode
    return [(one.amount_minor, one.kind) for one in PROVIDER.read(delivery.channel, delivery.payload)]
