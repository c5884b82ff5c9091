"""manage.py import_settlement_file: files from this machine, as if their provider had sent them."""

import threading
import time
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from core.drain import get_drain
from core.errors import DomainError
from core.ids import parse_public_id, public_id
from core.money import format_minor
from reconciliation.desk.dry_run import DryRun, Part, read_dry
from reconciliation.models import SettlementFile
from reconciliation.selectors import find_source, get_file
from reconciliation.services import receive_file
from reconciliation.states import FILE_OPEN
from reconciliation.types import FileData, SourceData

_LOOK_SECONDS = 0.5


class Command(BaseCommand):
    """Prints to the standard output; the exit code is the verdict."""

    help = (
        "Receive settlement files or bank statements. Exit code 0: all were received (with --wait: and"
        " none is refused); 1: one could not be received; 2: one is refused, or would be (--dry-run)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose files, which, and how much of the work is to be seen."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--merchant", required=True, help="mer_…")
        parser.add_argument("--source", required=True, help="the name of the source")
        parser.add_argument("--from", dest="first", type=date.fromisoformat, help="first business day")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, help="last business day")
        parser.add_argument("--wait", action="store_true", help="read the files here, to their end")
        parser.add_argument("--dry-run", action="store_true", help="print what they say and keep nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Each file by itself: one that is refused stops no other."""
        if (options["first"] is None) != (options["last"] is None):
            raise CommandError("say both days, --from and --to, or none")
        merchant_id = parse_public_id(options["merchant"], "mer")
        if merchant_id is None:
            raise CommandError("the merchant is named by its mer_… id")
        try:
            source = find_source(merchant_id=merchant_id, name=options["source"])
        except DomainError as error:
            raise CommandError(error.message) from error
        codes = [self._one(source, path, options) for path in options["paths"]]
        if any(codes):
            worst = 1 if 1 in codes else 2
            raise CommandError(f"{sum(map(bool, codes))} of {len(codes)} files are no good", returncode=worst)

    def _one(self, source: SourceData, path: Path, options: dict[str, Any]) -> int:
        try:
            if options["dry_run"]:
                return self._read(source, path, options)
            with path.open("rb") as body:
                received = receive_file(
                    source_id=source.id,
                    name=path.name,
                    body=body,
                    origin="command",
                    by="system",
                    asked_from=options["first"],
                    asked_to=options["last"],
                )
        except (OSError, DomainError) as error:
            self.stderr.write(f"{path}: {error}")
            return 1
        known = "received" if received.is_new else "was received before"
        self.stdout.write(f"{path}: {known} as {public_id('stl', received.file_id)}")
        return self._wait(path, received.file_id) if options["wait"] else 0

    def _wait(self, path: Path, file_id: UUID) -> int:
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(path, file_id, over), daemon=True)
        watcher.start()
        try:
            # A worker may have it already; then this waits for the worker.
            while SettlementFile.objects.filter(
                pk=file_id, status__in=FILE_OPEN, due_at__isnull=False
            ).exists():
                get_drain("settlement_files").run()
                over.wait(_LOOK_SECONDS)
        finally:
            over.set()
            watcher.join()
        return self._tell(path, get_file(file_id=file_id))

    def _watch(self, path: Path, file_id: UUID, over: threading.Event) -> None:
        begun = time.monotonic()
        try:
            while not over.wait(_LOOK_SECONDS):
                file = get_file(file_id=file_id)
                rate = int(file.staged_lines // (time.monotonic() - begun))
                self.stdout.write(f"{path}: {file.staged_lines:,} lines, {rate:,} a second")
        finally:
            connection.close()

    def _tell(self, path: Path, file: FileData) -> int:
        if file.refusal is not None:
            place = f" (line {file.refusal['line']})" if file.refusal.get("line") else ""
            self.stderr.write(f"{path}: refused: {file.refusal['message']}{place} [{file.refusal['code']}]")
        elif file.status in FILE_OPEN:
            self.stderr.write(f"{path}: it could not be read; see the dead letters")
        else:
            days = f"{file.period_from} to {file.period_to}"
            self.stdout.write(f"{path}: {file.status.lower()}, {file.lines_count or 0:,} lines, {days}")
        return 2 if file.status in (*FILE_OPEN, "REFUSED") else 0

    def _read(self, source: SourceData, path: Path, options: dict[str, Any]) -> int:
        with path.open("rb") as body:
            read = read_dry(
                source=source,
                name=path.name,
                body=body,
                asked_from=options["first"],
                asked_to=options["last"],
            )
        for line in _shown(read):
            self.stdout.write(f"{path}: {line}")
        if read.refused is not None:
            self.stderr.write(f"{path}: would be refused: {read.refused}")
        return 2 if read.refused else 0


def _shown(read: DryRun) -> list[str]:
    return [line for part in read.parts for line in _part(part)]


def _part(part: Part) -> list[str]:
    about = part.document
    days = f"{about.period_from or part.first} to {about.period_to or part.last}"
    lines = [f"{about.kind} {about.identity or '-'}: {part.rows:,} lines, {days}"]
    for currency, figures in sorted(part.figures.items()):
        amounts = [
            f"{name} {format_minor(figures[name], currency)}"
            for name in ("gross", "fee", "net")
            if name in figures
        ]
        lines.append(f"  {currency}: {figures['lines']:,} lines, {', '.join(amounts)}")
    if about.opening_minor is not None and part.totals and part.totals.closing_minor is not None:
        opening = format_minor(about.opening_minor, about.currency)
        closing = format_minor(part.totals.closing_minor, about.currency)
        lines.append(f"  opens with {opening}, closes with {closing} {about.currency}")
    if part.totals:
        lines += [
            f"  declares {each.what.replace('_', ' ')} {each.scope} = {each.value} {each.currency}".rstrip()
            for each in part.totals.controls
        ]
    if part.unknown:
        lines.append(f"  {part.unknown:,} lines are of a kind that nobody knows")
    return lines
