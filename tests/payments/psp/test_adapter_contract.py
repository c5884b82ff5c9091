"""What every adapter promises, against a provider that runs as a process and keeps a journal of effects.

A new adapter joins by a line in PROVIDERS.
"""

import itertools
import os
from collections.abc import Callable, Iterator

import pytest

from channels.types import ChannelData
from payments.psp.contract import (
    AttachRequest,
    CancelRequest,
    CaptureRequest,
    ConfirmRequest,
    CustomerRequest,
    DetachRequest,
    MethodFacts,
    Outcome,
    OutcomeKind,
    PspAdapter,
    PspStatus,
    RegisterRequest,
    adapter_for,
)
from tests.channels.lines import open_channel
from tests.payments.psp.sandbox_process import SandboxProcess

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
    """Every key of a test account is an account of its own."""
    return f"sk_test_{os.getpid()}_{next(_serial)}"


@pytest.fixture
def channel(db: None, sandbox: SandboxProcess, key: str, settings: object) -> ChannelData:
    settings.PSP_READ_TIMEOUT = settings.PSP_DEADLINE = 2.0
    return open_channel(base_url=sandbox.url, secret_key=key)


@pytest.fixture
def pay(adapter: PspAdapter, channel: ChannelData) -> Callable[..., Outcome]:
    """Register, then confirm with a token; the reference is in the outcome's object or in `reference`."""

    def pay(
        token: str = "pm_card_visa", *, capture: str = "automatic", nonce: str = "n", **options: object
    ) -> Outcome:
        created = register(adapter, channel, capture=capture, nonce=nonce, **options)
        assert created.object is not None
        return adapter.confirm(channel=channel, request=confirmation(created.object.reference, token, nonce))

    return pay


def register(adapter: PspAdapter, channel: ChannelData, *, nonce: str = "n", **changes: object) -> Outcome:
    values = {"amount_minor": 1000, "currency": "USD", "capture": "automatic", **changes}
    request = RegisterRequest(
        nonce=f"{nonce}-r", our_reference="chg_1", metadata={"checkout_id": "c-1"}, **values
    )
    return adapter.register(channel=channel, request=request)


def confirmation(reference: str, token: str = "pm_card_visa", nonce: str = "n") -> ConfirmRequest:
    return ConfirmRequest(
        nonce=f"{nonce}-c", reference=reference, token=token, return_url="https://store.example/back"
    )


def test_registering_moves_no_money_and_says_what_was_registered(
    adapter: PspAdapter, channel: ChannelData, sandbox: SandboxProcess
) -> None:
    outcome = register(adapter, channel)
    seen = outcome.object
    assert (outcome.kind, seen.status) == (OutcomeKind.SUCCEEDED, PspStatus.REGISTERED)
    assert (seen.amount_minor, seen.currency, seen.our_reference) == (1000, "USD", "chg_1")
    assert (seen.authorized_minor, seen.captured_minor, seen.charge_reference) == (0, 0, "")
    assert sandbox.effects(seen.reference) == []
    assert outcome.calls[0].http_status == 200 and outcome.calls[0].psp_request_id


def test_registering_tells_what_card_is_to_pay(
    adapter: PspAdapter, channel: ChannelData, sandbox: SandboxProcess
) -> None:
    """A-H1: one card has one fingerprint, whatever its tokens, before anything is tried with it."""
    first, again, other, hidden = (
        register(adapter, channel, token=f"pm_card_{card}", nonce=f"n{index}").object
        for index, card in enumerate(["visa", "visa", "mastercard", "sandboxGooglePayUnnamed"])
    )
    assert first.card.fingerprint and first.card.fingerprint == again.card.fingerprint
    assert other.card.fingerprint not in ("", first.card.fingerprint)
    assert (hidden.card.fingerprint, hidden.card.brand) == ("", "mastercard")
    assert {each.status for each in (first, again, other, hidden)} == {PspStatus.REGISTERED}
    assert sandbox.effects(first.reference) == []


