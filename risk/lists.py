"""Lists of values to block, to trust or to look at, as people change them. All audited, values excepted."""

import re
from uuid import UUID

from django.db import IntegrityError, transaction

from core import clock
from core.audit_trail import record_audit, required_reason
from core.card_data import CardDataForbidden, contains_card_number
from core.errors import NotFound
from core.transactions import UNIQUE_VIOLATION, requires_transaction, sqlstate
from risk.digests import digest, secret_of
from risk.errors import ListEntryExists, ListExists, RuleInvalid, RuleStateConflict
from risk.kinds import LIST_KEYS
from risk.locks import lock_list_entry
from risk.models import RiskList, RiskListEntry

__all__ = ["add_to_list", "create_list", "remove_from_list"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_LONGEST = 254


@requires_transaction
def create_list(*, merchant_id: UUID, name: str, kind: str, key_kind: str, by: str) -> UUID:
    """Make a list; `kind` is block, allow or review, `key_kind` what its values are. Return its id.

    It has an effect once a rule of the kind list_hit names it. Errors: RuleInvalid, ListExists.
    """
    if not _NAME.fullmatch(name):
        raise RuleInvalid("A name is a to z, 0 to 9, - and _, at most 64 of them.", param="name")
    if kind not in ("block", "allow", "review"):
        raise RuleInvalid("Block, allow or review.", param="kind")
    if key_kind not in LIST_KEYS:
        raise RuleInvalid(f"One of {', '.join(LIST_KEYS)}.", param="key_kind")
    row = RiskList(
        merchant_id=merchant_id,
        name=name,
        kind=kind,
        key_kind=key_kind,
        created_by=by,
        created_at=clock.now(),
    )
    _insert(row, ListExists(param="name"))
    record_audit(
        actor=by,
        action="risk_list.create",
        subject=f"risk_list:{name}",
        detail={"list": str(row.pk), "kind": kind, "key_kind": key_kind},
        merchant_id=merchant_id,
    )
    return row.pk


@requires_transaction
def add_to_list(*, list_id: UUID, value: str, by: str, reason: str) -> UUID:
    """Put a value on a list; return the id of the entry. It counts at once.

    Errors: ReasonRequired, NotFound, RuleInvalid, ListEntryExists, CardDataForbidden.
    """
    reason = required_reason(reason)
    parent = RiskList.objects.filter(pk=list_id).first()
    if parent is None:
        raise NotFound()
    if contains_card_number(value):
        raise CardDataForbidden(param="value")
    secret, _ = secret_of(merchant_id=parent.merchant_id)
    token = digest(secret, parent.key_kind, value)
    if token is None or len(value) > _LONGEST or "\x00" in value:
        raise RuleInvalid("Give a value of one to 254 characters.", param="value")
    row = RiskListEntry(
        merchant_id=parent.merchant_id,
        list=parent,
        digest=token,
        value=value.strip(),
        reason=reason,
        added_by=by,
        added_at=clock.now(),
    )
    _insert(row, ListEntryExists(param="value"))
    _record(row, parent.name, "risk_list.add", by=by, reason=reason)
    return row.pk


@requires_transaction
def remove_from_list(*, entry_id: UUID, by: str, reason: str) -> None:
    """Take a value off its list; the entry stays to be read. Errors: ReasonRequired, RuleStateConflict."""
    reason = required_reason(reason)
    row = lock_list_entry(entry_id=entry_id)
    if row.removed_at is not None:
        raise RuleStateConflict("This value was taken off the list meanwhile.")
    row.removed_at, row.removed_by, row.removed_reason = clock.now(), by, reason
    row.save(update_fields=["removed_at", "removed_by", "removed_reason"])
    _record(row, row.list.name, "risk_list.remove", by=by, reason=reason)


def _insert(row: RiskList | RiskListEntry, clash: Exception) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if sqlstate(error) == UNIQUE_VIOLATION:
            raise clash from error
        raise


def _record(row: RiskListEntry, name: str, action: str, *, by: str, reason: str) -> None:
    # The value is personal data, and everybody who audits reads this: the entry's id leads to it.
    record_audit(
        actor=by,
        action=action,
        subject=f"risk_list:{name}",
        reason=reason,
        detail={"list": str(row.list_id), "entry": str(row.pk)},
        merchant_id=row.merchant_id,
    )
