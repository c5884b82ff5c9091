"""manage.py fetch_settlement_files: look for files now, or fetch one day again."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from core.ids import parse_public_id
from reconciliation.fetchers.contract import FetchFailed, NotYet
from reconciliation.selectors import find_source
from reconciliation.services import fetch_day, fetch_due
from reconciliation.types import SourceData


class Command(BaseCommand):
    """What beat does every minute, for people who do not want to wait for it."""

    help = (
        "Fetch the settlement files that are missing. With --day: fetch the files of one day of one source,"
        " also when they are here already. Exit code 1: something could not be fetched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """One source, or all; one day, or what is missing."""
        parser.add_argument("--merchant", help="mer_…, with --source")
        parser.add_argument("--source", help="the name of one source")
        parser.add_argument("--day", type=date.fromisoformat, help="a business day, with --source")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fetch, and say what came."""
        source = self._source(options)
        if options["day"] is None:
            tally = fetch_due(sources=None if source is None else [source])
            self.stdout.write(f"{tally.received} files received, {tally.done} days done")
            if tally.failed:
                raise CommandError(f"{tally.failed} tries failed; the page of the source says why")
            return
        if source is None:
            raise CommandError("a day is one of one source: say --merchant and --source")
        try:
            new = fetch_day(source=source, day=options["day"], by="system")
        except (NotYet, FetchFailed) as error:
            raise CommandError(str(error)) from error
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{new} new files received")

    def _source(self, options: dict[str, Any]) -> SourceData | None:
        if options["source"] is None:
            return None
        merchant_id = parse_public_id(options["merchant"] or "", "mer")
        if merchant_id is None:
            raise CommandError("the merchant is named by its mer_… id: --merchant")
        try:
            return find_source(merchant_id=merchant_id, name=options["source"])
        except DomainError as error:
            raise CommandError(error.message) from error
