"""Large files of Stripe's payout reconciliation, written to disk line by line, the same for the same size."""

from pathlib import Path

__all__ = ["COLUMNS", "write_payout_reconciliation"]

COLUMNS = (
    "automatic_payout_id,automatic_payout_effective_at_utc,balance_transaction_id,created_utc,available_on_utc,"
    "currency,gross,fee,net,reporting_category,source_id,description,customer_facing_amount,"
    "customer_facing_currency,charge_id,payment_intent_id,payment_method_type,payment_metadata[charge_id]"
)
_PER_PAYOUT = 1_000


def write_payout_reconciliation(path: Path, lines: int, *, corrected: int = 0) -> int:
    """Write so many lines, the first few with other amounts; return the sum of net in minor units (EUR)."""
    total = 0
    with path.open("w", newline="") as out:
        out.write(COLUMNS + "\r\n")
        for n in range(lines):
            gross = 500 + n * 7919 % 50_000 + (n < corrected)
            if n % 33 == 32:
                gross, fee, kind, source = -gross, 0, "refund", f"re_{n:024x}"
            else:
                fee, kind, source = 25 + gross * 29 // 1000, "charge", f"ch_{n:024x}"
            net = gross - fee
            total += net
            second = n % 86_400
            time = f"2026-11-29 {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            out.write(
                f"po_{n // _PER_PAYOUT:024x},2026-11-30 00:00:00,txn_{n:024x},{time},2026-11-30 00:00:00,eur,"
                f"{_major(gross)},{_major(fee)},{_major(net)},{kind},{source},Order {n},,,"
                f"ch_{n:024x},pi_{n:024x},card,chg_{n:026d}\r\n"
            )
    return total


def _major(minor: int) -> str:
    sign, minor = ("-", -minor) if minor < 0 else ("", minor)
    return f"{sign}{minor // 100}.{minor % 100:02}"
