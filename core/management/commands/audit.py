"""manage.py audit: check every invariant of the books; exit 1 when one is broken."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.audits import VIOLATED, AuditReport, registered, run_audits


class Command(BaseCommand):
    help = "Check every invariant; exit 1 when one is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument("--name", action="append", choices=[each.name for each in registered()])
        parser.add_argument("--no-store", action="store_true", help="do not keep the verdicts")

    def handle(self, *args: Any, **options: Any) -> None:
        report = run_audits(names=options["name"], store=not options["no_store"])
        self.stdout.write(_as_json(report) if options["json"] else _as_text(report))
        if not report.is_clean:
            raise CommandError(f"{len(report.violated)} invariants are broken", returncode=1)


def _as_json(report: AuditReport) -> str:
    return json.dumps({"is_clean": report.is_clean, **asdict(report)}, default=str, indent=2)


def _as_text(report: AuditReport) -> str:
    lines = []
    for finding in report.findings:
        lines.append(f"{finding.verdict:14} {finding.milliseconds:6} ms  {finding.name}: {finding.says}")
        if finding.verdict == VIOLATED:
            lines.append(f"{'':14} {finding.violations} rows, for example:")
            lines += [f"{'':16} {' | '.join(row)}" for row in finding.sample[:5]]
    return "\n".join(lines)
