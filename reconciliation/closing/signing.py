"""A second person signs a prepared day: the books are closed through it, and it does not change any more."""

from datetime import date
from hmac import compare_digest
from uuid import UUID

from core import clock
from core.approvals import FourEyesRequired
from core.audit_trail import is_person, record_audit
from core.history import move
from core.transactions import requires_transaction
from ledger.services import approve_closing, close_period
from reconciliation.closing.figures import books_digest, books_figures
from reconciliation.closing.obstacles import obstacles_of
from reconciliation.closing.reading import day_data
from reconciliation.closing.types import DayData
from reconciliation.errors import DayBlocked, DayChanged, DayNotPrepared
from reconciliation.locks import lock_day
from reconciliation.matching.sql import long_statements

__all__ = ["sign_day"]


@requires_transaction
def sign_day(*, merchant_id: UUID, day: date, digest: str, checker: str) -> DayData:
    """Sign the figures that were prepared, by their digest in hex, and close the books through the day.

    Call it under `at_decision_edge`. Postings into the day that are under way are waited for; if the books
    or the files say something else by then, DayChanged: the day must be prepared again. Raises
    DayNotPrepared, FourEyesRequired for who prepared it, DayBlocked for what stands in the way by now, and
    what closing the books raises.
    """
    row = lock_day(merchant_id=merchant_id, day=day)
    if row is None or row.status != "PREPARED" or row.digest is None:
        raise DayNotPrepared
    if checker == row.prepared_by or not is_person(checker):
        raise FourEyesRequired
    if not compare_digest(digest, bytes(row.digest).hex()):
        raise DayChanged
    long_statements()
    consent = UUID(row.figures["consent"])
    approve_closing(merchant_id=merchant_id, through=day, approval_id=consent, checker=checker)
    period = close_period(merchant_id=merchant_id, through=day, actor=checker)
    # From here on nothing is posted into the day: what the books say now is what they will always say.
    books = books_figures(merchant_id=merchant_id, day=day)
    if books_digest(books) != books_digest(row.figures["books"]):
        raise DayChanged
    obstacles = obstacles_of(merchant_id=merchant_id, day=day, books=books)
    if obstacles:
        raise DayBlocked(obstacles)
    move(
        row,
        row.to_closed,
        why="signed",
        by=checker,
        closed_by=checker,
        closed_at=clock.now(),
        period_id=period.id,
    )
    record_audit(
        actor=checker,
        action="day.sign",
        subject=f"day:{day.isoformat()}",
        detail={"digest": digest, "period": str(period.id)},
        merchant_id=merchant_id,
    )
    return day_data(row)