def test_a_token_that_cannot_pay_is_refused_when_it_is_registered(
    adapter: PspAdapter, channel: ChannelData
) -> None:
    outcome = register(adapter, channel, token="pm_nobody")
    assert (outcome.kind, outcome.decline.code) == (OutcomeKind.DECLINED, "invalid_payment_method")


@pytest.mark.parametrize(("currency", "amount"), [("JPY", 1000), ("KWD", 12340), ("ISK", 500), ("USD", 1000)])
def test_amounts_come_back_as_they_went(
    adapter: PspAdapter, channel: ChannelData, currency: str, amount: int
) -> None:
    outcome = register(adapter, channel, currency=currency, amount_minor=amount)
    assert outcome.object is not None, outcome.error
    assert (outcome.object.amount_minor, outcome.object.currency) == (amount, currency)


def test_a_payment_is_captured_once(
    adapter: PspAdapter, channel: ChannelData, pay: Callable[..., Outcome], sandbox: SandboxProcess
) -> None:
    outcome = pay()
    seen = outcome.object
    assert (outcome.kind, seen.status) == (OutcomeKind.SUCCEEDED, PspStatus.CAPTURED)
    assert (seen.authorized_minor, seen.captured_minor) == (1000, 1000)
    assert seen.charge_reference.startswith("ch_")
    again = adapter.confirm(channel=channel, request=confirmation(seen.reference))
    assert (again.kind, again.object) == (OutcomeKind.SUCCEEDED, seen)
    assert sandbox.effects(seen.reference).count("charge.captured") == 1


def test_a_manual_payment_is_authorised_only(pay: Callable[..., Outcome], sandbox: SandboxProcess) -> None:
    outcome = pay(capture="manual")
    seen = outcome.object
    assert (outcome.kind, seen.status) == (OutcomeKind.SUCCEEDED, PspStatus.AUTHORIZED)
    assert (seen.authorized_minor, seen.captured_minor) == (1000, 0)
    assert "charge.captured" not in sandbox.effects(seen.reference)


@pytest.mark.parametrize(
    ("token", "code", "retryable"),
    [
        ("pm_card_chargeDeclined", "card_declined", True),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds", True),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", True),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", True),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", True),
        ("pm_card_chargeDeclinedStolenCard", "fraud_suspected", False),
        ("pm_card_chargeDeclinedFraudulent", "fraud_suspected", False),
    ],
)
def test_a_decline_has_our_code_and_is_remembered(
    adapter: PspAdapter,
    channel: ChannelData,
    pay: Callable[..., Outcome],
    sandbox: SandboxProcess,
    token: str,
    code: str,
    retryable: bool,
) -> None:
    outcome = pay(token)
    assert outcome.kind is OutcomeKind.DECLINED
    assert (outcome.decline.code, outcome.decline.retryable) == (code, retryable)
    reference = outcome.object.reference
    asked = adapter.query(channel=channel, reference=reference)
    assert (asked.kind, asked.object.status) == (OutcomeKind.DECLINED, PspStatus.DECLINED)
    assert asked.decline == outcome.decline
    assert "charge.captured" not in sandbox.effects(reference)


def test_a_buyer_who_must_act_leaves_the_payment_pending(
    adapter: PspAdapter, channel: ChannelData, pay: Callable[..., Outcome], sandbox: SandboxProcess
) -> None:
    outcome = pay("pm_card_threeDSecure2Required")
    seen = outcome.object
    assert (outcome.kind, seen.status) == (OutcomeKind.PENDING, PspStatus.REQUIRES_ACTION)
    assert seen.redirect_url is not None and seen.redirect_url.startswith("http")
    assert adapter.query(channel=channel, reference=seen.reference).kind is OutcomeKind.PENDING
    sandbox.control("POST", f"payment_intents/{seen.reference}/authentication", {"result": "complete"})
    asked = adapter.query(channel=channel, reference=seen.reference)
    assert (asked.kind, asked.object.status) == (OutcomeKind.SUCCEEDED, PspStatus.CAPTURED)


