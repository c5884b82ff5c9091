"""Paying sellers through Stripe Connect, against a provider whose journal says what money really moved."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from payouts.providers import stripe
from payouts.providers.contract import BatchKind, BatchOutcome, Instruction, NewsKind, provider_for
from payouts.providers.stripe import StripeTransfers
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payouts.providers.connected import ConnectBench, Platform, instruction, order
from tests.payouts.providers.contract_suite import Bench, ProviderContract
from tests.racing import race

SENDING = "transfers.create"
adapter = StripeTransfers()


@pytest.fixture
def platform(db: None, sandbox: SandboxProcess, settings: Any) -> Platform:
    settings.PSP_READ_TIMEOUT = settings.PSP_DEADLINE = 2.0
    return Platform(sandbox)


@pytest.fixture
def funded(platform: Platform) -> Platform:
    platform.top_up(10_000)
    return platform


@pytest.fixture
def one(funded: Platform) -> Instruction:
    return instruction(funded.seller())


def kinds(outcome: BatchOutcome) -> list[NewsKind]:
    return [each.kind for each in outcome.news]


class TestContract(ProviderContract):
    """What every provider promises."""

    @pytest.fixture
    def bench(self, transactional_db: None, sandbox: SandboxProcess, settings: Any) -> Bench:
        settings.PSP_READ_TIMEOUT = settings.PSP_DEADLINE = 0.7
        return ConnectBench(Platform(sandbox))


def test_it_is_the_provider_of_its_channels() -> None:
    assert provider_for("stripe").rail == "stripe"
    assert adapter.message(None, order()) is None


def test_a_payout_is_sent_once_and_is_paid_with_it(funded: Platform, one: Instruction) -> None:
    outcome = adapter.submit(funded.channel, order(one))
    (news,) = outcome.news
    assert (outcome.kind, news.kind, news.reference) == (BatchKind.TAKEN, NewsKind.PAID, one.reference)
    assert (news.amount_minor, news.currency) == (2000, "USD")
    assert news.provider_reference == outcome.provider_reference
    assert outcome.provider_reference.startswith("tr_")
    assert (outcome.calls[0].http_status, outcome.calls[0].kind) == (200, "payout")
    again = adapter.submit(funded.channel, order(one))
    assert again.news == outcome.news
    assert adapter.ask(funded.channel, order(one)).news == outcome.news
    assert funded.moved() == [-2000]


def test_what_the_provider_is_told_is_the_instruction_and_nothing_else(
    funded: Platform, one: Instruction
) -> None:
    adapter.submit(funded.channel, order(one))
    (request,) = funded.sandbox.control("GET", f"requests?operation={SENDING}&account={funded.id}")["data"]
    assert request["idempotency_key"] == one.reference
    assert request["params"] == {
        "amount": "2000",
        "currency": "usd",
        "destination": one.details["account"],
        "description": "Payout 1",
        "transfer_group": one.reference,
        "metadata": {"payout_reference": one.reference, "payout_id": "po_1"},
    }


@pytest.mark.django_db(transaction=True)
def test_a_race_under_one_reference_pays_once_i27(funded: Platform, one: Instruction) -> None:
    """I27: however many workers send it at once, nobody is paid twice; who does not know says so."""
    wanted = order(one)
    outcomes = race([lambda: adapter.submit(funded.channel, wanted)] * 4)
    assert {each.kind for each in outcomes} <= {BatchKind.TAKEN, BatchKind.UNKNOWN, BatchKind.NOT_SENT}
    assert BatchKind.TAKEN in {each.kind for each in outcomes}
    assert funded.moved() == [-2000]


@pytest.mark.parametrize(
    "fault",
    [
        "charged_but_timeout", "connection_reset_after_body", "broken_json", "truncated_json",
        "wrong_content_type", "slow_drip",
    ],
)  # fmt: skip
def test_an_answer_that_is_lost_is_asked_for_f_f2(
    funded: Platform, one: Instruction, fault: str, settings: Any
) -> None:
    """F-F2: unknown, then found by our reference; never a second payment."""
    settings.PSP_READ_TIMEOUT = settings.PSP_DEADLINE = 0.5
    funded.arm(fault, operation=SENDING)
    assert adapter.submit(funded.channel, order(one)).kind is BatchKind.UNKNOWN
    asked = adapter.ask(funded.channel, order(one))
    assert (asked.kind, kinds(asked)) == (BatchKind.TAKEN, [NewsKind.PAID])
    assert kinds(adapter.submit(funded.channel, order(one))) == [NewsKind.PAID]
    assert funded.moved() == [-2000]


def test_what_never_arrived_is_sent_again_once_that_is_sure(
    funded: Platform, one: Instruction, settings: Any
) -> None:
    """A request that may be under way is not absent, though the list is empty."""
    settings.PSP_READ_TIMEOUT = settings.PSP_DEADLINE = 0.5
    funded.arm("not_charged_timeout", operation=SENDING)
    sent = order(one)
    assert adapter.submit(funded.channel, sent).kind is BatchKind.UNKNOWN
    assert adapter.ask(funded.channel, sent).kind is BatchKind.UNKNOWN
    later = replace(sent, created_at=clock.now() - timedelta(minutes=2))
    again = replace(later, last_sent_at=clock.now())
    assert adapter.ask(funded.channel, again).kind is BatchKind.UNKNOWN, "a second try may be under way"
    assert adapter.ask(funded.channel, later).kind is BatchKind.ABSENT
    assert adapter.submit(funded.channel, later).kind is BatchKind.TAKEN
    assert funded.moved() == [-2000]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("http_429", BatchKind.NOT_SENT),
        ("http_409", BatchKind.UNKNOWN),
        ("http_500", BatchKind.UNKNOWN),
        ("http_502", BatchKind.UNKNOWN),
        ("http_503", BatchKind.UNKNOWN),
        ("empty_500", BatchKind.UNKNOWN),
    ],
)
def test_a_provider_in_trouble_is_no_refusal(
    funded: Platform, one: Instruction, fault: str, kind: BatchKind
) -> None:
    funded.arm(fault, operation=SENDING)
    outcome = adapter.submit(funded.channel, order(one))
    assert (outcome.kind, outcome.news) == (kind, ())
    assert funded.moved() == []


def test_a_question_that_is_not_answered_proves_nothing(funded: Platform, one: Instruction) -> None:
    old = order(one, created_at=clock.now() - timedelta(days=3))
    for fault in ("http_500", "http_429", "broken_json", "http_502"):
        funded.arm(fault, operation="transfers.list")
        assert adapter.ask(funded.channel, old).kind is BatchKind.UNKNOWN
        funded.arm(fault, operation="transfers.list")
        assert adapter.submit(funded.channel, old).kind is BatchKind.UNKNOWN
    assert funded.moved() == []


def test_an_account_that_cannot_be_paid_is_refused_for_good(funded: Platform, one: Instruction) -> None:
    unknown = replace(one, reference="poX-1", details={"account": "acct_none"})
    outcome = adapter.submit(funded.channel, order(unknown))
    assert (outcome.kind, kinds(outcome)) == (BatchKind.REFUSED, [NewsKind.REFUSED])
    assert (outcome.failure.code, outcome.failure.is_of_destination) == ("destination_invalid", True)
    account = one.details["account"]
    funded.sandbox.control("POST", f"accounts/{account}", {"transfers": "inactive"})
    outcome = adapter.submit(funded.channel, order(one))
    assert (outcome.kind, outcome.failure.code) == (BatchKind.REFUSED, "destination_blocked")
    assert outcome.failure.provider_code == "insufficient_capabilities_for_transfer"
    assert (outcome.failure.is_of_destination, funded.moved()) == (True, [])


def test_too_little_money_of_ours_is_waited_for(platform: Platform) -> None:
    """A payout does not fail because our balance is short, and the kept refusal is not the last word."""
    one = instruction(platform.seller())
    for _ in range(3):
        outcome = adapter.submit(platform.channel, order(one))
        assert (outcome.kind, outcome.news) == (BatchKind.NOT_SENT, ())
        assert "balance_insufficient" in outcome.error
    requests = platform.sandbox.control("GET", f"requests?operation={SENDING}&account={platform.id}")["data"]
    assert {each["idempotency_key"] for each in requests} == {one.reference}
    platform.top_up(2000)
    assert adapter.submit(platform.channel, order(one)).kind is BatchKind.TAKEN
    assert adapter.submit(platform.channel, order(one)).kind is BatchKind.TAKEN
    assert platform.moved() == [-2000]
    assert kinds(adapter.ask(platform.channel, order(one))) == [NewsKind.PAID]


@pytest.mark.parametrize(
    ("question", "kind"),
    [("balance.retrieve", BatchKind.NOT_SENT), ("transfers.list", BatchKind.UNKNOWN)],
)
def test_no_further_key_is_used_when_a_question_fails(
    platform: Platform, question: str, kind: BatchKind
) -> None:
    one = instruction(platform.seller())
    adapter.submit(platform.channel, order(one))
    platform.top_up(2000)
    platform.arm("http_500", operation=question)
    assert adapter.submit(platform.channel, order(one)).kind is kind
    assert platform.moved() == []


def test_a_lost_answer_under_a_further_key_is_found(platform: Platform, settings: Any) -> None:
    """F-F2: the balance is empty because it was paid, which must not look like a payout never sent."""
    settings.PSP_READ_TIMEOUT = settings.PSP_DEADLINE = 0.5
    one = instruction(platform.seller())
    adapter.submit(platform.channel, order(one))
    platform.top_up(2000)
    platform.arm("charged_but_timeout", operation=SENDING, idempotency_key=f"{one.reference}.2")
    assert adapter.submit(platform.channel, order(one)).kind is BatchKind.UNKNOWN
    assert kinds(adapter.submit(platform.channel, order(one))) == [NewsKind.PAID]
    assert platform.moved() == [-2000]


def test_the_same_reference_with_another_instruction_is_no_failure_f_f14(
    funded: Platform, one: Instruction
) -> None:
    """F-F14: a reference that is known there is asked about, and what is there is told with its amount."""
    adapter.submit(funded.channel, order(one))
    more = replace(one, amount_minor=2500)
    assert adapter.submit(funded.channel, order(more)).kind is BatchKind.UNKNOWN
    asked = adapter.ask(funded.channel, order(more))
    assert [(each.kind, each.amount_minor) for each in asked.news] == [(NewsKind.PAID, 2000)]
    other = replace(one, details={"account": funded.seller()})
    assert adapter.ask(funded.channel, order(other)).kind is BatchKind.UNKNOWN
    assert funded.moved() == [-2000]


def test_two_transfers_of_one_reference_are_never_good_news(funded: Platform, one: Instruction) -> None:
    adapter.submit(funded.channel, order(one))
    values = {
        "amount": "2000", "currency": "usd", "destination": one.details["account"],
        "transfer_group": one.reference, "metadata[payout_reference]": one.reference,
    }  # fmt: skip
    funded.post("transfers", values)
    asked = adapter.ask(funded.channel, order(one))
    assert (asked.kind, asked.news) == (BatchKind.UNKNOWN, ())
    assert "2 transfers" in asked.error


def test_a_transfer_that_is_taken_back_is_returned_f_f3(funded: Platform, one: Instruction) -> None:
    """F-F3: paid, and days later the money is with us again: told by the event and when asked."""
    sent = adapter.submit(funded.channel, order(one))
    funded.sandbox.control("POST", f"transfers/{sent.provider_reference}/reversal", {})
    (event,) = funded.events("transfer.reversed")
    told = adapter.read(funded.channel, event)
    assert [(each.kind, each.amount_minor) for each in told] == [
        (NewsKind.PAID, 2000),
        (NewsKind.RETURNED, 2000),
    ]
    assert (told[1].failure.code, told[1].provider_reference) == ("payout_returned", sent.provider_reference)
    assert adapter.ask(funded.channel, order(one)).news == told
    assert funded.moved("transfer.reversed") == [2000]


def test_a_part_that_is_taken_back_is_told_as_a_part(funded: Platform, one: Instruction) -> None:
    sent = adapter.submit(funded.channel, order(one))
    funded.sandbox.control("POST", f"transfers/{sent.provider_reference}/reversal", {"amount": 500})
    assert adapter.ask(funded.channel, order(one)).news[1].amount_minor == 500


def test_the_event_says_what_the_answer_said(funded: Platform, one: Instruction) -> None:
    sent = adapter.submit(funded.channel, order(one))
    (event,) = funded.events("transfer.created")
    assert adapter.read(funded.channel, event) == sent.news


def test_a_transfer_of_somebody_else_is_none_of_our_business(funded: Platform) -> None:
    account = funded.seller()
    funded.post("transfers", {"amount": "100", "currency": "usd", "destination": account})
    (event,) = funded.events("transfer.created")
    assert adapter.read(funded.channel, event) == ()


@pytest.mark.parametrize(
    ("currency", "amount", "wire"),
    [("JPY", 1500, -1500), ("KWD", 12_340, -12_340), ("ISK", 500, -50_000), ("MGA", 500, -5), ("USD", 1, -1)],
)
def test_amounts_leave_in_the_providers_unit_f_f12(
    platform: Platform, currency: str, amount: int, wire: int
) -> None:
    """F-F12: zero and three decimals, and the provider's own exceptions."""
    platform.top_up(-wire, currency.lower())
    one = instruction(platform.seller(), amount_minor=amount, currency=currency)
    outcome = adapter.submit(platform.channel, order(one))
    assert [(each.amount_minor, each.currency) for each in outcome.news] == [(amount, currency)]
    assert platform.moved() == [wire]


