"""Connected accounts, transfers and payouts at the provider, through the official SDK."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

BANK = {"object": "bank_account", "country": "US", "currency": "usd", "routing_number": "110000000"}
DAY = 86_400


def open_seller(account, number: str = "000123456789") -> Any:
    wishes = {
        "type": "custom",
        "capabilities": {"transfers": {"requested": True}},
        "external_account": {**BANK, "account_number": number},
    }
    return account.v1.accounts.create(wishes)


@pytest.fixture
def seller(account) -> Any:
    return open_seller(account)


@pytest.fixture
def funded(account) -> Any:
    """The platform has 100.00 USD available."""
    wish = {"account": account.key, "amount": 10_000, "currency": "usd"}
    account.sandbox.control("POST", "topups", wish)
    return account


def transfer(account, seller: Any, amount: int = 2000, *, key: str | None = None, **more: Any) -> Any:
    values = {"amount": amount, "currency": "usd", "destination": seller.id, **more}
    return account.v1.transfers.create(values, {"idempotency_key": key} if key else {})


def available(account, seller: Any = None) -> int:
    options = {} if seller is None else {"stripe_account": seller.id}
    return account.v1.balance.retrieve({}, options).available[0].amount


def pay_bank(account, seller: Any, amount: int = 1500, **more: Any) -> Any:
    values = {"amount": amount, "currency": "usd", **more}
    return account.v1.payouts.create(values, {"stripe_account": seller.id})


def payout_of(account, seller: Any, payout: Any) -> Any:
    return account.v1.payouts.retrieve(payout.id, {}, {"stripe_account": seller.id})


def test_an_account_belongs_to_its_platform(account, seller, sandbox):
    assert (seller.capabilities.transfers, seller.payouts_enabled) == ("active", True)
    assert (seller.external_accounts.data[0].last4, seller.settings.payouts.schedule.interval) == (
        "6789",
        "manual",
    )
    assert "000123456789" not in str(account.v1.accounts.retrieve(seller.id))
    stranger = sandbox.client("sk_test_somebody_else").v1
    with pytest.raises(stripe.InvalidRequestError):
        stranger.accounts.retrieve(seller.id)
    with pytest.raises(stripe.PermissionError):
        stranger.balance.retrieve({}, {"stripe_account": seller.id})
    with pytest.raises(stripe.InvalidRequestError, match="manual"):
        account.v1.accounts.create({"settings": {"payouts": {"schedule": {"interval": "daily"}}}})


def test_a_transfer_moves_money_from_one_balance_to_the_other(funded, seller):
    made = transfer(funded, seller, transfer_group="po1", metadata={"payout": "po1"})
    assert (made.amount, made.reversed, made.transfer_group) == (2000, False, "po1")
    assert (available(funded), available(funded, seller)) == (8000, 2000)
    booked = funded.v1.balance_transactions.retrieve(made.balance_transaction)
    assert (booked.type, booked.net, booked.source) == ("transfer", -2000, made.id)
    (row,) = funded.journal(kind="transfer.created")
    assert (row["charge"], row["amount"], row["metadata"]) == (made.id, -2000, {"payout": "po1"})
    assert [each.id for each in funded.v1.transfers.list({"transfer_group": "po1"}).data] == [made.id]
    assert funded.v1.transfers.list({"transfer_group": "po2"}).data == []


def test_a_transfer_under_one_key_happens_once_in_a_race(funded, seller):
    """A-C: thirty at once under one key are one transfer, and what is left is told to wait or replayed."""

    def one(_: int) -> str:
        try:
            return transfer(funded, seller, key="po1-1").id
        except stripe.StripeError as error:
            return str(error.code)

    with ThreadPoolExecutor(30) as pool:
        told = set(pool.map(one, range(30)))
    assert len(told - {"idempotency_key_in_use"}) == 1
    assert [row["amount"] for row in funded.journal(kind="transfer.created")] == [-2000]


def test_more_than_is_available_is_refused_and_the_refusal_is_kept(account, seller):
    """Money of payments is pending for two days, so that it cannot be transferred at once."""
    account.paid(amount=5000)
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            transfer(account, seller, key="po1-1")
        assert refused.value.code == "balance_insufficient"
    assert refused.value.headers["idempotent-replayed"] == "true"
    account.paid(amount=5000, payment_method="pm_card_bypassPending")
    with pytest.raises(stripe.InvalidRequestError):
        transfer(account, seller, key="po1-1")
    assert transfer(account, seller, key="po1-1.2").amount == 2000


def test_an_account_that_cannot_be_paid(funded, seller):
    funded.sandbox.control("POST", f"accounts/{seller.id}", {"transfers": "inactive"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        transfer(funded, seller)
    assert refused.value.code == "insufficient_capabilities_for_transfer"
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        funded.v1.transfers.create({"amount": 1, "currency": "usd", "destination": "acct_none"})
    assert (unknown.value.code, unknown.value.param) == ("resource_missing", "destination")
    funded.sandbox.control("POST", f"accounts/{seller.id}", {"transfers": "active"})
    assert transfer(funded, seller).amount == 2000
    for bad in ({"transfers": "maybe"}, {"transfers": 1}):
        funded.sandbox.control("POST", f"accounts/{seller.id}", bad, status=400)


def test_a_transfer_is_reversed_in_parts_and_never_too_much(funded, seller):
    made = transfer(funded, seller)
    back = funded.v1.transfers.reversals.create(made.id, {"amount": 500})
    assert (back.amount, back.transfer) == (500, made.id)
    funded.sandbox.control("POST", f"transfers/{made.id}/reversal", {})
    seen = funded.v1.transfers.retrieve(made.id)
    assert (seen.amount_reversed, seen.reversed, len(seen.reversals.data)) == (2000, True, 2)
    assert (available(funded), available(funded, seller)) == (10_000, 0)
    with pytest.raises(stripe.InvalidRequestError, match="0 left"):
        funded.v1.transfers.reversals.create(made.id)
    assert [row["amount"] for row in funded.journal(kind="transfer.reversed")] == [500, 1500]
    types = [each.type for each in funded.v1.events.list().data]
    assert types == ["transfer.reversed", "transfer.reversed", "transfer.created"]


def test_what_was_paid_out_cannot_be_reversed(funded, seller):
    made = transfer(funded, seller)
    pay_bank(funded, seller)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        funded.v1.transfers.reversals.create(made.id)
    assert refused.value.code == "balance_insufficient"


@pytest.fixture
def by_clock(own_sandbox, account):
    """A sandbox whose clock may be moved, with a platform that has money; and its clock."""
    box = own_sandbox()
    account = type(account)(box)
    box.control("POST", "topups", {"account": account.key, "amount": 10_000, "currency": "usd"})
    return account, lambda days: box.control("POST", "clock", {"seconds": days * DAY + 1})


def test_a_payout_arrives_by_the_clock(by_clock):
    account, pass_days = by_clock
    seller = open_seller(account)
    transfer(account, seller)
    payout = pay_bank(account, seller, metadata={"payout": "po1"})
    assert (payout.status, payout.destination) == ("pending", seller.external_accounts.data[0].id)
    assert available(account, seller) == 500
    pass_days(1)
    assert payout_of(account, seller, payout).status == "in_transit"
    pass_days(1)
    assert payout_of(account, seller, payout).status == "paid"
    events = account.v1.events.list({}, {"stripe_account": seller.id}).data
    assert [each.type for each in events] == ["payout.paid", "payout.updated", "payout.created"]
    assert {each["account"] for each in events} == {seller.id}
    assert [row["amount"] for row in account.journal(account=seller.id)] == [-1500, 0]


def test_a_payout_that_was_paid_fails_days_later_f_f3(by_clock):
    """F-F3: paid first, and failed within five business days."""
    account, pass_days = by_clock
    seller = open_seller(account, "000999999999")
    transfer(account, seller)
    payout = pay_bank(account, seller)
    pass_days(2)
    assert payout_of(account, seller, payout).status == "paid"
    pass_days(3)
    seen = payout_of(account, seller, payout)
    assert (seen.status, seen.failure_code) == ("failed", "account_closed")
    moved = account.v1.balance_transactions.retrieve(
        seen.failure_balance_transaction, {}, {"stripe_account": seller.id}
    )
    assert (moved.type, moved.net, moved.source) == ("payout_failure", 1500, payout.id)
    assert available(account, seller) == 2000


@pytest.mark.parametrize("number", ["000111111116", "000111111113"])
def test_a_bank_account_that_cannot_be_paid(by_clock, number):
    account, pass_days = by_clock
    seller = open_seller(account, number)
    transfer(account, seller)
    payout = pay_bank(account, seller)
    pass_days(2)
    assert payout_of(account, seller, payout).status == "failed"
    assert available(account, seller) == 2000


def test_payouts_are_refused_settled_failed_canceled_and_reversed(funded, seller):
    with pytest.raises(stripe.InvalidRequestError) as poor:
        pay_bank(funded, seller)
    assert poor.value.code == "balance_insufficient"
    transfer(funded, seller)
    with pytest.raises(stripe.InvalidRequestError, match="external accounts in that currency"):
        pay_bank(funded, seller, currency="eur")
    there, control = {"stripe_account": seller.id}, funded.sandbox.control
    first, second = pay_bank(funded, seller, 500), pay_bank(funded, seller, 500)
    control("POST", f"payouts/{first.id}/settle", {})
    control("POST", f"payouts/{first.id}/settle", {}, status=400)
    control("POST", f"payouts/{first.id}/fail", {"failure_code": "mood"}, status=400)
    assert funded.v1.payouts.cancel(second.id, {}, there).status == "canceled"
    assert available(funded, seller) == 1500
    back = funded.v1.payouts.reverse(first.id, {}, there)
    assert (back.amount, back.original_payout) == (-500, first.id)
    assert (payout_of(funded, seller, first).reversed_by, available(funded, seller)) == (back.id, 2000)
    control("POST", f"accounts/{seller.id}", {"payouts_enabled": False})
    with pytest.raises(stripe.InvalidRequestError) as closed:
        pay_bank(funded, seller, 500)
    assert closed.value.code == "payouts_not_allowed"


def test_a_platform_pays_its_own_bank(funded):
    payout = funded.v1.payouts.create({"amount": 4000, "currency": "usd"})
    assert (payout.status, available(funded)) == ("pending", 6000)


def test_webhooks_of_connected_accounts_go_to_connect_endpoints(funded, seller, receiver, until):
    """What happens to a connected account is told to endpoints that asked for it, and names the account."""
    wish = {"url": receiver.url, "enabled_events": ["*"], "connect": True}
    funded.v1.webhook_endpoints.create(wish)
    transfer(funded, seller)
    pay_bank(funded, seller)
    until(lambda: len(receiver.events()) >= 2)
    told = {(each["type"], each.get("account")) for each in receiver.events()}
    assert told == {("transfer.created", None), ("payout.created", seller.id)}


def test_a_time_out_after_the_transfer_leaves_one_transfer_f_f2(funded, seller):
    """F-F2: the answer is lost, the same key tells it, and the list shows it."""
    funded.arm("charged_but_timeout", operation="transfers.create")
    impatient = funded.quick(timeout=0.3)
    values = {"amount": 2000, "currency": "usd", "destination": seller.id, "transfer_group": "po1-1"}
    with pytest.raises(stripe.APIConnectionError):
        impatient.transfers.create(values, {"idempotency_key": "po1-1"})
    (listed,) = funded.v1.transfers.list({"transfer_group": "po1-1"}).data
    assert funded.v1.transfers.create(values, {"idempotency_key": "po1-1"}).id == listed.id
    assert len(funded.journal(kind="transfer.created")) == 1
