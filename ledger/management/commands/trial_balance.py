"""manage.py trial_balance: every account of a merchant; debits and credits are equal in each currency."""

from collections import defaultdict
from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.ids import parse_public_id
from core.money import format_minor
from ledger.chart import CHART
from ledger.selectors import place_at, trial_balance


class Command(BaseCommand):
    """Exit 1 when the books do not balance."""

    help = "Print the trial balance of a merchant."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose books."""
        parser.add_argument("merchant", help="the merchant's id: mer_…")
        parser.add_argument(
            "--effective-until", type=date.fromisoformat, help="up to this effective date, as 2026-03-31"
        )
        parser.add_argument(
            "--known-at", type=datetime.fromisoformat, help="as the books knew it, as 2026-04-01T12:00+00:00"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """One line per account that ever moved, then the sums."""
        merchant_id = parse_public_id(options["merchant"], "mer")
        if merchant_id is None:
            raise CommandError("a merchant's id looks like mer_01j…")
        sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        self.stdout.write(f"{'account':44} {'debit':>16} {'credit':>16}")
        known_at = options["known_at"]
        if known_at is not None and known_at.tzinfo is None:
            raise CommandError("--known-at needs its offset from UTC, as 2026-04-01T12:00+00:00")
        accounts = trial_balance(
            merchant_id=merchant_id,
            effective_until=options["effective_until"],
            recorded_until=place_at(at=known_at) if known_at else None,
        )
        for account in accounts:
            if not account.balance_minor:
                continue
            name = f"{CHART[account.role].code}{f':{account.provider}' if account.provider else ''}"
            debit, credit = account.debit_minor, account.credit_minor
            sums[account.currency][0] += debit
            sums[account.currency][1] += credit
            self.stdout.write(_line(f"{name}:{account.currency}", debit, credit, account.currency))
        for currency, (debit, credit) in sorted(sums.items()):
            self.stdout.write(_line(f"sum {currency}", debit, credit, currency))
            if debit != credit:
                raise CommandError(f"the books do not balance in {currency}", returncode=1)


def _line(name: str, debit: int, credit: int, currency: str) -> str:
    shown = [format_minor(minor, currency) if minor else "" for minor in (debit, credit)]
    return f"{name:44} {shown[0]:>16} {shown[1]:>16}"