@pytest.mark.parametrize(
    ("currency", "amount", "code"),
    [("KWD", 12_341, "amount_unsupported"), ("CLF", 5, "currency_unsupported")],
)
def test_an_amount_that_cannot_be_said_is_refused_and_not_rounded(
    platform: Platform, currency: str, amount: int, code: str
) -> None:
    one = instruction(platform.seller(), amount_minor=amount, currency=currency)
    outcome = adapter.submit(platform.channel, order(one))
    assert (outcome.kind, outcome.failure.code, outcome.calls) == (BatchKind.REFUSED, code, ())


def test_orders_that_are_not_for_it_are_not_sent(funded: Platform, one: Instruction) -> None:
    for wrong in (order(), order(one, one)):
        assert adapter.submit(funded.channel, wrong).kind is BatchKind.NOT_SENT
        assert adapter.ask(funded.channel, wrong).kind is BatchKind.UNKNOWN
    iban = order(replace(one, kind="iban", details={"iban": "DE00"}))
    assert adapter.submit(funded.channel, iban).failure.code == "destination_unsupported"
    assert funded.moved() == []


def test_a_key_that_is_revoked_sends_nothing(funded: Platform, one: Instruction) -> None:
    funded.sandbox.control("POST", "keys", {"key": funded.key, "revoked": True})
    assert adapter.submit(funded.channel, order(one)).kind is BatchKind.NOT_SENT


