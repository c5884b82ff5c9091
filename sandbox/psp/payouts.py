"""Payouts from an account's balance to its bank: a platform's own, or a connected account's.

A payout is ``pending``, leaves after an hour (``in_transit``) and is ``paid`` on its arrival date; all by the
sandbox clock. A bank account that cannot be paid makes it fail then, and one of them only days after it was
paid: the money is the account's again.
"""

from __future__ import annotations

from dataclasses import replace

from sandbox.psp import accounts, transfers
from sandbox.psp.call import Call, Object
from sandbox.psp.errors import ApiError, invalid
from sandbox.psp.lists import page
from sandbox.settlement import credits

LEAVES_AFTER = 3600
ARRIVES_AFTER = 2 * 86_400
INSTANT = 1800
#: When a payout to such a bank account comes back, counted from its arrival.
RETURNS_AFTER = 3 * 86_400

#: Alarms.
LEAVES, ARRIVES, RETURNS = "payout_leaves", "payout_arrives", "payout_returns"

#: Bank accounts that cannot be paid, to the failure code; the provider's own test numbers.
FAILING = {
    "000111111116": "no_account",
    "000111111113": "account_closed",
    "000222222227": "insufficient_funds",
    "000333333335": "debit_not_authorized",
    "000444444440": "invalid_currency",
    "DE62370400440532013001": "no_account",
}
#: A bank account of this sandbox: paid, and sent back days later.
RETURNING = {"000999999999": "account_closed", "DE89370400440532013999": "account_closed"}

MESSAGES = {
    "account_closed": "The bank account has been closed.",
    "debit_not_authorized": "Debit transactions are not approved on the bank account.",
    "insufficient_funds": "There are not enough funds.",
    "invalid_currency": "The bank could not take the currency.",
    "no_account": "The bank account could not be found.",
}
OPEN = ("pending", "in_transit")


def create(call: Call) -> Object:
    """``POST /v1/payouts``: amount, currency, method, destination, description, metadata."""
    params = call.params
    currency = params.currency()
    amount = transfers.moved_amount(params, currency)
    method = params.choice("method", {"standard", "instant"}, "standard")
    source_type = params.choice("source_type", transfers.SOURCE_TYPES, "card")
    description, descriptor = params.text("description"), params.text("statement_descriptor", limit=22)
    wanted, metadata = params.text("destination"), params.metadata()
    params.close()
    bank, number = _bank(call, currency, wanted)
    transfers.need_balance(call, amount, currency)
    wait = INSTANT if method == "instant" else ARRIVES_AFTER
    payout = new(call, amount=amount, currency=currency, bank=bank, arrives=call.now + wait)
    payout.update(
        description=description, metadata=metadata, method=method, source_type=source_type,
        statement_descriptor=descriptor,
    )  # fmt: skip
    payout["balance_transaction"] = transfers.book(
        call, payout, amount=-amount, kind="payout", category="payout"
    )
    call.insert(payout, {"number": number})
    transfers.note(call, "account_payout.created", payout, amount=-amount)
    call.remind(due=call.clock + min(LEAVES_AFTER, wait), kind=LEAVES, target=payout["id"])
    call.remind(due=payout["arrival_date"], kind=ARRIVES, target=payout["id"])
    call.emit("payout.created", payout)
    return payout


def new(call: Call, *, amount: int, currency: str, bank: str, arrives: int) -> Object:
    """A payout that is not stored yet, with every key."""
    return {
        "id": call.new_id("po"),
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": arrives,
        "automatic": False,
        "balance_transaction": None,
        "created": call.now,
        "currency": currency,
        "description": None,
        "destination": bank,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }


def _bank(call: Call, currency: str, wanted: str | None) -> tuple[str, str]:
    """The bank account that is paid and its number; a platform's own has neither name nor number here."""
    owner = accounts.owner_of(call.database, call.account)
    if owner is None:
        return f"ba_{call.account.removeprefix('acct_')}", ""
    account, hidden = accounts.on(call, owner).load("account", call.account, param="account")
    if not account["payouts_enabled"]:
        raise ApiError(
            400, "invalid_request_error", "Payouts are not allowed for this account.",
            code="payouts_not_allowed", saved=True,
        )  # fmt: skip
    for bank in account["external_accounts"]["data"]:
        if bank["currency"] == currency and wanted in (None, bank["id"]):
            return str(bank["id"]), str(hidden["numbers"][bank["id"]])
    raise invalid(f"There are no external accounts in that currency ({currency}).", param="currency")


def leave(call: Call, payout_id: str) -> None:
    """By the clock: the payout is with the banks."""
    payout, _ = call.load("payout", payout_id)
    if payout["status"] == "pending":
        payout["status"] = "in_transit"
        call.save(payout)
        call.emit("payout.updated", payout)


