"""Who gives how much of a refund: pro rata, cumulatively, so that many parts close as exactly as one."""

from uuid import UUID

from django.db.models import Sum

from core.ids import public_id
from core.settings_store import Declared, get_setting
from ledger.templates.capture import Share
from ledger.templates.splits import refund_share
from payments.models import DenialLine, DisputeLine, OrderShare, PaymentOrder, RefundLine, ReversalLine
from payments.states import REFUND_DEAD

__all__ = ["RETURNS_COMMISSION", "divide", "left_to_refund", "returned_so_far", "returns_commission"]

RETURNS_COMMISSION = Declared(
    name="payments.refund_returns_commission",
    says="Whether the marketplace gives back its commission, and the tax on it, with a refund; if not, the"
    " seller bears all of it. It holds for refunds that are asked for from then on. The scope is a mer_…",
    kind=bool,
    default=True,
)


def returns_commission(*, merchant_id: UUID) -> bool:
    """Return the policy that holds for a merchant now."""
    return bool(get_setting(name=RETURNS_COMMISSION.name, scope=public_id("mer", merchant_id)))


def left_to_refund(order: PaymentOrder) -> int:
    """Return what of a locked order can still be refunded, in minor units; 0 when nothing was captured."""
    gone = order.refund_reserved_minor + order.dispute_reserved_minor + order.reversed_minor
    return max(order.captured_minor - gone, 0)


def returned_so_far(*, order_id: UUID) -> Share:
    """Return what the parts of a locked order have given back with their commission, or are giving.

    Through refunds, through disputes that are open or lost, and through what the rail took back or the
    provider denies.
    """
    refunded = RefundLine.objects.filter(order_id=order_id, refund__returns_commission=True)
    given = (
        refunded.exclude(refund__status__in=REFUND_DEAD),
        DisputeLine.objects.filter(order_id=order_id, is_reserved=True),
        ReversalLine.objects.filter(order_id=order_id),
        DenialLine.objects.filter(order_id=order_id, denial__ended_at__isnull=True),
    )
    sums = [
        rows.aggregate(seller=Sum("seller_minor"), commission=Sum("commission_minor"), tax=Sum("tax_minor"))
        for rows in given
    ]
    return Share(
        seller_net_minor=sum(int(each["seller"] or 0) for each in sums),
        commission_minor=sum(int(each["commission"] or 0) for each in sums),
        tax_minor=sum(int(each["tax"] or 0) for each in sums),
    )


def divide(*, share: OrderShare, returned: Share, amount_minor: int, with_commission: bool) -> Share:
    """Return who gives what of one refund of an order, in minor units.

    Each part is round(part x refunded so far / captured) less what it gave before (BOOKS R1); without the
    commission the seller gives all (R5). What a provider returned beyond the capture is the seller's alone.
    """
    if not with_commission:
        return Share(seller_net_minor=amount_minor, commission_minor=0, tax_minor=0)
    whole = Share(share.seller_net_minor, share.commission_minor, share.tax_minor)
    # What a provider returned beyond the capture was given by the seller before, and is no part of the whole.
    beyond_before = max(returned.seller_net_minor - whole.seller_net_minor, 0)
    before = Share(returned.seller_net_minor - beyond_before, returned.commission_minor, returned.tax_minor)
    within = min(amount_minor, whole.amount_minor - before.amount_minor)
    part = refund_share(share=whole, returned=before, amount_minor=within)
    return Share(
        seller_net_minor=part.seller_net_minor + amount_minor - within,
        commission_minor=part.commission_minor,
        tax_minor=part.tax_minor,
    )
