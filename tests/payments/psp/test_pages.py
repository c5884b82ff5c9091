"""What every adapter promises about the provider's own page: opened, asked about, closed, told of.

Against the sandbox as a process where the provider answers, and against scripted bytes where it does not.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from channels.types import ChannelData
from payments.psp.contract import (
    CancelRequest,
    Outcome,
    OutcomeKind,
    PageRequest,
    PspAdapter,
    PspStatus,
    adapter_for,
)
from tests.channels.lines import open_channel
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payments.psp.scripted import ScriptedProvider, answer, error, intent, json_answer, reset, silence

PROVIDERS = ["stripe"]
_serial = itertools.count(1)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


@pytest.fixture(params=PROVIDERS)
def adapter(request: pytest.FixtureRequest) -> PspAdapter:
    return adapter_for(request.param)


@pytest.fixture
def key() -> str:
    return f"sk_test_pages_{os.getpid()}_{next(_serial)}"


@pytest.fixture
def line(db: None, sandbox: SandboxProcess, key: str, settings: object) -> ChannelData:
    settings.PSP_READ_TIMEOUT = settings.PSP_DEADLINE = 2.0
    return open_channel(base_url=sandbox.url, secret_key=key)


def request(**changes: object) -> PageRequest:
    values = {"nonce": "n", "amount_minor": 1000, "currency": "USD", "capture": "automatic", **changes}
    return PageRequest(
        our_reference="chg_1",
        description="Checkout c-1",
        return_url="https://pay.example/back",
        expires_at=datetime.now(UTC).replace(microsecond=0) + timedelta(hours=23),
        metadata={"checkout_id": "c-1"},
        **values,
    )


@pytest.fixture
def opened(adapter: PspAdapter, line: ChannelData) -> Callable[..., Outcome]:
    def open_page(**changes: object) -> Outcome:
        return adapter.open_page(channel=line, request=request(**changes))

    return open_page


@pytest.fixture
def buy(sandbox: SandboxProcess) -> Callable[..., None]:
    def buy(reference: str, token: str = "pm_card_visa") -> None:
        sandbox.control("POST", f"checkout_sessions/{reference}/payment", {"token": token})

    return buy


def test_an_open_page_waits_for_the_buyer(opened: Callable[..., Outcome]) -> None:
    outcome = opened()
    seen = outcome.object
    assert (outcome.kind, seen.status) == (OutcomeKind.PENDING, PspStatus.REQUIRES_ACTION)
    assert (seen.amount_minor, seen.currency, seen.our_reference) == (1000, "USD", "chg_1")
    assert (seen.authorized_minor, seen.captured_minor, seen.reference) == (0, 0, "")
    assert seen.session_reference and seen.redirect_url.startswith("http")
    assert outcome.calls[0].http_status == 200 and outcome.calls[0].kind == "register"


def test_opened_again_under_its_nonce_it_is_the_same_page(adapter: PspAdapter, line: ChannelData) -> None:
    same = request()
    first, second = (adapter.open_page(channel=line, request=same) for _ in range(2))
    assert first.object == second.object
    other = adapter.open_page(channel=line, request=replace(same, amount_minor=2000))
    assert (other.kind, other.conflict) == (OutcomeKind.UNKNOWN, True)


@pytest.mark.parametrize(("currency", "amount"), [("JPY", 1000), ("KWD", 12340), ("ISK", 500), ("USD", 1000)])
def test_amounts_come_back_as_they_went(
    adapter: PspAdapter,
    line: ChannelData,
    opened: Callable[..., Outcome],
    buy: Callable[..., None],
    currency: str,
    amount: int,
) -> None:
    seen = opened(currency=currency, amount_minor=amount).object
    assert (seen.amount_minor, seen.currency) == (amount, currency)
    buy(seen.session_reference)
    paid = adapter.query(channel=line, reference=seen.session_reference).object
    assert (paid.captured_minor, paid.currency) == (amount, currency)


def test_an_amount_that_does_not_fit_is_refused_unsent(opened: Callable[..., Outcome]) -> None:
    outcome = opened(currency="KWD", amount_minor=1001)
    assert (outcome.kind, outcome.decline.code) == (OutcomeKind.DECLINED, "amount_not_supported")
    assert outcome.calls == ()


def test_a_paid_page_shows_the_payment(
    adapter: PspAdapter,
    line: ChannelData,
    opened: Callable[..., Outcome],
    buy: Callable[..., None],
    sandbox: SandboxProcess,
) -> None:
    page = opened().object.session_reference
    buy(page)
    outcome = adapter.query(channel=line, reference=page)
    seen = outcome.object
    assert (outcome.kind, seen.status) == (OutcomeKind.SUCCEEDED, PspStatus.CAPTURED)
    assert (seen.session_reference, seen.captured_minor, seen.our_reference) == (page, 1000, "chg_1")
    assert sandbox.effects(seen.reference) == ["charge.captured"]
    assert adapter.query(channel=line, reference=seen.reference).object.status is PspStatus.CAPTURED


@pytest.mark.parametrize("token", ["pm_card_chargeDeclined", "pm_card_threeDSecure2Required"])
def test_what_happens_on_an_open_page_is_not_its_end(
    adapter: PspAdapter,
    line: ChannelData,
    opened: Callable[..., Outcome],
    buy: Callable[..., None],
    token: str,
) -> None:
    first = opened().object
    buy(first.session_reference, token)
    outcome = adapter.query(channel=line, reference=first.session_reference)
    assert (outcome.kind, outcome.object.status) == (OutcomeKind.PENDING, PspStatus.REQUIRES_ACTION)
    assert (outcome.object.redirect_url, outcome.object.decline) == (first.redirect_url, None)


@pytest.mark.parametrize(
    ("result", "kind", "status"),
    [
        ("succeed", OutcomeKind.SUCCEEDED, PspStatus.CAPTURED),
        ("fail", OutcomeKind.DECLINED, PspStatus.DECLINED),
    ],
)
def test_a_page_whose_money_is_on_its_way(
    adapter: PspAdapter,
    line: ChannelData,
    opened: Callable[..., Outcome],
    buy: Callable[..., None],
    sandbox: SandboxProcess,
    result: str,
    kind: OutcomeKind,
    status: PspStatus,
) -> None:
    page = opened().object.session_reference
    buy(page, "pm_card_sandboxProcessing")
    waiting = adapter.query(channel=line, reference=page)
    assert (waiting.kind, waiting.object.status) == (OutcomeKind.PENDING, PspStatus.PROCESSING)
    path = f"payment_intents/{waiting.object.reference}/settlement"
    sandbox.control("POST", path, {"result": result})
    outcome = adapter.query(channel=line, reference=page)
    assert (outcome.kind, outcome.object.status) == (kind, status)
    assert (outcome.decline is not None) == (kind is OutcomeKind.DECLINED)


def test_a_closed_page_takes_no_money_any_more(
    adapter: PspAdapter, line: ChannelData, opened: Callable[..., Outcome], buy: Callable[..., None]
) -> None:
    page = opened().object.session_reference
    buy(page, "pm_card_chargeDeclined")
    closing = CancelRequest(nonce="x", reference=page)
    for _ in range(2):
        outcome = adapter.cancel(channel=line, request=closing)
        assert (outcome.kind, outcome.object.status) == (OutcomeKind.SUCCEEDED, PspStatus.EXPIRED)
    again = adapter.cancel(channel=line, request=replace(closing, nonce="y"))
    assert again.kind is OutcomeKind.DECLINED, "it is not open"
    outcome = adapter.query(channel=line, reference=page)
    assert (outcome.kind, outcome.object.status) == (OutcomeKind.SUCCEEDED, PspStatus.EXPIRED)


def test_a_paid_page_cannot_be_closed(
    adapter: PspAdapter, line: ChannelData, opened: Callable[..., Outcome], buy: Callable[..., None]
) -> None:
    page = opened().object.session_reference
    buy(page)
    outcome = adapter.cancel(channel=line, request=CancelRequest(nonce="x", reference=page))
    assert outcome.kind is OutcomeKind.DECLINED
    assert adapter.query(channel=line, reference=page).object.status is PspStatus.CAPTURED


def test_what_is_not_found_is_unknown(adapter: PspAdapter, line: ChannelData) -> None:
    assert adapter.query(channel=line, reference="cs_test_missing").kind is OutcomeKind.UNKNOWN


@pytest.mark.parametrize("kind", ["http_429", "http_503", "charged_but_timeout", "broken_json"])
def test_an_opening_that_went_wrong(
    adapter: PspAdapter, line: ChannelData, sandbox: SandboxProcess, key: str, settings: object, kind: str
) -> None:
    """F-A5, F-A8, F-A11: not sent or unknown; under the same nonce there is one page in the end."""
    settings.PSP_DEADLINE = 0.5
    sandbox.arm(kind, account=key, operation="checkout.sessions.create")
    same = request()
    outcome = adapter.open_page(channel=line, request=same)
    assert outcome.kind is (OutcomeKind.NOT_SENT if kind == "http_429" else OutcomeKind.UNKNOWN)
    settings.PSP_DEADLINE = 5.0
    assert adapter.open_page(channel=line, request=same).kind is OutcomeKind.PENDING


def test_events_tell_of_pages(
    adapter: PspAdapter,
    line: ChannelData,
    opened: Callable[..., Outcome],
    buy: Callable[..., None],
    sandbox: SandboxProcess,
) -> None:
    pages = [opened(nonce=nonce).object.session_reference for nonce in ("paid", "ended")]
    buy(pages[0])
    adapter.cancel(channel=line, request=CancelRequest(nonce="x", reference=pages[1]))
    every = sandbox.control("GET", "events")["data"]
    told = {
        event["type"]: adapter.read_event(payload=event)
        for event in every
        if event["data"]["object"]["id"] in pages
    }
    assert set(told) == {"checkout.session.completed", "checkout.session.expired"}
    paid = told["checkout.session.completed"]
    asked = adapter.query(channel=line, reference=pages[0]).object
    assert (paid.status, paid.session_reference) == (PspStatus.CAPTURED, pages[0])
    assert (paid.reference, paid.captured_minor) == (asked.reference, asked.captured_minor)
    assert told["checkout.session.expired"].status is PspStatus.EXPIRED


def page(status: str = "open", payment_status: str = "unpaid", **changes: object) -> dict[str, object]:
    """As much of a Checkout Session as the adapter reads."""
    return {
        "id": "cs_1",
        "object": "checkout.session",
        "status": status,
        "payment_status": payment_status,
        "amount_total": 1000,
        "currency": "usd",
        "client_reference_id": "chg_1",
        "metadata": {"charge_id": "chg_1"},
        "payment_intent": None,
        "url": "https://pay.example/c/cs_1" if status == "open" else None,
        **changes,
    }


UNREADABLE = {
    "no object": {"id": "cs_1"},
    "other object": intent(),
    "a list": [page()],
    "unknown status": page("half_open"),
    "unknown payment status": page("complete", "half_paid"),
    "nothing to pay": page("complete", "no_payment_required"),
    "paid, and no payment": page("complete", "paid"),
    "paid, and the payment not shown": page("complete", "paid", payment_intent="pi_1"),
    "paid, and the payment is not": page(
        "complete", "paid", payment_intent=intent("requires_payment_method")
    ),
    "no amount": page(amount_total=None),
    "amount a float": page(amount_total=1000.0),
    "amount negative": page(amount_total=-1),
    "unknown currency": page(currency="zzz"),
    "open without an address": page(url=None),
    "open at a script": page(url="javascript:alert(1)"),
    "a payment that cannot be read": page(payment_intent=intent("half_paid")),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize("ask", ["open", "query", "close"])
def test_an_answer_that_cannot_be_read_is_unknown(
    adapter: PspAdapter, channel: ChannelData, provider: ScriptedProvider, body: object, ask: str
) -> None:
    """F-A8: no exception, and nothing is guessed."""
    provider.play(json_answer(200, body))
    outcome = _ask(adapter, channel, ask)
    assert (outcome.kind, outcome.conflict) == (OutcomeKind.UNKNOWN, False)
    assert outcome.error and len(provider.requests) == 1


@pytest.mark.parametrize("ask", ["open", "query", "close"])
@pytest.mark.parametrize(
    "script",
    [silence, reset, error(500, kind="api_error"), answer(502, b"<html>", kind="text/html"), error(409)],
    ids=["silence", "reset", "500", "502", "409"],
)
def test_no_answer_is_unknown(
    adapter: PspAdapter, channel: ChannelData, provider: ScriptedProvider, script: object, ask: str
) -> None:
    """F-A5, F-A7, F-A8, F-A9"""
    provider.play(script)
    assert _ask(adapter, channel, ask).kind is OutcomeKind.UNKNOWN
    assert len(provider.requests) == 1


@pytest.mark.parametrize("reference", ["cs_1", "pi_1"])
@pytest.mark.parametrize("status", [400, 404])
def test_a_question_that_was_refused_proves_nothing(
    adapter: PspAdapter, channel: ChannelData, provider: ScriptedProvider, reference: str, status: int
) -> None:
    provider.play(error(status, code="parameter_unknown", param="payment_method"))
    assert adapter.query(channel=channel, reference=reference).kind is OutcomeKind.UNKNOWN


def test_money_behind_a_page_counts_whatever_the_page_says(
    adapter: PspAdapter, channel: ChannelData, provider: ScriptedProvider
) -> None:
    """An expired page, and the payment behind it succeeded all the same; its facts are the payment's."""
    short = intent("succeeded", amount=900, amount_received=900, metadata={"charge_id": "chg_9"})
    provider.play(json_answer(200, page("expired", payment_intent=short)))
    seen = adapter.query(channel=channel, reference="cs_1").object
    assert (seen.status, seen.amount_minor, seen.captured_minor) == (PspStatus.CAPTURED, 900, 900)
    assert (seen.our_reference, seen.reference, seen.session_reference) == ("chg_9", "pi_1", "cs_1")


def _ask(adapter: PspAdapter, channel: ChannelData, what: str) -> Outcome:
    if what == "open":
        return adapter.open_page(channel=channel, request=request())
    if what == "close":
        return adapter.cancel(channel=channel, request=CancelRequest(nonce="x", reference="cs_1"))
    return adapter.query(channel=channel, reference="cs_1")
