"""Re-encrypt every stored value that an older key wrote."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.field_rotation import encrypted_models, rotate_model


class Command(BaseCommand):
    """Walks all tables with encrypted fields; may be stopped and started again."""

    help = "Re-encrypt values written by older keys with the first key of FIELD_KEYS."

    def add_arguments(self, parser: CommandParser) -> None:
        """Size of a batch, and whether to look only."""
        parser.add_argument("--batch", type=int, default=500, help="rows per transaction (default 500)")
        parser.add_argument("--dry-run", action="store_true", help="decrypt everything, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Report per table; fail if a value did not open, because its key must not be removed yet."""
        failed = []
        for model in encrypted_models():
            report = rotate_model(model=model, batch=options["batch"], dry_run=options["dry_run"])
            done = "rows to re-encrypt" if options["dry_run"] else "rows re-encrypted"
            self.stdout.write(f"{report.table}: {report.changed} {done}")
            failed += report.failed
        for message in failed:
            self.stderr.write(message)
        if failed:
            raise CommandError(f"{len(failed)} values could not be decrypted; keep the old keys")
