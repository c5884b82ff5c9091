"""A seller's debt is given up (S4): one person asks, another decides, and all of it goes to the losses."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from core import clock
from core.approvals import approve, reject, request_approval
from core.audit_trail import record_audit, required_reason
from core.errors import NotFound
from core.ids import parse_public_id, public_id
from core.models import Approval
from core.transactions import requires_transaction
from ledger.services import open_account
from ledger.templates.entry import Posting
from ledger.templates.reserves import debt_write_off_entry
from ledger.types import EntryRef
from wallet.errors import NothingOwed
from wallet.purposes import seller_accounts
from wallet.selectors import WRITE_OFF, accounts_of, get_wallet
from wallet.services.posting import moves_for, post
from wallet.types import WalletData

__all__ = ["reject_write_off", "request_write_off", "write_off_debt"]

_EXPIRES_IN = timedelta(days=3)


@requires_transaction
def request_write_off(*, merchant_id: UUID, wallet_id: UUID, reason: str, maker: str) -> UUID:
    """Ask for a second person's yes to giving up all that a seller owes; return the approval's key.

    Raises NotFound, NothingOwed, ReasonRequired.
    """
    wallet = get_wallet(merchant_id=merchant_id, wallet_id=wallet_id)
    reason = required_reason(reason)
    if not wallet.receivable_minor:
        raise NothingOwed()
    approval = request_approval(
        subject=public_id("wal", wallet.id),
        action=WRITE_OFF,
        instruction=_instruction(wallet, reason),
        maker=maker,
        expires_in=_EXPIRES_IN,
        merchant_id=merchant_id,
    )
    key: UUID = approval.pk
    return key


@requires_transaction
def write_off_debt(*, approval_id: UUID, checker: str) -> EntryRef:
    """Say yes as the second person, and post the loss; the entry carries the approval's key.

    Call it under `at_decision_edge`. The yes is to the very debt that was asked about: one that changed since
    voids it. Raises NotFound, FourEyesRequired, ApprovalNotPending, ApprovalExpired, ApprovalVoid.
    """
    approval = _asked(approval_id)
    wallet_id = parse_public_id(approval.subject, "wal")
    if wallet_id is None or approval.merchant_id is None:
        raise NotFound()
    wallet = get_wallet(merchant_id=approval.merchant_id, wallet_id=wallet_id)
    reason = approval.instruction["reason"]
    approve(approval_id=approval_id, checker=checker, instruction_now=_instruction(wallet, reason))
    accounts = accounts_of(merchant_id=wallet.merchant_id, wallet_id=wallet.id)
    draft = debt_write_off_entry(
        posting=Posting(wallet.merchant_id, wallet.currency, clock.today()),
        seller=seller_accounts(accounts=accounts),
        bad_debt=open_account(merchant_id=wallet.merchant_id, role="bad_debt", currency=wallet.currency),
        write_off_id=approval_id,
        amount_minor=wallet.receivable_minor,
    )
    # The floor of the wallet refuses it if a sale has paid the debt since it was read.
    (ref,) = post(drafts=[draft], moves=moves_for(drafts=[draft]))
    record_audit(
        actor=checker,
        action=WRITE_OFF,
        subject=approval.subject,
        reason=reason,
        detail={"approval": str(approval_id), "entry": ref.id, "amount_minor": wallet.receivable_minor},
        merchant_id=wallet.merchant_id,
    )
    return ref


@requires_transaction
def reject_write_off(*, approval_id: UUID, checker: str, reason: str) -> None:
    """Say no as the second person: the seller goes on owing.

    Call it under `at_decision_edge`. Raises NotFound, ReasonRequired, FourEyesRequired, ApprovalNotPending,
    ApprovalExpired.
    """
    _asked(approval_id)
    reject(approval_id=approval_id, checker=checker, reason=reason)


def _asked(approval_id: UUID) -> Approval:
    approval = Approval.objects.filter(pk=approval_id, action=WRITE_OFF).first()
    if approval is None:
        raise NotFound()
    return approval


def _instruction(wallet: WalletData, reason: str) -> dict[str, Any]:
    """What exactly is agreed on; should the debt change, the yes is void."""
    return {
        "wallet": public_id("wal", wallet.id),
        "amount_minor": wallet.receivable_minor,
        "currency": wallet.currency,
        "reason": reason,
    }
