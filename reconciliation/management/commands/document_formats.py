"""Write docs/reference/formats.md from the registry of formats."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from reconciliation.formats.documentation import as_markdown


class Command(BaseCommand):
    """Exit 1 with --check when the page differs from the registry."""

    help = "Write docs/reference/formats.md; with --check only say whether it is up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Write, or compare."""
        parser.add_argument("--check", action="store_true", help="fail if the file differs")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Write the page, or say that it is out of date."""
        target = Path(settings.BASE_DIR) / "docs" / "reference" / "formats.md"
        text = as_markdown()
        if check:
            if not target.exists() or target.read_text() != text:
                raise CommandError("docs/reference/formats.md is out of date; run manage.py document_formats")
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
