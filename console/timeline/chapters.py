"""The timeline of a payment: what pay-in tells, and beside it what every other app knows of it."""

from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from django.utils.translation import gettext as _

from console.timeline.payouts import payout_chapters
from console.timeline.proofs import proof_chapters
from core.story import Amount, Chapter, Step
from events.selectors import deliveries_about
from events.types import DeliveryData
from merchants.selectors import owner_names
from payments.selectors import PaymentParts, parts_of_payment, story_of
from wallet.selectors import moves_of_entries

__all__ = ["timeline"]

# What stands first of what happened in the same moment.
_ORDER = (
    "request",
    "risk",
    "exchange",
    "webhook",
    "wallet",
    "books",
    "settlement",
    "bank",
    "break",
    "payout",
)


def timeline(
    *,
    merchant_id: UUID,
    checkout_id: UUID,
    order_id: UUID | None = None,
    may: Callable[[str], bool],
) -> list[Chapter]:
    """Return what happened to a checkout, or to one order of it, in order, as far as a person may see it.

    `may` says whether the person has a right. Entries and evidence are among the chapters whoever asks: the
    layout leaves out what is not for the person.
    """
    parts = parts_of_payment(merchant_id=merchant_id, checkout_id=checkout_id, order_id=order_id)
    if parts is None:
        return []
    chapters = story_of(merchant_id=merchant_id, checkout_id=checkout_id, order_id=order_id)
    may_see_files = may("reconciliation.view_settlementfile")
    if may("wallet.view_wallet"):
        chapters += [*_wallets(merchant_id, chapters)]
    if may_see_files:
        chapters += proof_chapters(parts)
    if may("payouts.view_payout"):
        chapters += payout_chapters(parts, may_see_files=may_see_files)
    if may("events.view_webhookdelivery"):
        chapters += _told(parts)
    return sorted(chapters, key=lambda each: (each.at, _place(each.kind)))


def _place(kind: str) -> int:
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def _wallets(merchant_id: UUID, chapters: Iterable[Chapter]) -> Iterator[Chapter]:
    """What each entry did to wallets, beside the entry."""
    entries = {int(step.key): each for each in chapters if each.kind == "books" for step in each.steps}
    moves = moves_of_entries(merchant_id=merchant_id, entry_ids=list(entries))
    names = owner_names(owner_ids={each.wallet.owner_id for each in moves})
    for entry_id, entry in entries.items():
        steps = tuple(
            Step(
                at=entry.at,
                what=f"{names.get(each.wallet.owner_id, each.wallet.owner_type)}: {each.bucket}",
                key=str(each.wallet.id),
                amounts=(
                    Amount(_("Moved"), each.delta_minor, each.wallet.currency),
                    Amount(_("Then"), each.balance_after_minor, each.wallet.currency),
                ),
            )
            for each in moves
            if each.entry_id == entry_id
        )
        if steps:
            yield Chapter("wallet", _("Wallets"), entry.at, steps)


def _told(parts: PaymentParts) -> Iterator[Chapter]:
    """What the store was told, and how each delivery of it went."""
    for event, deliveries in deliveries_about(merchant_id=parts.merchant_id, subjects=parts.subjects):
        steps = tuple(_delivery(each) for each in deliveries)
        alone = Step(
            at=event.occurred_at, what=_("event"), why=f"{event.public_id} · {_('no endpoint wanted it')}"
        )
        title = _("Webhook to the store: %(type)s") % {"type": event.type}
        yield Chapter("told", title, event.occurred_at, steps or (alone,))


def _delivery(delivery: DeliveryData) -> Step:
    last = delivery.tries[-1] if delivery.tries else None
    if last is None:
        why = _("not tried yet")
    else:
        answer = str(last.http_status) if last.http_status else last.error or _("no answer")
        why = _("try %(number)s: %(answer)s, %(ms)s ms") % {
            "number": last.number,
            "answer": answer,
            "ms": last.duration_ms,
        }
    return Step(
        at=last.at if last else delivery.created_at,
        what=_("delivery"),
        state=delivery.status,
        why=why,
        key=str(delivery.id),
    )
