"""The work of pay-in: provider operations that are due, and checkouts whose time is over."""

import logging
import time
from typing import ClassVar
from uuid import UUID

from core.drain import Claim, Drain
from core.failpoints import failpoint
from core.transactions import at_edge
from payments.engine.authorization_expiry import (
    due_authorizations,
    expire_authorization,
    give_up_authorization,
)
from payments.engine.execute import execute_operation
from payments.engine.expiry import PORTION, due_checkouts, expire_checkout, give_up_expiry
from payments.engine.failures import record_failure
from payments.engine.top_up_capture import clear_top_up, due_clearings
from payments.engine.top_ups import due_top_ups, expire_top_up, give_up_top_up_expiry
from payments.locks import claim_due_operations
from payments.models import PspOperation
from payments.releases.failures import QUEUE, record_release_failure
from payments.releases.locks import claim_due_releases
from payments.releases.steps import release_claimed

__all__ = ["ExpiryDrain", "OperationDrain", "ReleaseDrain", "TopUpDrain"]

log = logging.getLogger(__name__)


class OperationDrain(Drain):
    """Sends what is to be sent and asks about what is unknown, a few at a time for each channel.

    The cap per channel is a bulkhead: a provider that hangs can hold its own share of the threads only.
    """

    name: ClassVar[str] = "operations"
    model = PspOperation
    batch: ClassVar[int] = 32
    parallel: ClassVar[int] = 16

    def claim(self, *, limit: int) -> list[Claim]:
        """Take due operations, oldest first, up to each channel's cap of operations in flight."""
        claims = _claim(limit=limit)
        failpoint("execute.claimed")
        return claims

    def handle(self, claim: Claim) -> None:
        """Take one operation a step further."""
        execute_operation(claim=claim)

    def failed(self, claim: Claim, error: Exception) -> None:
        """Count the failure; bury the operation when there have been too many."""
        super().failed(claim, error)
        record_failure(claim=claim, error=error)


@at_edge
def _claim(*, limit: int) -> list[Claim]:
    return [Claim(*row) for row in claim_due_operations(limit=limit)]


class ExpiryDrain(Drain):
    """Closes what was not paid, and gives back what was not captured, in time: each in its own transaction.

    No row is claimed ahead: whoever comes second finds the checkout marked, so there is no lease.
    """

    name: ClassVar[str] = "expiry"

    def due_sql(self) -> str:
        """Return the moments that the metrics show the age of."""
        return (
            "SELECT expires_at FROM payments_paymentevent WHERE NOT is_payment_done"
            " AND expiry_started_at IS NULL AND expires_at <= %(now)s ORDER BY expires_at"
        )

    def run(self, *, seconds: float = 20.0) -> int:
        """Close what is due until nothing is, or the time is over; return how many."""
        deadline = time.monotonic() + seconds
        return self._checkouts(deadline) + self._authorizations(deadline)

    def _authorizations(self, deadline: float) -> int:
        tried: set[UUID] = set()
        while time.monotonic() < deadline:
            portion = [each for each in due_authorizations(limit=PORTION + len(tried)) if each not in tried]
            if not portion:
                break
            for charge_id in portion:
                tried.add(charge_id)
                try:
                    expire_authorization(charge_id=charge_id)
                except Exception as error:
                    log.exception("the authorisation of charge %s could not be expired", charge_id)
                    give_up_authorization(charge_id=charge_id, error=error)
        return len(tried)

    def _checkouts(self, deadline: float) -> int:
        done = 0
        while time.monotonic() < deadline and (portion := due_checkouts()):
            for checkout_id in portion:
                try:
                    expire_checkout(checkout_id=checkout_id)
                except Exception as error:
                    log.exception("checkout %s could not be expired", checkout_id)
                    give_up_expiry(checkout_id=checkout_id, error=error)
            done += len(portion)
        return done


class TopUpDrain(Drain):
    """Closes top-ups that were not paid in time, and makes the money of slow ones available when it is.

    No row is claimed ahead: whoever comes second finds it done, so there is no lease.
    """

    name: ClassVar[str] = "top_ups"

    def due_sql(self) -> str:
        """Return the moments that the metrics show the age of."""
        return (
            "SELECT expires_at FROM payments_topup"
            " WHERE status IN ('NOT_STARTED', 'EXECUTING', 'REQUIRES_ACTION')"
            " AND expiry_started_at IS NULL AND expires_at <= %(now)s ORDER BY expires_at"
        )

    def run(self, *, seconds: float = 20.0) -> int:
        """Do what is due until nothing is, or the time is over; return how many top-ups."""
        deadline, done = time.monotonic() + seconds, 0
        while time.monotonic() < deadline and (portion := due_top_ups()):
            for top_up_id in portion:
                try:
                    expire_top_up(top_up_id=top_up_id)
                except Exception as error:
                    log.exception("top-up %s could not be expired", top_up_id)
                    give_up_top_up_expiry(top_up_id=top_up_id, error=error)
            done += len(portion)
        for top_up_id in due_clearings():
            try:
                clear_top_up(top_up_id=top_up_id)
            except Exception:  # An audit tells of one that stays pending; the others do not wait for it.
                log.exception("top-up %s could not be made available", top_up_id)
            done += 1
        return done


class ReleaseDrain(Drain):
    """Releases what sellers have earned when its time has come, many orders at once.

    Orders of one claim share a transaction, because the days of all sellers begin at the same moment. When
    one of them cannot be released, each is done alone, so that it stops nobody but itself.
    """

    name: ClassVar[str] = QUEUE
    batch: ClassVar[int] = 50

    def due_sql(self) -> str:
        """Return the moments that the metrics show the age of."""
        return "SELECT due_at FROM payments_ordershare WHERE due_at <= %(now)s ORDER BY due_at"

    def run(self, *, seconds: float = 20.0) -> int:
        """Release what is due until nothing is, or the time is over; return how many were looked at."""
        deadline, handled = time.monotonic() + seconds, 0
        while time.monotonic() < deadline and (claims := self.claim(limit=self.batch)):
            try:
                release_claimed(claims=claims)
            except Exception:
                log.warning("%s releases failed together; each is done alone", len(claims), exc_info=True)
                for claim in claims:
                    self._one(claim)
            handled += len(claims)
        return handled

    def claim(self, *, limit: int) -> list[Claim]:
        """Take due orders, oldest first; commits alone."""
        claims = _claim_releases(limit=limit, lease_seconds=self.lease_seconds)
        failpoint("releases.claimed")
        return claims

    def handle(self, claim: Claim) -> None:
        """Release one order."""
        release_claimed(claims=[claim])

    def failed(self, claim: Claim, error: Exception) -> None:
        """Count the failure; bury the release when there have been too many."""
        super().failed(claim, error)
        record_release_failure(claim=claim, error=error)


@at_edge
def _claim_releases(*, limit: int, lease_seconds: int) -> list[Claim]:
    return [Claim(*row) for row in claim_due_releases(limit=limit, lease_seconds=lease_seconds)]
