"""Write docs/reference/journals.md from the templates in the code."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ledger.templates.documentation import as_markdown


class Command(BaseCommand):
    """Exit 1 with --check when the page differs from the templates."""

    help = "Write docs/reference/journals.md; with --check only say whether it is up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Write, or compare."""
        parser.add_argument("--check", action="store_true", help="fail if the file differs")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Write the page, or say that it is out of date."""
        target = Path(settings.BASE_DIR) / "docs" / "reference" / "journals.md"
        text = as_markdown()
        if check:
            if not target.exists() or target.read_text() != text:
                raise CommandError(
                    "docs/reference/journals.md is out of date; run manage.py document_journals"
                )
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
