"""Write docs/reference/roles.md from the table of roles."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from console.role_table import as_markdown


class Command(BaseCommand):
    help = "Write docs/reference/roles.md; with --check only say whether it is up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail if the file differs")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        target = Path(settings.BASE_DIR) / "docs" / "reference" / "roles.md"
        text = as_markdown()
        if check:
            if not target.exists() or target.read_text() != text:
                raise CommandError("docs/reference/roles.md is out of date; run manage.py document_roles")
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