def test_a_buyer_who_fails_to_authenticate_is_declined(
    adapter: PspAdapter, channel: ChannelData, pay: Callable[..., Outcome], sandbox: SandboxProcess
) -> None:
    reference = pay("pm_card_threeDSecure2Required").object.reference
    sandbox.control("POST", f"payment_intents/{reference}/authentication", {"result": "fail"})
    asked = adapter.query(channel=channel, reference=reference)
    assert (asked.kind, asked.decline.code) == (OutcomeKind.DECLINED, "authentication_failed")


@pytest.mark.parametrize(("kind", "charged"), [("charged_but_timeout", True), ("not_charged_timeout", False)])
def test_an_unknown_outcome_is_resolved_by_asking(
    adapter: PspAdapter,
    channel: ChannelData,
    sandbox: SandboxProcess,
    key: str,
    settings: object,
    kind: str,
    charged: bool,
) -> None:
    """F-A5: the same silence, and the truth is what the provider says when asked."""
    reference = register(adapter, channel).object.reference
    settings.PSP_DEADLINE = 0.5
    sandbox.arm(kind, account=key, operation="payment_intents.confirm")
    outcome = adapter.confirm(channel=channel, request=confirmation(reference))
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert outcome.calls[0].bytes_sent is True and outcome.calls[0].http_status is None
    settings.PSP_DEADLINE = 5.0
    asked = adapter.query(channel=channel, reference=reference)
    assert asked.object.status is (PspStatus.CAPTURED if charged else PspStatus.REGISTERED)
    again = adapter.confirm(channel=channel, request=confirmation(reference))
    assert again.object.status is PspStatus.CAPTURED
    assert sandbox.effects(reference).count("charge.captured") == 1


@pytest.mark.parametrize(
    "kind",
    [
        "connection_reset_after_body",
        "http_500",
        "http_502",
        "http_503",
        "empty_500",
        "broken_json",
        "truncated_json",
        "wrong_content_type",
        "http_409",
    ],
)
def test_a_broken_answer_is_unknown_and_the_question_is_answered(
    adapter: PspAdapter, channel: ChannelData, sandbox: SandboxProcess, key: str, kind: str
) -> None:
    """F-A7, F-A8, F-A9"""
    reference = register(adapter, channel).object.reference
    sandbox.arm(kind, account=key, operation="payment_intents.confirm")
    outcome = adapter.confirm(channel=channel, request=confirmation(reference))
    assert outcome.kind is OutcomeKind.UNKNOWN and not outcome.conflict
    asked = adapter.query(channel=channel, reference=reference)
    paid = "charge.captured" in sandbox.effects(reference)
    assert asked.object.status is (PspStatus.CAPTURED if paid else PspStatus.REGISTERED)


def test_turned_away_for_load_nothing_happened(
    adapter: PspAdapter, channel: ChannelData, sandbox: SandboxProcess, key: str
) -> None:
    """F-A11"""
    reference = register(adapter, channel).object.reference
    sandbox.arm("http_429", account=key, operation="payment_intents.confirm", retry_after=3)
    outcome = adapter.confirm(channel=channel, request=confirmation(reference))
    assert (outcome.kind, outcome.retry_after) == (OutcomeKind.NOT_SENT, 3.0)
    assert sandbox.effects(reference) == []
    assert adapter.confirm(channel=channel, request=confirmation(reference)).kind is OutcomeKind.SUCCEEDED


def test_a_nonce_used_for_something_else_is_a_conflict(adapter: PspAdapter, channel: ChannelData) -> None:
    """F-A10"""
    assert register(adapter, channel).kind is OutcomeKind.SUCCEEDED
    outcome = register(adapter, channel, amount_minor=2000)
    assert (outcome.kind, outcome.conflict) == (OutcomeKind.UNKNOWN, True)


