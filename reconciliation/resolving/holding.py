"""What must be locked before the break of a decision is: pay-in's rows, and breaks that end together."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from core.models import Approval
from core.transactions import requires_transaction
from payments.services import hold_charge, hold_order
from reconciliation.locks import lock_discrepancies
from reconciliation.models import Adjustment
from reconciliation.resolving.at_bank import other_break
from reconciliation.resolving.denying import DENIED
from reconciliation.resolving.meanings import IDENTIFIED

__all__ = ["ACTION", "REOPEN", "hold_for_taking_back", "hold_for_yes"]

ACTION = "adjustment.post"
REOPEN = "discrepancy.reopen"


@requires_transaction
def hold_for_yes(approval_ids: Collection[UUID]) -> None:
    """Lock what changes beside their breaks if these proposals get a yes; nothing for other approvals."""
    asked = Approval.objects.filter(pk__in=approval_ids, action=ACTION).values_list("instruction", flat=True)
    _hold(_adjustments(asked), orders=True)


@requires_transaction
def hold_for_taking_back(approval_id: UUID) -> None:
    """Lock what changes beside the break when what was posted for it is taken back."""
    asked = Approval.objects.filter(pk=approval_id, action=REOPEN).first()
    _hold(_adjustments(asked.instruction["takes_back"] if asked else ()), orders=False)


def _adjustments(told: Iterable[Mapping[str, Any]]) -> list[Adjustment]:
    keys = [each["adjustment"] for each in told]
    return list(Adjustment.objects.filter(pk__in=keys).select_related("discrepancy").order_by("pk"))


def _hold(adjustments: Collection[Adjustment], *, orders: bool) -> None:
    together: list[UUID] = []
    for each in adjustments:
        said, about = each.instruction["parameters"], each.discrepancy
        if each.template == IDENTIFIED and orders:
            hold_order(merchant_id=each.merchant_id, order=said["order"])
        elif each.template == DENIED and about.subject_id is not None:
            hold_charge(charge_id=about.subject_id)
        elif (other := other_break(each.template, said)) is not None:
            together += [about.id, other]
    if together:
        lock_discrepancies(ids=together)
