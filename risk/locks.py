"""Row locks of this app. A check is locked after everything of the payment that it is about."""

from uuid import UUID

from core.errors import NotFound
from core.transactions import requires_transaction
from risk.models import RiskCheck, RiskListEntry, RiskRule, RiskVendor

__all__ = ["lock_check", "lock_list_entry", "lock_rule", "lock_vendor", "lock_versions"]


@requires_transaction
def lock_check(*, check_id: UUID) -> RiskCheck:
    """Return a check, locked. Raises NotFound."""
    row = RiskCheck.objects.select_for_update(no_key=True, of=("self",)).filter(pk=check_id).first()
    if row is None:
        raise NotFound()
    return row


@requires_transaction
def lock_rule(*, rule_id: UUID) -> RiskRule:
    """Return one version of a rule, locked. Raises NotFound."""
    row = RiskRule.objects.select_for_update(no_key=True, of=("self",)).filter(pk=rule_id).first()
    if row is None:
        raise NotFound()
    return row


@requires_transaction
def lock_versions(*, merchant_id: UUID, name: str) -> list[RiskRule]:
    """Return every version of a rule, oldest first, locked."""
    rows = RiskRule.objects.select_for_update(no_key=True, of=("self",))
    return list(rows.filter(merchant_id=merchant_id, name=name).order_by("version"))


@requires_transaction
def lock_list_entry(*, entry_id: UUID) -> RiskListEntry:
    """Return an entry of a list, locked. Raises NotFound."""
    row = RiskListEntry.objects.select_for_update(no_key=True, of=("self",)).filter(pk=entry_id).first()
    if row is None:
        raise NotFound()
    return row


@requires_transaction
def lock_vendor(*, merchant_id: UUID) -> RiskVendor | None:
    """Return the merchant's vendor, locked, if there is one."""
    rows = RiskVendor.objects.select_for_update(no_key=True, of=("self",))
    return rows.filter(merchant_id=merchant_id).first()
