"""Payments from a buyer's balance: each part is a hold of its own, made, settled and released in batches.

Such a hold has no time of its own: whoever made it for an order ends it, because only they know whether the
order may still be paid. The postings come last in the caller's transaction.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from uuid import UUID

from core import clock
from core.history import Changes
from core.ids import uuid7
from core.rows import new_row
from core.transactions import requires_transaction
from ledger.templates.accounts import BuyerAccounts
from ledger.templates.entry import Posting
from ledger.templates.wallet import hold_try_entry
from ledger.types import EntryDraft
from wallet.hold_facts import hold_data
from wallet.locks import lock_holds
from wallet.models import GrantUse, Hold
from wallet.purposes import Place, place_of
from wallet.selectors import accounts_of
from wallet.services.holds import release_holds
from wallet.services.posting import moves_for, post
from wallet.states import OPEN
from wallet.types import HoldData, PartHold, PointsPart

__all__ = ["buyer_accounts", "hold_parts", "pay_parts", "points_of", "release_parts", "settle_parts"]

Entries = Callable[[], Sequence[EntryDraft]]

_USE = """
    UPDATE wallet_grant SET used_minor = used_minor + %s, used_value_minor = used_value_minor + %s
    WHERE id = %s
"""


@requires_transaction
def hold_parts(
    *, merchant_id: UUID, parts: Sequence[PartHold], changes: Changes, by: str, why: str
) -> list[HoldData]:
    """Set aside what was planned (W3); return the holds in the order of the parts.

    They are written with the caller's changes and posted last. `changes.save` raises InsufficientFunds when
    a wallet has less by then.
    """
    holds = _insert(merchant_id, parts, changes, by=by, why=why)
    changes.last(lambda: _post(_tries(holds, parts)))
    return [hold_data(hold) for hold in holds]


@requires_transaction
def pay_parts(
    *,
    merchant_id: UUID,
    parts: Sequence[PartHold],
    entries: Callable[[Sequence[HoldData]], Entries],
    changes: Changes,
    by: str,
    why: str,
) -> list[HoldData]:
    """Set aside what was planned and let it go where `entries` say, in one posting (W3 with W4, W2b, W2c).

    `entries` is given the holds, and what it returns makes their confirming entries when everything else is
    written. Raises as `hold_parts`.
    """
    holds = _insert(merchant_id, parts, changes, by=by, why=why)
    placed = [hold_data(hold) for hold in holds]
    _settle(holds, changes, by=by)
    confirm = entries(placed)
    changes.last(lambda: _post([*_tries(holds, parts), *confirm()]))
    return placed


@requires_transaction
def settle_parts(
    *, merchant_id: UUID, hold_ids: Collection[UUID], entries: Entries, changes: Changes, by: str
) -> None:
    """Let what is held go where `entries` say, whole. Raises TransitionNotAllowed unless all are open."""
    _settle(lock_holds(merchant_id=merchant_id, hold_ids=hold_ids), changes, by=by)
    changes.last(lambda: _post(entries()))


@requires_transaction
def release_parts(
    *, merchant_id: UUID, hold_ids: Collection[UUID], changes: Changes, by: str, why: str
) -> None:
    """Give back what is held, points to the grants that they were of (W6); what was released stays so."""
    if hold_ids:
        changes.last(lambda: _release(merchant_id, hold_ids, by=by, why=why))


@requires_transaction
def points_of(*, hold_ids: Collection[UUID]) -> dict[UUID, tuple[PointsPart, ...]]:
    """Return of which grants the points of each hold are; holds of money are absent."""
    found: dict[UUID, tuple[PointsPart, ...]] = {}
    for use in GrantUse.objects.filter(hold_id__in=hold_ids).order_by("grant_id"):
        part = PointsPart(use.grant_id, use.units_minor, use.value_minor)
        found[use.hold_id] = (*found.get(use.hold_id, ()), part)
    return found


@requires_transaction
def buyer_accounts(*, merchant_id: UUID, wallet_id: UUID) -> BuyerAccounts:
    """Return the accounts between which payments from a buyer's wallet are held."""
    accounts, place = _place(merchant_id, wallet_id)
    return BuyerAccounts(available=accounts[place.available], held=accounts[place.held])


def _place(merchant_id: UUID, wallet_id: UUID) -> tuple[dict[str, int], Place]:
    accounts = accounts_of(merchant_id=merchant_id, wallet_id=wallet_id)
    return accounts, place_of(purpose="payment", accounts=accounts)


def _insert(
    merchant_id: UUID, parts: Sequence[PartHold], changes: Changes, *, by: str, why: str
) -> list[Hold]:
    at = clock.now()
    places = {each.part.wallet_id: _place(merchant_id, each.part.wallet_id)[1] for each in parts}
    holds = [
        Hold(
            id=uuid7(),
            merchant_id=merchant_id,
            wallet_id=each.part.wallet_id,
            purpose="payment",
            subject=each.subject,
            role=places[each.part.wallet_id].held,
            amount_minor=each.part.units_minor,
            created_at=at,
            updated_at=at,
        )
        for each in parts
    ]
    for hold in holds:
        changes.begin(hold, why=why, by=by)
    changes.insert(holds)
    changes.insert(list(_uses(holds, parts)))
    for part in (each.part for each in parts):
        for points in part.points:
            changes.run(_USE, [points.units_minor, points.value_minor, points.grant_id])
    return holds


def _uses(holds: Sequence[Hold], parts: Sequence[PartHold]) -> Iterable[GrantUse]:
    for hold, each in zip(holds, parts, strict=True):
        for points in each.part.points:
            yield new_row(
                GrantUse,
                merchant_id=hold.merchant_id,
                hold_id=hold.id,
                grant_id=points.grant_id,
                units_minor=points.units_minor,
                value_minor=points.value_minor,
            )


def _settle(holds: Sequence[Hold], changes: Changes, *, by: str) -> None:
    on = clock.today()
    for hold in holds:
        changes.move(
            hold,
            hold.to_settled,
            why="confirmed",
            by=by,
            settled_minor=hold.amount_minor,
            resolved_on=on,
        )


def _release(merchant_id: UUID, hold_ids: Collection[UUID], *, by: str, why: str) -> None:
    held = [hold for hold in lock_holds(merchant_id=merchant_id, hold_ids=hold_ids) if hold.state == OPEN]
    release_holds(holds=held, by=by, why=why)
    # After the posting, which locked the wallets: whoever plans locks a wallet before its grants.
    changes = Changes()
    for use in GrantUse.objects.filter(hold__in=held).order_by("grant_id", "id"):
        changes.run(_USE, [-use.units_minor, -use.value_minor, use.grant_id])
    changes.save()


def _tries(holds: Sequence[Hold], parts: Sequence[PartHold]) -> list[EntryDraft]:
    return [
        hold_try_entry(
            posting=Posting(hold.merchant_id, each.part.currency, hold.created_at.date()),
            buyer=buyer_accounts(merchant_id=hold.merchant_id, wallet_id=hold.wallet_id),
            hold_id=hold.id,
            amount_minor=hold.amount_minor,
        )
        for hold, each in zip(holds, parts, strict=True)
    ]


def _post(drafts: Sequence[EntryDraft]) -> None:
    if drafts:
        post(drafts=drafts, moves=moves_for(drafts=drafts))
