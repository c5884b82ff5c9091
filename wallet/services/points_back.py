"""Points that a refund gives back to the grants that they were of."""

from collections.abc import Sequence
from uuid import UUID

from core import clock
from core.history import Changes
from core.rows import new_row
from core.transactions import requires_transaction
from wallet.models import GrantReturn, GrantUse
from wallet.types import PointsPart

__all__ = ["return_points"]

_GIVE_BACK = """
    UPDATE wallet_grant SET used_minor = used_minor - %s, used_value_minor = used_value_minor - %s
    WHERE id = %s
"""


@requires_transaction
def return_points(*, merchant_id: UUID, hold_id: UUID, reference: str, points: Sequence[PointsPart]) -> None:
    """Let points that a settled hold took be what is left of their grants again, under a reference once.

    Call it when the points wallet is locked, and post the entry that credits it in the same transaction: a
    wallet comes before its grants, as for whoever plans a payment. The caller knows how much of the hold
    went back before; an audit compares. Raises KeyError for a grant that the hold took nothing of.
    """
    uses = {use.grant_id: use for use in GrantUse.objects.filter(merchant_id=merchant_id, hold_id=hold_id)}
    changes, at = Changes(), clock.now()
    for part in sorted(points, key=lambda each: each.grant_id):
        row = new_row(
            GrantReturn,
            merchant_id=merchant_id,
            use_id=uses[part.grant_id].id,
            reference=reference,
            units_minor=part.units_minor,
            value_minor=part.value_minor,
            returned_at=at,
        )
        changes.run(_GIVE_BACK, [part.units_minor, part.value_minor, part.grant_id])
        changes.insert([row])
    changes.save()
