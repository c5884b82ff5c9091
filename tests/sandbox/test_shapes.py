"""Every object has exactly the keys and types of its resource, and loads into the SDK's classes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import stripe

RESOURCES = json.loads((Path(__file__).parent / "stripe_resources.json").read_text())
#: Objects whose keys are the caller's or depend on a type.
FREE = {
    "metadata",
    "payment_method_options",
    "next_action",
    "last_payment_error",
    "fraud_details",
    "shipping",
}


def differences(real: Any, example: Any, path: str = "") -> list[str]:
    """Where ``real`` has other keys than ``example``, or another JSON type and not null."""
    if real is None or example is None:
        return []
    if isinstance(example, bool) or isinstance(real, bool):
        return [] if type(real) is type(example) else [f"{path}: {real!r} is no boolean"]
    if type(real) is not type(example):
        return [f"{path}: {type(real).__name__} is not {type(example).__name__}"]
    if isinstance(example, list):
        return [
            line for item in real for line in differences(item, example[0] if example else None, f"{path}[]")
        ]
    if not isinstance(example, dict) or path.rpartition(".")[2] in FREE:
        return []
    found = [f"{path}.{key}: extra" for key in real.keys() - example.keys()]
    found += [f"{path}.{key}: missing" for key in example.keys() - real.keys()]
    for key in real.keys() & example.keys():
        found += differences(real[key], example[key], f"{path}.{key}")
    return found


@pytest.fixture
def objects(account) -> dict[str, list[Any]]:
    """Objects of every kind in as many states as possible."""
    v1 = account.v1
    customer = v1.customers.create(
        {"email": "a@example.com", "metadata": {"a": "b"}, "address": {"city": "Paris"}}
    )
    paid = account.paid(customer=customer.id, setup_future_usage="off_session", metadata={"order": "1"})
    manual = account.paid(capture_method="manual")
    waiting = account.intent(
        payment_method="pm_card_authenticationRequired", confirm=True, return_url="http://localhost/back"
    )
    canceled = v1.payment_intents.cancel(account.intent().id)
    failed = account.intent(payment_method="pm_card_chargeDeclined")
    with pytest.raises(stripe.CardError):
        v1.payment_intents.confirm(failed.id)
    refund = v1.refunds.create({"payment_intent": paid.id, "amount": 400})
    endpoint = v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/none", "enabled_events": ["charge.failed"]}
    )
    for token in ("avsFail", "sandboxApplePay", "sandboxReview"):
        account.intent(payment_method=f"pm_card_{token}", confirm=True)
    sessions = [account.session() for _ in range(4)]
    for session, token in zip(
        sessions, ("visa", "sandboxProcessing", "authenticationRequired"), strict=False
    ):
        account.pay(session.id, f"pm_card_{token}")
    v1.checkout.sessions.expire(sessions[3].id)
    found = {
        "checkout.session": [account.session(customer=customer.id), *v1.checkout.sessions.list().data],
        "payment_intent": [paid, manual, waiting, canceled, v1.payment_intents.retrieve(failed.id)],
        "charge": list(v1.charges.list().data),
        "balance_transaction": list(v1.balance_transactions.list().data),
        "customer": [customer, v1.customers.retrieve(customer.id)],
        "payment_method": [v1.payment_methods.retrieve(paid.payment_method)],
        "refund": [refund, v1.refunds.retrieve(refund.id)],
        "event": list(v1.events.list({"limit": 50}).data),
        "webhook_endpoint": [v1.webhook_endpoints.retrieve(endpoint.id)],
        "dispute": disputed(account),
        "file": list(v1.files.list().data),
        "balance": [v1.balance.retrieve()],
        **connected(account),
        **reported(account),
    }
    found["deleted_webhook_endpoint"] = [v1.webhook_endpoints.delete(endpoint.id)]
    found["deleted_customer"] = [v1.customers.delete(customer.id)]
    return found


def reported(account) -> dict[str, list[Any]]:
    """Report types, and a run when it was asked for and when it is done."""
    reporting, control = account.v1.reporting, account.sandbox.control
    (first, *_) = types = reporting.report_types.list().data
    moments = {"interval_end": first.data_available_end, "interval_start": first.data_available_end - 86_400}
    run = reporting.report_runs.create({"report_type": "balance.summary.1", "parameters": moments})
    control("POST", "clock", {"seconds": 2})
    done = reporting.report_runs.retrieve(run.id)
    assert done.status == "succeeded"
    return {
        "reporting.report_type": [*types, reporting.report_types.retrieve(first.id)],
        "reporting.report_run": [run, done, *reporting.report_runs.list().data],
    }


def automatic(account) -> Any:
    """A payout that was not made by hand."""
    account.paid(payment_method="pm_card_bypassPending")
    (made,) = account.sandbox.control("POST", "settle", {"account": account.key})["data"]
    return account.v1.payouts.retrieve(made["id"])


def disputed(account) -> list[Any]:
    """A dispute in every state."""
    v1 = account.v1
    picture = io.BytesIO(b"\x89PNG\r\n\x1a\nsigned here")
    proof = v1.files.create({"purpose": "dispute_evidence", "file": picture})
    for token in ("createDispute", "createDisputeProductNotReceived", "createDisputeInquiry"):
        account.paid(payment_method=f"pm_card_{token}")
    inquiry, missing, fraud = v1.disputes.list().data
    evidence = {"receipt": proof.id, "uncategorized_text": "It was delivered."}
    v1.disputes.update(missing.id, {"evidence": evidence, "submit": True})
    account.sandbox.control("POST", f"disputes/{fraud.id}/win", {})
    account.sandbox.control("POST", f"disputes/{fraud.id}/lose", {})
    account.sandbox.control("POST", f"disputes/{inquiry.id}/rest", {})
    return [inquiry, missing, fraud, *v1.disputes.list().data]


def connected(account) -> dict[str, list[Any]]:
    """An account that is paid, what it is paid by, and its payouts in every state."""
    v1, control = account.v1, account.sandbox.control
    bank = {"object": "bank_account", "country": "US", "currency": "usd", "account_number": "000123456789"}
    wishes = {"type": "custom", "capabilities": {"transfers": {"requested": True}}, "external_account": bank}
    seller = v1.accounts.create(wishes)
    control("POST", "topups", {"account": account.key, "amount": 5000, "currency": "usd"})
    sent = {"amount": 2000, "currency": "usd", "destination": seller.id, "transfer_group": "g"}
    transfer = v1.transfers.create(sent)
    reversal = v1.transfers.reversals.create(transfer.id, {"amount": 500})
    there = {"stripe_account": seller.id}
    payouts = [v1.payouts.create({"amount": 300, "currency": "usd"}, there) for _ in range(4)]
    control("POST", f"payouts/{payouts[1].id}/settle", {})
    control("POST", f"payouts/{payouts[2].id}/fail", {})
    v1.payouts.cancel(payouts[3].id, {}, there)
    v1.payouts.reverse(payouts[1].id, {}, there)
    return {
        "account": [seller, v1.accounts.retrieve(seller.id), *v1.accounts.list().data],
        "bank_account": list(seller.external_accounts.data),
        "transfer": [transfer, v1.transfers.retrieve(transfer.id), *v1.transfers.list().data],
        "transfer_reversal": [reversal, *v1.transfers.reversals.list(transfer.id).data],
        "payout": [*payouts, *v1.payouts.list({}, there).data, automatic(account)],
    }


CLASSES = {
    "account": stripe.Account,
    "bank_account": stripe.BankAccount,
    "transfer": stripe.Transfer,
    "transfer_reversal": stripe.TransferReversal,
    "payout": stripe.Payout,
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "balance_transaction": stripe.BalanceTransaction,
    "customer": stripe.Customer,
    "payment_method": stripe.PaymentMethod,
    "refund": stripe.Refund,
    "event": stripe.Event,
    "webhook_endpoint": stripe.WebhookEndpoint,
    "balance": stripe.Balance,
    "checkout.session": stripe.checkout.Session,
    "dispute": stripe.Dispute,
    "file": stripe.File,
    "reporting.report_run": stripe.reporting.ReportRun,
    "reporting.report_type": stripe.reporting.ReportType,
    "deleted_customer": stripe.Customer,
    "deleted_webhook_endpoint": stripe.WebhookEndpoint,
}


def test_every_object_has_the_documented_keys_and_types(objects):
    assert set(objects) == set(RESOURCES)
    for name, found in objects.items():
        assert found, name
        for item in found:
            assert isinstance(item, CLASSES[name]), name
            raw, example = item.to_dict(), RESOURCES[name]
            if name == "event":
                assert raw["data"].keys() == example["data"].keys()
                inner = raw["data"].pop("object")
                raw["data"]["object"] = None
                assert differences(inner, RESOURCES[inner["object"]]) == [], raw["type"]
            assert differences(raw, example) == [], name


def test_the_comparison_itself_finds_what_is_wrong():
    example = RESOURCES["payment_intent"]
    assert differences(example, example) == []
    assert differences({**example, "surprise": 1}, example) == [".surprise: extra"]
    assert differences({k: v for k, v in example.items() if k != "amount"}, example) == [".amount: missing"]
    assert differences({**example, "amount": "1099"}, example) == [".amount: str is not int"]
    assert differences({**example, "livemode": 0}, example) == [".livemode: 0 is no boolean"]


def test_a_created_endpoint_alone_tells_its_secret(account):
    params = {"url": "http://127.0.0.1:9/none", "enabled_events": ["*"]}
    created = account.v1.webhook_endpoints.create(params)
    assert created.to_dict().keys() - RESOURCES["webhook_endpoint"].keys() == {"secret"}
    assert "secret" not in account.v1.webhook_endpoints.retrieve(created.id).to_dict()


def test_expansion_gives_typed_objects(account):
    params = {"expand": ["latest_charge.balance_transaction", "customer", "payment_method"]}
    customer = account.v1.customers.create({})
    intent = account.v1.payment_intents.retrieve(account.paid(customer=customer.id).id, params)
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert isinstance(intent.latest_charge.balance_transaction, stripe.BalanceTransaction)
    assert isinstance(intent.customer, stripe.Customer)
    assert isinstance(intent.payment_method, stripe.PaymentMethod)
    listed = account.v1.payment_intents.list({"expand": ["data.latest_charge"]})
    assert isinstance(listed.data[0].latest_charge, stripe.Charge)