def forgotten(platform: Platform, one: Instruction) -> BatchOutcome:
    """Send, let the provider forget the key, and send the same again."""
    sent = order(one)
    adapter.submit(platform.channel, sent)
    platform.sandbox.control("POST", "clock", {"seconds": 25 * 3600})
    return adapter.submit(platform.channel, replace(sent, created_at=clock.now() - timedelta(hours=25)))


def test_a_key_that_was_forgotten_pays_nobody_twice(funded: Platform, one: Instruction) -> None:
    """Keys are kept for a day; who sends again after that looks first."""
    assert kinds(forgotten(funded, one)) == [NewsKind.PAID]
    assert funded.moved() == [-2000]


def test_without_looking_it_would_be_paid_twice(
    funded: Platform, one: Instruction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the guard of the test above is what keeps it to one."""
    monkeypatch.setattr(stripe, "_KEYS_ARE_KEPT", timedelta(days=30))
    forgotten(funded, one)
    assert funded.moved() == [-2000, -2000]


@pytest.mark.parametrize(
    "spoil",
    [
        {"type": "transfer.created"},
        {"type": "transfer.created", "data": []},
        {"type": "transfer.created", "data": {"object": {"object": "transfer"}}},
        {"type": "transfer.created", "data": {"object": {"object": "payout"}}},
        {"type": None},
        {},
    ],
)
def test_junk_says_nothing(spoil: dict[str, Any]) -> None:
    assert adapter.read(None, spoil) == ()
