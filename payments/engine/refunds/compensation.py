"""Whether a checkout is paid, and whether everything that was paid has gone back."""

from uuid import UUID

from core import clock
from core.history import Changes
from core.transactions import requires_transaction

__all__ = ["note_checkout_totals"]

# Of a locked checkout. It is compensated when something was captured and all of it went back, and until
# more is captured or a refund comes back; a checkout that is compensated is not paid.
_TOTALS = """
    UPDATE payments_paymentevent AS checkout SET
        compensated_at = CASE WHEN total.all_back THEN coalesce(checkout.compensated_at, %s) END,
        is_payment_done = total.all_paid AND NOT total.all_back, updated_at = %s
    FROM (
        SELECT count(*) FILTER (WHERE status <> 'SUCCESS') = 0 AS all_paid,
            bool_or(captured_minor > 0) AND bool_and(captured_minor = refunded_minor + reversed_minor)
                AS all_back
        FROM payments_paymentorder WHERE checkout_id = %s
    ) AS total
    WHERE checkout.id = %s AND (checkout.is_payment_done, checkout.compensated_at IS NOT NULL)
        IS DISTINCT FROM (total.all_paid AND NOT total.all_back, total.all_back)
"""


@requires_transaction
def note_checkout_totals(checkout_id: UUID, changes: Changes) -> None:
    """Set `is_payment_done` and `compensated_at` by what the checkout's orders are when this is written."""
    at = clock.now()
    changes.run(_TOTALS, [at, at, checkout_id, checkout_id])
