"""manage.py export_books: everything that is sealed, in a file that ops/verify_books.py verifies anywhere."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger.export import rows


class Command(BaseCommand):
    """Writes beside the target and renames, so that a file under its name is always whole."""

    help = "Write the sealed books and audit trail as JSON lines."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("file", help="the file to write; - writes to the standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Stream row by row, whatever the size of the books."""
        if options["file"] == "-":
            for row in rows():
                sys.stdout.write(_line(row))
            return
        target = Path(options["file"])
        partial = target.with_name(f"{target.name}.partial")
        try:
            with partial.open("w", encoding="utf-8") as file:
                for row in rows():
                    file.write(_line(row))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error}") from error
        partial.replace(target)
        self.stdout.write(f"wrote {target}; verify it with: python3 ops/verify_books.py {target}")


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"
