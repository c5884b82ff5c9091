"""manage.py seal: seal what is below the fence now, and print the newest root of each chain."""

import json
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.audit_seals import advance_audit_fence, seal_audit_trail, trail_lag, trail_root
from ledger.selectors import chain_root, sealing_lag
from ledger.services import advance_fence, seal_entries

# A place of the fence is safe one step after it was noted.
STEPS = 2


class Command(BaseCommand):
    """The roots go to the standard output, one JSON object a line, as ops/verify_books.py --root reads them."""

    help = "Seal entries and audit records, and print the roots to be kept outside the database."

    def add_arguments(self, parser: CommandParser) -> None:
        """Print only, or an earlier day's roots."""
        parser.add_argument("--only-print", action="store_true", help="seal nothing, print the roots")
        parser.add_argument("--day", type=date.fromisoformat, help="the roots of this day (UTC), YYYY-MM-DD")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal, say what is left on the error output, print the roots."""
        if not options["only_print"] and options["day"] is None:
            for _ in range(STEPS):
                advance_fence()
                advance_audit_fence()
            self.stderr.write(f"sealed {seal_entries()} entries and {seal_audit_trail()} audit records")
            for what, lag in (("entries", sealing_lag()), ("audit records", trail_lag())):
                if lag.waits_for != "nothing":
                    self.stderr.write(f"{what} since {lag.seconds:.0f} s ago wait for the {lag.waits_for}")
        for chain, root in (
            ("ledger", chain_root(day=options["day"])),
            ("audit", trail_root(day=options["day"])),
        ):
            if root is not None:
                kept = {"chain": chain, "block": str(root.block), "hash": root.hash}
                self.stdout.write(json.dumps(kept | {"sealed_at": root.sealed_at.isoformat()}))
