"""manage.py export_year_totals: what every seller of a merchant sold, paid and was paid in a year, as CSV."""

import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.year_totals import year_of, year_totals_csv
from core.audit_trail import record_audit
from core.errors import NotFound
from core.ids import parse_public_id, public_id
from core.transactions import at_edge


class Command(BaseCommand):
    """Writes beside the target and renames, so that a file under its name is always whole."""

    help = "Write a year of every seller, by currency and quarter, as CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose year, and where to."""
        parser.add_argument("merchant", help="mer_…")
        parser.add_argument("year", type=int)
        parser.add_argument("file", help="the file to write; - writes to the standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Stream portion by portion, however many sellers there are."""
        merchant_id = parse_public_id(options["merchant"], "mer")
        if merchant_id is None:
            raise CommandError("the merchant is named by its mer_… id")
        try:
            year = year_of(merchant_id=merchant_id, year=options["year"])
        except (NotFound, ValueError) as error:
            raise CommandError(str(error)) from error
        at_edge(record_audit)(
            actor="system",
            action="year_totals.export",
            subject=public_id("mer", merchant_id),
            detail={"year": year.year},
            merchant_id=merchant_id,
        )
        if options["file"] == "-":
            for piece in year_totals_csv(year):
                sys.stdout.write(piece)
            return
        target = Path(options["file"])
        partial = target.with_name(f"{target.name}.partial")
        try:
            with partial.open("w", encoding="utf-8", newline="") as file:
                for piece in year_totals_csv(year):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error}") from error
        partial.replace(target)
        self.stdout.write(f"wrote {target}")
