"""Write docs/reference/api.md from what the views declare."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.api.reference_page import as_markdown
from core.api.schema_view import api_document


class Command(BaseCommand):
    help = "Write docs/reference/api.md; with --check only say whether it is up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail if the file differs")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        target = Path(settings.BASE_DIR) / "docs" / "reference" / "api.md"
        text = as_markdown(api_document())
        if check:
            if not target.exists() or target.read_text() != text:
                raise CommandError("docs/reference/api.md is out of date; run manage.py document_api")
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
