"""The money of a top-up: into the wallet when it is captured (W1), or pending first on a slow rail (W1b)."""

from datetime import datetime, timedelta
from uuid import UUID

from channels.selectors import get_channel
from core import clock
from core.history import Changes
from core.transactions import at_edge, forbids_transaction, requires_transaction
from ledger.services import open_account
from ledger.templates.entry import Posting
from ledger.templates.wallet import top_up_entry, top_up_final_entry, top_up_pending_entry
from ledger.types import EntryDraft
from payments.engine.assessment import note_paid
from payments.engine.facts import order_fact
from payments.engine.top_up_returns import pending_left
from payments.locks import ChargeScope, lock_top_up
from payments.models import PspOperation, TopUp
from payments.psp.contract import PspObject
from wallet.selectors import accounts_of
from wallet.services import moves_for, post

__all__ = ["SLOW", "book_top_up", "clear_top_up", "due_clearings"]

# A channel's capability: so many hours the provider can still take a top-up back, and so long it is pending.
SLOW = "top_up_clearing_hours"
PORTION = 100


@requires_transaction
def book_top_up(
    scope: ChargeScope, operation: PspOperation | None, seen: PspObject, changes: Changes
) -> None:
    """Record that a top-up was captured, and post it; what `book_capture` is to a checkout."""
    top_up, at = scope.top_up, clock.now()
    assert top_up is not None, "a charge without a checkout is of a top-up"
    if operation is not None and operation.status in ("SENT", "UNKNOWN", "PENDING"):
        changes.move(operation, operation.to_succeeded, why="captured")
    changes.move(
        scope.charge,
        scope.charge.to_captured,
        why="captured",
        captured_minor=seen.captured_minor,
        psp_reference=seen.reference,
    )
    note_paid(scope, seen, changes)
    changes.move(
        top_up,
        top_up.to_success,
        why="captured",
        fact=order_fact(scope, top_up, "succeeded"),
        credited_minor=top_up.amount_minor,
        available_at=_available_at(scope, at),
    )
    changes.last(lambda: _post([_captured(scope, top_up, at)]))


@forbids_transaction
def clear_top_up(*, top_up_id: UUID) -> None:
    """Make the money of a slow top-up available when its time has come, in a transaction of its own."""
    _clear(top_up_id)


def due_clearings(*, limit: int = PORTION) -> list[UUID]:
    """Return paid top-ups whose money may be spent from now on, the oldest first."""
    due = TopUp.objects.filter(status="SUCCESS", available=False, available_at__lte=clock.now())
    return list(due.order_by("available_at").values_list("id", flat=True)[:limit])


@at_edge
def _clear(top_up_id: UUID) -> None:
    scope, at = lock_top_up(top_up_id=top_up_id), clock.now()
    top_up = scope.top_up if scope else None
    if scope is None or top_up is None or top_up.available or top_up.status != "SUCCESS":
        return
    if top_up.available_at is None or top_up.available_at > at:
        return
    top_up.available, top_up.updated_at = True, at
    top_up.save(update_fields=["available", "updated_at"])
    changes = Changes()
    changes.emit(top_up, order_fact(scope, top_up, "available"))
    left = pending_left(top_up)
    if left:
        changes.last(lambda: _post([_final(scope, top_up, at, left)]))
    changes.save()


def _available_at(scope: ChargeScope, at: datetime) -> datetime | None:
    hours = get_channel(channel_id=scope.charge.channel_id).capabilities.get(SLOW) or 0
    return at + timedelta(hours=int(hours)) if hours else None


def _captured(scope: ChargeScope, top_up: TopUp, at: datetime) -> EntryDraft:
    charge = scope.charge
    accounts = accounts_of(merchant_id=top_up.merchant_id, wallet_id=top_up.wallet_id)
    currency = str(top_up.amount_currency)
    posting = Posting(top_up.merchant_id, currency, at.date())
    clearing = open_account(
        merchant_id=top_up.merchant_id,
        role="psp_clearing",
        currency=currency,
        provider=get_channel(channel_id=charge.channel_id).name,
    )
    if top_up.available_at is not None:
        return top_up_pending_entry(
            posting=posting,
            psp_clearing=clearing,
            wallet_pending=accounts["wallet_pending"],
            charge_id=charge.id,
            amount_minor=top_up.amount_minor,
        )
    return top_up_entry(
        posting=posting,
        psp_clearing=clearing,
        wallet_available=accounts["wallet_available"],
        charge_id=charge.id,
        amount_minor=top_up.amount_minor,
    )


def _final(scope: ChargeScope, top_up: TopUp, at: datetime, left_minor: int) -> EntryDraft:
    accounts = accounts_of(merchant_id=top_up.merchant_id, wallet_id=top_up.wallet_id)
    return top_up_final_entry(
        posting=Posting(top_up.merchant_id, str(top_up.amount_currency), at.date()),
        wallet_pending=accounts["wallet_pending"],
        wallet_available=accounts["wallet_available"],
        charge_id=scope.charge.id,
        amount_minor=left_minor,
    )


def _post(drafts: list[EntryDraft]) -> None:
    post(drafts=drafts, moves=moves_for(drafts=drafts))
