"""The entries of refunds: what is posted when one is accepted, succeeds, fails, or goes to a wallet."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from channels.selectors import get_channel
from core import clock
from core.history import SYSTEM
from core.transactions import requires_transaction
from ledger.selectors import entries_of_event
from ledger.services import correct_entries, open_account, post_entries
from ledger.templates.accounts import ReturnAccounts
from ledger.templates.cover import SellerPart
from ledger.templates.entry import Posting
from ledger.templates.refunds import (
    FailedOrder,
    ReturnedOrder,
    refund_entry,
    refund_failure_entry,
    refund_netting_entry,
    wallet_refund_entry,
)
from ledger.types import EntryDraft
from payments.engine.cover import Restoring, Taking, give_back_to_sellers, take_from_sellers
from payments.engine.refunds.balance import give_points_back, to_balance
from payments.models import Charge, OrderShare, PaymentOrder, Refund, RefundLine, RefundPart
from wallet.selectors import accounts_of
from wallet.services import post_netted

__all__ = ["post_accepted", "post_failed", "post_netted_by_provider"]


@requires_transaction
def post_accepted(
    refund: Refund,
    lines: Sequence[RefundLine],
    orders: Mapping[UUID, PaymentOrder],
    shares: Mapping[UUID, OrderShare],
    charge: Charge | None,
    parts_back: Sequence[RefundPart] = (),
    *,
    by: str = SYSTEM,
) -> None:
    """Take the money from who gives it: into transit to the buyer's card (R1, R4, R5), or to a wallet (W7).

    To the wallets that paid it goes as `parts_back` say (W7, W7b, W7c). Orders and shares are locked, by
    order id; the wallets are locked here, all by id, so call it last.
    """
    takings = [Taking(orders[each.order_id], shares[each.order_id], each.seller_minor) for each in lines]
    also = [refund.wallet_id] if refund.wallet_id is not None else []
    also += [each.balance_part.wallet_id for each in parts_back]
    parts = take_from_sellers(takings=takings, by=by, also=also)
    returned = [_returned(each, parts[each.order_id]) for each in lines]
    give_points_back(refund, parts_back)
    post_netted(drafts=[_accepted(refund, returned, charge, parts_back)])


@requires_transaction
def post_netted_by_provider(refund: Refund, charge: Charge) -> None:
    """The provider took the refund from what it owes us (R2)."""
    post_entries(drafts=[_netted(refund, charge)])


@requires_transaction
def post_failed(
    refund: Refund,
    lines: Sequence[RefundLine],
    orders: Mapping[UUID, PaymentOrder],
    charge: Charge,
    *,
    had_succeeded: bool,
) -> None:
    """Give everything back to who gave it (R3); what the provider had taken, it owes us again."""
    if had_succeeded:
        correct_entries(
            merchant_id=refund.merchant_id,
            entry_ids=_entries(refund, "netted"),
            effective_date=max(clock.today(), _day_of_success(refund)),
            reason="the refund came back",
            actor=SYSTEM,
        )
    restored = give_back_to_sellers(
        restorings=[Restoring(orders[each.order_id], each.seller_minor) for each in lines]
    )
    failed = [FailedOrder(*restored[each.order_id], each.commission_minor, each.tax_minor) for each in lines]
    draft = refund_failure_entry(
        posting=_posting(refund),
        accounts=_return_accounts(refund),
        refunds_in_transit=_account(refund, "refunds_in_transit", charge),
        refund_id=refund.id,
        orders=failed,
    )
    post_netted(drafts=[draft])


def _accepted(
    refund: Refund,
    returned: Sequence[ReturnedOrder],
    charge: Charge | None,
    parts_back: Sequence[RefundPart],
) -> EntryDraft:
    if refund.destination == "balance":
        return to_balance(refund, parts_back, _return_accounts(refund), returned)
    if refund.wallet_id is not None:
        accounts = accounts_of(merchant_id=refund.merchant_id, wallet_id=refund.wallet_id)
        return wallet_refund_entry(
            posting=_posting(refund),
            accounts=_return_accounts(refund),
            wallet_available=accounts["wallet_available"],
            refund_id=refund.id,
            orders=returned,
        )
    assert charge is not None, "what goes back to an instrument was taken by a charge"
    return refund_entry(
        posting=_posting(refund),
        accounts=_return_accounts(refund),
        refunds_in_transit=_account(refund, "refunds_in_transit", charge),
        refund_id=refund.id,
        orders=returned,
    )


def _returned(line: RefundLine, part: SellerPart) -> ReturnedOrder:
    return ReturnedOrder(part=part, commission_minor=line.commission_minor, tax_minor=line.tax_minor)


def _netted(refund: Refund, charge: Charge) -> EntryDraft:
    return refund_netting_entry(
        posting=Posting(refund.merchant_id, refund.amount_currency, _day_of_success(refund)),
        refunds_in_transit=_account(refund, "refunds_in_transit", charge),
        psp_fee=_account(refund, "psp_fee", charge),
        psp_clearing=_account(refund, "psp_clearing", charge),
        refund_id=refund.id,
        charge_id=charge.id,
        amount_minor=refund.amount_minor,
    )


def _entries(refund: Refund, leg: str) -> list[int]:
    told = entries_of_event(merchant_id=refund.merchant_id, source="refund", source_ref=str(refund.id))
    return [entry_id for entry_id, its_leg, *_ in told if its_leg == leg]


def _day_of_success(refund: Refund) -> date:
    assert refund.succeeded_at is not None, "the database refuses a success without its time"
    return refund.succeeded_at.date()


def _posting(refund: Refund) -> Posting:
    return Posting(refund.merchant_id, refund.amount_currency, clock.today())


def _return_accounts(refund: Refund) -> ReturnAccounts:
    return ReturnAccounts(
        commission_refunded=_account(refund, "commission_refunded"),
        tax_payable=_account(refund, "tax_payable"),
    )


def _account(refund: Refund, role: str, charge: Charge | None = None) -> int:
    provider = get_channel(channel_id=charge.channel_id).name if charge else None
    return open_account(
        merchant_id=refund.merchant_id, role=role, currency=refund.amount_currency, provider=provider
    )