def arrive(call: Call, payout_id: str) -> None:
    """By the clock: the bank takes the money, or says why not."""
    payout, hidden = call.load("payout", payout_id)
    number = hidden.get("number", "")
    if payout["status"] not in OPEN:
        return
    if payout["automatic"]:  # the bank's day is the payout's, also when the clock leapt over it
        call = replace(call, now=payout["arrival_date"], clock=float(payout["arrival_date"]))
    if number in FAILING:
        fail(call, payout_id, code=FAILING[number])
        return
    pay(call, payout_id)
    if number in RETURNING:
        call.remind(due=call.clock + RETURNS_AFTER, kind=RETURNS, target=payout_id)


def come_back(call: Call, payout_id: str) -> None:
    """By the clock: a payout that was paid fails after all."""
    payout, hidden = call.load("payout", payout_id)
    if payout["status"] == "paid":
        fail(call, payout_id, code=RETURNING[hidden["number"]])


def pay(call: Call, payout_id: str) -> Object:
    """The money is at the bank, as far as anybody knows now."""
    payout, _ = call.load("payout", payout_id)
    if payout["status"] not in OPEN:
        raise _wrong(payout)
    payout.update(status="paid", trace_id={"status": "supported", "value": payout["id"][-12:].upper()})
    call.save(payout)
    credits.book(call, payout, payout["amount"])
    transfers.note(call, "account_payout.paid", payout, amount=0)
    call.emit("payout.paid", payout)
    return payout


def fail(call: Call, payout_id: str, *, code: str) -> Object:
    """The bank does not take the money, even after it was ``paid``: it is the account's again."""
    payout, _ = call.load("payout", payout_id)
    if payout["status"] not in (*OPEN, "paid"):
        raise _wrong(payout)
    if code not in MESSAGES:
        raise invalid(f"failure_code is one of {', '.join(MESSAGES)}", param="failure_code")
    if payout["status"] == "paid":
        credits.book(call, payout, -payout["amount"])
    moved = transfers.book(
        call, payout, amount=payout["amount"], kind="payout_failure", category="payout_reversal"
    )
    payout.update(
        status="failed", failure_code=code, failure_message=MESSAGES[code], failure_balance_transaction=moved
    )
    call.save(payout)
    transfers.note(call, "account_payout.failed", payout, amount=payout["amount"])
    call.emit("payout.failed", payout)
    return payout


def cancel(call: Call) -> Object:
    """``POST /v1/payouts/{id}/cancel``: while it is pending."""
    call.params.close()
    payout, _ = call.load("payout", call.target, param="id")
    if payout["status"] != "pending":
        raise _wrong(payout)
    moved = transfers.book(
        call, payout, amount=payout["amount"], kind="payout_cancel", category="payout_reversal"
    )
    payout.update(status="canceled", failure_balance_transaction=moved)
    call.save(payout)
    transfers.note(call, "account_payout.canceled", payout, amount=payout["amount"])
    call.emit("payout.canceled", payout)
    return payout


def reverse(call: Call) -> Object:
    """``POST /v1/payouts/{id}/reverse``: a paid payout is debited from the bank account again."""
    metadata = call.params.metadata()
    call.params.close()
    payout, _ = call.load("payout", call.target, param="id")
    if payout["status"] != "paid" or payout["reversed_by"] or payout["original_payout"]:
        raise _wrong(payout)
    back = new(
        call, amount=-payout["amount"], currency=payout["currency"], bank=payout["destination"],
        arrives=call.now + ARRIVES_AFTER,
    )  # fmt: skip
    back.update(metadata=metadata, original_payout=payout["id"])
    back["balance_transaction"] = transfers.book(
        call, back, amount=payout["amount"], kind="payout", category="payout_reversal"
    )
    call.insert(back)
    payout["reversed_by"] = back["id"]
    call.save(payout)
    transfers.note(call, "account_payout.reversed", payout, amount=payout["amount"])
    call.remind(due=back["arrival_date"], kind=ARRIVES, target=back["id"])
    call.emit("payout.created", back)
    call.emit("payout.updated", payout)
    return back


def _wrong(payout: Object) -> ApiError:
    return ApiError(400, "invalid_request_error", f"This payout is {payout['status']}.", saved=True)


def retrieve(call: Call) -> Object:
    """``GET /v1/payouts/{id}``."""
    call.params.close()
    return call.load("payout", call.target, param="id")[0]


def list_all(call: Call) -> Object:
    """``GET /v1/payouts``, by status or destination when asked."""
    params = call.params
    filters = {
        "json_extract(body, '$.status')": params.text("status"),
        "json_extract(body, '$.destination')": params.text("destination"),
    }
    return page(call, "payout", filters, moments={"arrival_date": "json_extract(body, '$.arrival_date')"})
