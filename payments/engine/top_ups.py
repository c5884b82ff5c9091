"""Top-ups: a buyer brings money into a wallet, through the same steps at the provider as any payment."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from core import clock
from core.dead_letters import bury
from core.drain import Claim
from core.errors import NotFound
from core.history import SYSTEM, Changes
from core.ids import parse_public_id, public_id
from core.models import DeadLetter
from core.nudges import nudge
from core.transactions import at_edge, forbids_transaction, requires_transaction
from merchants.selectors import owner_names
from payments.engine.assessment import RISK_FAILURE, assess_top_up
from payments.engine.charges import charge_money, open_top_up_charge
from payments.engine.endings import end_charge
from payments.engine.facts import top_up_fact
from payments.engine.inline import lease_inline
from payments.engine.methods import choose_channel
from payments.engine.saved import means_of, pay_with
from payments.errors import TopUpUnsupported
from payments.locks import lock_top_up
from payments.models import PspOperation, TopUp
from payments.states import TOP_UP_OPEN
from payments.types import TopUpRequest
from risk.types import APPROVE, Assessment
from wallet.selectors import get_wallet

__all__ = [
    "StartedTopUp",
    "due_top_ups",
    "expire_top_up",
    "give_up_top_up_expiry",
    "replay_top_up_expiry",
    "start_top_up",
]

TOP_UP_LIFETIME = timedelta(hours=24)
PORTION = 100
_QUEUE = "top_up_expiry"


@dataclass(frozen=True)
class StartedTopUp:
    """A top-up that was just stored; `inline` is the right to open the provider's page for it at once."""

    top_up: TopUp
    inline: Claim | None


@requires_transaction
def start_top_up(*, merchant_id: UUID, wallet: str, request: TopUpRequest, actor: str) -> StartedTopUp:
    """Store a top-up of a buyer's cash wallet with its charge and first operation; nothing is sent.

    Risk decides first, as for a payment. Nobody waits for a top-up, so what rules would hold for a review is
    declined: it is stored as FAILED, without a charge. Raises NotFound, TopUpUnsupported for any other wallet
    or another currency, PaymentMethodUnavailable, PaymentMethodUnknown.
    """
    key = parse_public_id(wallet, "wal")
    if key is None:
        raise NotFound()
    into = get_wallet(merchant_id=merchant_id, wallet_id=key)
    if into.owner_type != "buyer" or into.kind != "cash":
        raise TopUpUnsupported()
    if into.currency != request.currency:
        raise TopUpUnsupported(param="currency")
    buyer_account = owner_names(owner_ids=[into.owner_id])[into.owner_id]
    means = means_of(merchant_id=merchant_id, buyer_account=buyer_account, request=request)
    channel = choose_channel(
        merchant_id=merchant_id,
        payment_method=request.payment_method,
        amounts=[(request.currency, request.amount_minor)],
        only=means.channel_id,
    )
    top_up = _new(merchant_id, into.id, buyer_account, request)
    pay_with(top_up, means)
    changes = Changes()
    assessment = assess_top_up(top_up, changes)
    changes.begin(top_up, why="accepted", by=actor, fact=top_up_fact(top_up, "created"))
    changes.insert([top_up])
    operations: list[PspOperation] = []
    if _is_let_in(assessment):
        operations = open_top_up_charge(top_up, channel, changes, by=actor)
    else:
        why = "declined by risk rules"
        changes.move(
            top_up, top_up.to_failed, why=why, fact=top_up_fact(top_up, "failed"), failure=RISK_FAILURE
        )
    inline = lease_inline(top_up, operations, changes)
    changes.save()
    if operations and inline is None:
        nudge("operations")
    return StartedTopUp(top_up, inline)


def due_top_ups(*, limit: int = PORTION) -> list[UUID]:
    """Return top-ups whose time is over and that nobody began to close, the oldest first."""
    due = TopUp.objects.filter(status__in=TOP_UP_OPEN, expiry_started_at=None, expires_at__lte=clock.now())
    return list(due.order_by("expires_at").values_list("id", flat=True)[:limit])


@forbids_transaction
def expire_top_up(*, top_up_id: UUID) -> None:
    """Close a top-up whose time is over, in a transaction of its own; as `expire_checkout`."""
    _expire(top_up_id)


@at_edge
def _expire(top_up_id: UUID) -> None:
    scope = lock_top_up(top_up_id=top_up_id)
    top_up = scope.top_up if scope else None
    if scope is None or top_up is None or top_up.expiry_started_at is not None:
        return
    if top_up.expires_at > clock.now() or top_up.status not in TOP_UP_OPEN:
        return
    _mark(top_up)
    changes = Changes()
    end_charge(scope, changes, why="the time to pay is over", by=SYSTEM)
    changes.save()


def _mark(top_up: TopUp) -> None:
    top_up.expiry_started_at = top_up.updated_at = clock.now()
    top_up.save(update_fields=["expiry_started_at", "updated_at"])


@at_edge
def give_up_top_up_expiry(*, top_up_id: UUID, error: Exception) -> None:
    """Bury a top-up that cannot be closed: a person looks at it, and the others do not wait for it."""
    scope = lock_top_up(top_up_id=top_up_id)
    top_up = scope.top_up if scope else None
    if top_up is None or top_up.expiry_started_at is not None:
        return
    _mark(top_up)
    bury(
        queue=_QUEUE,
        subject=public_id("top", top_up_id),
        error=f"{type(error).__name__}: {error}"[:500],
        attempts=1,
        merchant_id=top_up.merchant_id,
        detail={"top_up_id": str(top_up_id)},
    )


@requires_transaction
def replay_top_up_expiry(letter: DeadLetter) -> None:
    """Let the next pass try again to close the top-up."""
    key = parse_public_id(letter.subject, "top")
    scope = lock_top_up(top_up_id=key) if key else None
    if scope is not None and scope.top_up is not None:
        scope.top_up.expiry_started_at = None
        scope.top_up.save(update_fields=["expiry_started_at"])


def _is_let_in(assessment: Assessment) -> bool:
    # What slow checks would still be asked about was let in by the rules.
    return assessment.decision in (APPROVE, "not_assessed") or assessment.pending_external


def _new(merchant_id: UUID, wallet_id: UUID, buyer_account: str, request: TopUpRequest) -> TopUp:
    at = clock.now()
    return TopUp(
        merchant_id=merchant_id,
        wallet_id=wallet_id,
        buyer_account=buyer_account,
        amount=charge_money(request.amount_minor, request.currency),
        amount_minor=request.amount_minor,
        payment_method=request.payment_method,
        return_url=request.return_url,
        created_at=at,
        updated_at=at,
        expires_at=at + TOP_UP_LIFETIME,
    )
