"""A payment that its provider denies (A4): who bears it, and what happens when it comes after all (A12).

The sellers give back what they were credited for it, in the order of cover of every return (R4): what the
order has pending, what they may spend, its reserve, then a debt; the marketplace gives its commission and the
tax. What nobody can be asked for, because it went back to the buyer before, is the marketplace's loss, and so
is all of it where two people say so. The proposal says who bears how much; out of which pocket a seller's
part comes is decided when it is posted.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from core import clock
from core.transactions import requires_transaction
from ledger.services import land_entries
from ledger.templates.accounts import ReturnAccounts
from ledger.templates.adjustments import denial_undone_entry, denied_capture_entry
from ledger.templates.entry import Posting
from ledger.types import EntryRef
from payments.selectors import what_denial_takes
from payments.services import deny_capture, undo_denial
from payments.types import OrderPart
from reconciliation.errors import AdjustmentInvalid
from reconciliation.models import Adjustment, Discrepancy
from reconciliation.resolving.books import AdjustmentBooks, books_for
from reconciliation.resolving.facts import Facts
from reconciliation.resolving.templates import Made, amount_for
from wallet.services import post_netted

__all__ = ["BEARERS", "DENIED", "Denial", "plan_denied", "post_denied", "undo_denied"]

DENIED = "A4"
BEARERS = ("seller", "platform")
_COVER = "seller_cover"


@dataclass(frozen=True)
class Denial:
    """What is denied of a charge, in minor units, and who bears it."""

    charge_id: UUID
    amount_minor: int
    parts: tuple[OrderPart, ...]

    @property
    def loss_minor(self) -> int:
        """What the marketplace bears."""
        return self.amount_minor - sum(part.amount_minor for part in self.parts)


@requires_transaction
def plan_denied(facts: Facts, parameters: dict[str, Any], books: AdjustmentBooks) -> tuple[Made, Denial]:
    """Return what A4 posts for a break, and of what. Raises AdjustmentInvalid."""
    bearer = parameters.get("borne_by", BEARERS[0])
    if bearer not in BEARERS:
        raise AdjustmentInvalid("It is borne by the seller or by the platform.", param="parameters")
    others = {name: value for name, value in parameters.items() if name != "borne_by"}
    minor = amount_for(DENIED, facts, others)
    charge_id = facts.row.subject_id
    assert charge_id is not None, "what A4 fits is about a charge"
    parts = what_denial_takes(charge_id=charge_id, amount_minor=minor) if bearer == BEARERS[0] else ()
    denial = Denial(charge_id, minor, parts)
    return Made(minor, (), _lines(denial, facts.row.currency, books)), denial


@requires_transaction
def post_denied(adjustment: Adjustment, denial: Denial, books: AdjustmentBooks, *, by: str) -> EntryRef:
    """Post A4 for an adjustment that got its yes. Call it last: it locks the sellers' wallets."""
    orders = deny_capture(
        charge_id=denial.charge_id, amount_minor=denial.amount_minor, adjustment_id=adjustment.id, by=by
    ) if denial.parts else []  # fmt: skip
    day = date.fromisoformat(adjustment.instruction["effective_date"])
    draft = denied_capture_entry(
        posting=Posting(adjustment.merchant_id, adjustment.currency, day),
        accounts=_returns(books),
        psp_clearing=books.account("psp_clearing"),
        recon_loss=books.account("recon_loss"),
        adjustment_id=adjustment.id,
        charge_id=denial.charge_id,
        orders=orders,
        loss_minor=denial.loss_minor,
    )
    [ref] = post_netted(drafts=land_entries(drafts=[draft]))
    return ref


@requires_transaction
def undo_denied(row: Discrepancy, adjustment: Adjustment, *, back_id: UUID) -> EntryRef | None:
    """Post A12 for an adjustment by which sellers bore something; None where they bore nothing."""
    orders = undo_denial(adjustment_id=adjustment.id)
    if not orders or row.source is None or row.subject_id is None:
        return None
    books = books_for(row.source, row.currency)
    given = sum(
        each.restored.receivable_minor
        + each.restored.available_minor
        + each.commission_minor
        + each.tax_minor
        for each in orders
    )
    draft = denial_undone_entry(
        posting=Posting(row.merchant_id, row.currency, clock.today()),
        accounts=_returns(books),
        psp_clearing=books.account("psp_clearing"),
        recon_loss=books.account("recon_loss"),
        adjustment_id=back_id,
        charge_id=row.subject_id,
        orders=orders,
        loss_minor=adjustment.amount_minor - given,
    )
    [ref] = post_netted(drafts=land_entries(drafts=[draft]))
    return ref


def _returns(books: AdjustmentBooks) -> ReturnAccounts:
    return ReturnAccounts(books.account("commission_refunded"), books.account("tax_payable"))


def _lines(denial: Denial, currency: str, books: AdjustmentBooks) -> list[dict[str, Any]]:
    def line(role: str, minor: int, **more: Any) -> dict[str, Any]:
        told = {"provider": None, "currency": currency, "amount_minor": minor, "clearing_key": None}
        return {"role": role, **told, **more}

    found = [line(_COVER, each.seller_minor, owner=each.seller_account) for each in denial.parts]
    found += [
        line("commission_refunded", sum(each.commission_minor for each in denial.parts)),
        line("tax_payable", sum(each.tax_minor for each in denial.parts)),
        line("recon_loss", denial.loss_minor),
        line(
            "psp_clearing",
            -denial.amount_minor,
            provider=books.provider,
            clearing_key=str(denial.charge_id),
        ),
    ]
    return [each for each in found if each["amount_minor"]]