def test_a_partial_approval_is_told_as_it_is(
    adapter: PspAdapter, channel: ChannelData, sandbox: SandboxProcess, key: str
) -> None:
    """F-A13: less was approved than asked; the amounts say so, for the caller to compare."""
    reference = register(adapter, channel).object.reference
    sandbox.arm("partial_approval", account=key, short_by=1)
    outcome = adapter.confirm(channel=channel, request=confirmation(reference))
    assert outcome.object.captured_minor == 999


def test_closing_an_untouched_object_is_final(adapter: PspAdapter, channel: ChannelData) -> None:
    reference = register(adapter, channel).object.reference
    request = CancelRequest(nonce="x", reference=reference)
    for nonce in ("x", "x", "y"):
        closed = adapter.cancel(channel=channel, request=CancelRequest(nonce=nonce, reference=reference))
        assert (closed.kind, closed.object.status) == (OutcomeKind.SUCCEEDED, PspStatus.CANCELED), request
    outcome = adapter.confirm(channel=channel, request=confirmation(reference))
    assert outcome.object is not None and outcome.object.status is PspStatus.CANCELED


def test_what_is_captured_cannot_be_closed(
    adapter: PspAdapter, channel: ChannelData, pay: Callable[..., Outcome]
) -> None:
    reference = pay().object.reference
    outcome = adapter.cancel(channel=channel, request=CancelRequest(nonce="x", reference=reference))
    assert (outcome.kind, outcome.object.status) == (OutcomeKind.DECLINED, PspStatus.CAPTURED)


def take(reference: str, amount: int = 1000, nonce: str = "t", currency: str = "USD") -> CaptureRequest:
    return CaptureRequest(nonce=nonce, reference=reference, amount_minor=amount, currency=currency)


@pytest.mark.parametrize(
    ("amount", "currency", "whole"),
    [(1000, "USD", 1000), (400, "USD", 1000), (4, "JPY", 100), (4000, "KWD", 12340)],
)
def test_authorised_money_is_taken_once_whole_or_in_part(
    adapter: PspAdapter, channel: ChannelData, pay: Callable[..., Outcome], sandbox: SandboxProcess,
    amount: int, currency: str, whole: int,
) -> None:  # fmt: skip
    reference = pay(capture="manual", amount_minor=whole, currency=currency).object.reference
    taken = adapter.capture(channel=channel, request=take(reference, amount, currency=currency))
    assert (taken.kind, taken.object.status) == (OutcomeKind.SUCCEEDED, PspStatus.CAPTURED)
    assert (taken.object.amount_minor, taken.object.captured_minor) == (whole, amount)
    again = adapter.capture(channel=channel, request=take(reference, amount, currency=currency))
    assert (again.kind, again.object) == (OutcomeKind.SUCCEEDED, taken.object), (
        "the same key is the same capture"
    )
    other = adapter.capture(channel=channel, request=take(reference, amount, "other", currency=currency))
    assert other.object.captured_minor == amount, "a second one is refused, and tells what the first took"
    asked = adapter.query(channel=channel, reference=reference)
    assert (asked.kind, asked.object.captured_minor) == (OutcomeKind.SUCCEEDED, amount)
    assert sandbox.effects(reference).count("charge.captured") == 1


def test_more_than_is_authorised_is_declined_and_takes_nothing(
    adapter: PspAdapter, channel: ChannelData, pay: Callable[..., Outcome], sandbox: SandboxProcess
) -> None:
    reference = pay(capture="manual").object.reference
    assert adapter.capture(channel=channel, request=take(reference, 1001)).kind is OutcomeKind.DECLINED
    assert "charge.captured" not in sandbox.effects(reference)


def test_a_refused_capture_says_that_the_money_is_still_reserved(
    adapter: PspAdapter, channel: ChannelData, pay: Callable[..., Outcome]
) -> None:
    reference = pay("pm_card_sandboxCaptureRefused", capture="manual").object.reference
    refused = adapter.capture(channel=channel, request=take(reference))
    assert (refused.kind, refused.object.status) == (OutcomeKind.DECLINED, PspStatus.AUTHORIZED)
    assert (refused.decline.code, refused.decline.decline_code) == ("card_declined", "generic_decline")


