"""What every adapter promises about disputes, against the provider as a process."""

import itertools
import os
from collections.abc import Iterator
from typing import Any

import pytest

from channels.types import ChannelData
from payments.psp.contract import Outcome, OutcomeKind, PspAdapter, adapter_for
from payments.psp.disputes import (
    AcceptDisputeRequest,
    DisputeStage,
    EvidenceFile,
    EvidenceRequest,
    PspDispute,
)
from payments.psp.stripe_disputes import read_dispute
from payments.psp.stripe_objects import Unreadable
from tests.channels.lines import open_channel
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payments.psp.test_adapter_contract import confirmation, register

_serial = itertools.count(1)
UPDATE = "disputes.update"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


@pytest.fixture(params=["stripe"])
def adapter(request: pytest.FixtureRequest) -> PspAdapter:
    return adapter_for(request.param)


@pytest.fixture
def key() -> str:
    return f"sk_test_dispute_{os.getpid()}_{next(_serial)}"


@pytest.fixture
def channel(db: None, sandbox: SandboxProcess, key: str, settings: Any) -> ChannelData:
    settings.PSP_READ_TIMEOUT = settings.PSP_DEADLINE = 2.0
    return open_channel(base_url=sandbox.url, secret_key=key)


@pytest.fixture
def reference(adapter: PspAdapter, channel: ChannelData, sandbox: SandboxProcess) -> str:
    """A disputed payment of 10.00: the dispute's id at the provider."""
    created = register(adapter, channel).object
    paid = adapter.confirm(channel=channel, request=confirmation(created.reference)).object
    made = sandbox.control("POST", f"charges/{paid.charge_reference}/dispute", {})
    return str(made["id"])


def answer(reference: str, **changes: Any) -> EvidenceRequest:
    file = EvidenceFile("n-e-receipt", "receipt", "signed.pdf", b"%PDF-1.7 signed")
    values = {"texts": {"explanation": "He signed."}, "files": (file,), **changes}
    return EvidenceRequest(nonce="n-e", our_reference="op_1", reference=reference, **values)


def test_a_dispute_is_told_with_its_movements(
    adapter: PspAdapter, channel: ChannelData, reference: str, sandbox: SandboxProcess
) -> None:
    seen = adapter.query_dispute(channel=channel, reference=reference).dispute
    assert (seen.stage, seen.amount_minor, seen.currency) == (DisputeStage.NEEDS_RESPONSE, 1000, "USD")
    assert seen.payment_reference.startswith("pi_") and seen.evidence_due_at is not None
    assert [(each.is_withdrawal, each.amount_minor, each.fee_minor) for each in seen.movements] == [
        (True, 1000, 1500)
    ]
    sandbox.control("POST", f"disputes/{reference}/win", {})
    won = adapter.query_dispute(channel=channel, reference=reference).dispute
    assert (won.stage, len(won.movements), won.movements[1].is_withdrawal) == (DisputeStage.WON, 2, False)


def test_an_answer_is_given_once_under_its_nonce(
    adapter: PspAdapter, channel: ChannelData, reference: str
) -> None:
    assert adapter.find_evidence(channel=channel, request=answer(reference)).kind is OutcomeKind.UNKNOWN
    for _ in range(2):
        outcome = adapter.submit_evidence(channel=channel, request=answer(reference))
        assert outcome.kind is OutcomeKind.SUCCEEDED, outcome.error
        assert (outcome.dispute.submissions, outcome.dispute.evidence_mark) == (1, "op_1")
    found = adapter.find_evidence(channel=channel, request=answer(reference))
    assert (found.kind, found.dispute.stage) == (OutcomeKind.SUCCEEDED, DisputeStage.UNDER_REVIEW)
    late = adapter.accept_dispute(channel=channel, request=AcceptDisputeRequest("n-a", reference))
    assert late.kind is OutcomeKind.SUCCEEDED, "what is under review can still be accepted"


def test_what_the_provider_refuses_is_declined(
    adapter: PspAdapter, channel: ChannelData, reference: str
) -> None:
    gif = EvidenceFile("n-g", "receipt", "x.gif", b"GIF89a")
    refused = adapter.submit_evidence(channel=channel, request=answer(reference, files=(gif,)))
    assert (refused.kind, refused.dispute) == (OutcomeKind.DECLINED, None)
    accepted = adapter.accept_dispute(channel=channel, request=AcceptDisputeRequest("n-a", reference))
    assert accepted.dispute.stage is DisputeStage.LOST
    assert adapter.submit_evidence(channel=channel, request=answer(reference)).kind is OutcomeKind.DECLINED


@pytest.mark.parametrize(
    ("kind", "effect"), [("http_500", True), ("empty_500", False), ("broken_json", True)]
)
def test_an_answer_that_nobody_confirms_is_unknown(
    adapter: PspAdapter,
    channel: ChannelData,
    reference: str,
    sandbox: SandboxProcess,
    key: str,
    kind: str,
    effect: bool,
) -> None:
    """F-A8."""
    sandbox.arm(kind, account=key, operation=UPDATE, effect=effect)
    outcome: Outcome = adapter.submit_evidence(channel=channel, request=answer(reference))
    assert outcome.kind is OutcomeKind.UNKNOWN
    found = adapter.find_evidence(channel=channel, request=answer(reference))
    assert found.kind is (OutcomeKind.SUCCEEDED if effect else OutcomeKind.UNKNOWN)


def _example(**changes: Any) -> dict[str, Any]:
    moved = {"object": "balance_transaction", "id": "txn_1", "amount": -1000, "fee": 1500}
    return {
        "object": "dispute",
        "id": "dp_1",
        "status": "needs_response",
        "amount": 1000,
        "currency": "usd",
        "created": 1_700_000_000,
        "payment_intent": "pi_1",
        "balance_transactions": [{**moved, "currency": "usd", "created": 1_700_000_000}],
    } | changes


def test_a_dispute_is_read_field_by_field() -> None:
    seen = read_dispute(_example())
    assert isinstance(seen, PspDispute) and seen.movements[0].fee_minor == 1500
    for wrong in (
        {"status": "mood"},
        {"amount": "1000"},
        {"amount": -1},
        {"created": None},
        {"balance_transactions": ["txn_1"]},
        {"balance_transactions": None},
        {"currency": None},
    ):
        with pytest.raises(Unreadable):
            read_dispute(_example(**wrong))
    for movement in ({"amount": 0}, {"fee": -1}, {"fee": 1.5}):
        moved = _example()["balance_transactions"][0] | movement
        with pytest.raises(Unreadable):
            read_dispute(_example(balance_transactions=[moved]))


def test_other_events_tell_of_no_dispute_and_no_reversal(adapter: PspAdapter) -> None:
    for kind in ("charge.succeeded", "payment_intent.succeeded", "charge.dispute.created"):
        told = {"type": kind, "data": {"object": {"object": "charge"}}}
        assert adapter.read_dispute_event(payload=told) is None
        assert adapter.read_reversal_event(payload=told) is None
    declined = {"object": "charge", "captured": False, "failure_balance_transaction": None, "currency": "usd"}
    assert (
        adapter.read_reversal_event(payload={"type": "charge.failed", "data": {"object": declined}}) is None
    )
