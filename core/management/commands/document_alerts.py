"""Write ops/prometheus/rules.yml from the alerts and rules in the code."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.prometheus_rules import as_yaml


class Command(BaseCommand):
    help = "Write ops/prometheus/rules.yml; with --check only say whether it is up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail if the file differs")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        target = Path(settings.BASE_DIR) / "ops" / "prometheus" / "rules.yml"
        text = as_yaml()
        if check:
            if not target.exists() or target.read_text() != text:
                raise CommandError("ops/prometheus/rules.yml is out of date; run manage.py document_alerts")
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