def test_a_capture_that_takes_its_time_is_pending(
    adapter: PspAdapter, channel: ChannelData, pay: Callable[..., Outcome]
) -> None:
    reference = pay("pm_card_sandboxCaptureProcessing", capture="manual").object.reference
    pending = adapter.capture(channel=channel, request=take(reference))
    assert (pending.kind, pending.object.status) == (OutcomeKind.PENDING, PspStatus.PROCESSING)
    assert adapter.query(channel=channel, reference=reference).kind is OutcomeKind.PENDING


@pytest.mark.parametrize("how", ["void", "bank"])
def test_what_was_given_back_cannot_be_taken(
    adapter: PspAdapter, channel: ChannelData, pay: Callable[..., Outcome], sandbox: SandboxProcess, how: str
) -> None:
    """F-A17: the answer says how the payment stands."""
    reference = pay(capture="manual").object.reference
    if how == "void":
        closed = adapter.cancel(channel=channel, request=CancelRequest(nonce="x", reference=reference))
        assert (closed.kind, closed.object.status) == (OutcomeKind.SUCCEEDED, PspStatus.CANCELED)
    else:
        sandbox.control("POST", f"payment_intents/{reference}/expire", {})
    refused = adapter.capture(channel=channel, request=take(reference))
    ended = PspStatus.CANCELED if how == "void" else PspStatus.EXPIRED
    assert (refused.kind, refused.object.status) == (OutcomeKind.DECLINED, ended)
    assert sandbox.effects(reference) == ["charge.authorized", "authorization.released"]


@pytest.mark.parametrize("fault", ["charged_but_timeout", "not_charged_timeout", "broken_json"])
def test_an_unknown_capture_is_resolved_by_asking_and_the_same_key(
    adapter: PspAdapter, channel: ChannelData, pay: Callable[..., Outcome], sandbox: SandboxProcess,
    settings: object, fault: str,
) -> None:  # fmt: skip
    reference = pay(capture="manual").object.reference
    settings.PSP_READ_TIMEOUT = settings.PSP_DEADLINE = 0.4
    sandbox.arm(fault, operation="payment_intents.capture", times=1)
    assert adapter.capture(channel=channel, request=take(reference, 400)).kind is OutcomeKind.UNKNOWN
    stands = adapter.query(channel=channel, reference=reference).object
    assert stands.captured_minor == (0 if fault == "not_charged_timeout" else 400)
    taken = adapter.capture(channel=channel, request=take(reference, 400))
    assert (taken.kind, taken.object.captured_minor) == (OutcomeKind.SUCCEEDED, 400)
    assert sandbox.effects(reference).count("charge.captured") == 1


def test_what_is_not_found_is_unknown(adapter: PspAdapter, channel: ChannelData) -> None:
    assert adapter.query(channel=channel, reference="pi_missing").kind is OutcomeKind.UNKNOWN


def test_a_revoked_key_is_permanent(
    adapter: PspAdapter, channel: ChannelData, sandbox: SandboxProcess, key: str
) -> None:
    sandbox.control("POST", "keys", {"key": key, "revoked": True})
    outcome = register(adapter, channel)
    assert (outcome.kind, outcome.permanent) == (OutcomeKind.NOT_SENT, True)


def test_a_method_used_up_is_declined(
    adapter: PspAdapter, channel: ChannelData, pay: Callable[..., Outcome]
) -> None:
    outcome = pay("pm_unheard_of")
    assert (outcome.kind, outcome.decline.code) == (OutcomeKind.DECLINED, "invalid_payment_method")


def test_a_kept_method_pays_more_than_once(
    adapter: PspAdapter, channel: ChannelData, pay: Callable[..., Outcome]
) -> None:
    """One token, several charges: what orders that are charged one by one need."""
    customer = adapter.create_customer(
        channel=channel, request=CustomerRequest(nonce="cu", our_reference="chk_1")
    ).object.reference
    attached = adapter.attach(
        channel=channel,
        request=AttachRequest(nonce="at", customer_reference=customer, token="pm_card_visa"),
    )
    assert attached.kind is OutcomeKind.SUCCEEDED
    token = attached.object.reference
    for nonce in ("first", "second"):
        outcome = pay(token, nonce=nonce, customer_reference=customer)
        assert outcome.object.status is PspStatus.CAPTURED


def attach(adapter: PspAdapter, channel: ChannelData, token: str) -> Outcome:
    customer = adapter.create_customer(
        channel=channel, request=CustomerRequest(nonce=f"cu-{token}", our_reference="chk_1")
    ).object.reference
    request = AttachRequest(nonce=f"at-{token}", customer_reference=customer, token=token)
    return adapter.attach(channel=channel, request=request)


@pytest.mark.parametrize(
    ("token", "facts"),
    [
        ("pm_card_amex", MethodFacts("amex", "8431", 12, 2034)),
        ("pm_card_sandboxApplePay", MethodFacts("visa", "4242", 12, 2034, "apple_pay")),
        ("pm_card_sandboxGooglePay", MethodFacts("mastercard", "4444", 12, 2034, "google_pay")),
    ],
)
def test_what_is_kept_shows_what_the_buyer_knows_it_by(
    adapter: PspAdapter, channel: ChannelData, token: str, facts: MethodFacts
) -> None:
    seen = attach(adapter, channel, token).object
    assert (seen.method, bool(seen.card.fingerprint)) == (facts, True)


def test_a_detached_method_pays_nothing_and_can_be_asked_about(
    adapter: PspAdapter, channel: ChannelData, pay: Callable[..., Outcome]
) -> None:
    token = attach(adapter, channel, "pm_card_visa").object.reference
    request = DetachRequest(nonce="de", token=token)
    before = adapter.find_method(channel=channel, request=request)
    assert (before.kind, before.object.status) == (OutcomeKind.UNKNOWN, PspStatus.REGISTERED)
    for _ in range(2):
        gone = adapter.detach(channel=channel, request=request)
        assert (gone.kind, gone.object.status) == (OutcomeKind.SUCCEEDED, PspStatus.CANCELED)
    after = adapter.find_method(channel=channel, request=request)
    assert (after.kind, after.object.status) == (OutcomeKind.SUCCEEDED, PspStatus.CANCELED)
    outcome = pay(token)
    assert (outcome.kind, outcome.decline.code) == (OutcomeKind.DECLINED, "invalid_payment_method")
    again = adapter.detach(channel=channel, request=DetachRequest(nonce="de2", token=token))
    assert again.kind is OutcomeKind.DECLINED


def test_a_method_that_is_not_found_proves_nothing(adapter: PspAdapter, channel: ChannelData) -> None:
    request = DetachRequest(nonce="de", token="pm_missing")
    seen = adapter.find_method(channel=channel, request=request)
    assert (seen.kind, seen.object) == (OutcomeKind.UNKNOWN, None)
    refused = adapter.detach(channel=channel, request=request)
    assert refused.kind is OutcomeKind.DECLINED
    assert "pm_missing" not in refused.error


def test_events_tell_the_same_as_answers(
    adapter: PspAdapter, pay: Callable[..., Outcome], sandbox: SandboxProcess
) -> None:
    seen = pay().object
    about = (seen.reference, seen.charge_reference)
    every = sandbox.control("GET", "events")["data"]
    events = [event for event in every if event["data"]["object"]["id"] in about]
    told = {event["type"]: adapter.read_event(payload=event) for event in events}
    assert told["payment_intent.succeeded"] == seen
    assert told["payment_intent.created"].status is PspStatus.REGISTERED
    assert told["charge.succeeded"] is None
