"""manage.py audit: check the invariants of the books; exit 1 when one is broken, 2 when one could not be asked."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.audits import CLEAN, FAILED, VIOLATED, AuditReport, Finding, registered, run_audits


class Command(BaseCommand):
    """Prints to the standard output; the exit code is the verdict."""

    help = (
        "Check the invariants: what is new since the last run, or with --full everything. Exit code 0: all "
        "hold; 1: at least one is broken; 2: none is known to be broken, but one could not be examined."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which invariants, how much of the data, and how to print."""
        parser.add_argument("--full", action="store_true", help="examine everything, not only what is new")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument("--name", action="append", choices=[each.name for each in registered()])
        parser.add_argument("--no-store", action="store_true", help="do not keep the verdicts")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, print, and end with the exit code of the report."""
        report = run_audits(names=options["name"], store=not options["no_store"], full=options["full"])
        self.stdout.write(_as_json(report) if options["json"] else _as_text(report))
        if report.exit_code:
            raise CommandError(
                f"{len(report.violated)} invariants are broken, {len(report.failed)} could not be examined",
                returncode=report.exit_code,
            )


def _as_json(report: AuditReport) -> str:
    verdict = {"is_clean": report.is_clean, "exit_code": report.exit_code}
    return json.dumps(verdict | asdict(report), default=str, indent=2)


def _as_text(report: AuditReport) -> str:
    lines = []
    for finding in report.findings:
        lines.append(
            f"{finding.verdict:14} {finding.milliseconds:6} ms  {finding.name}: {finding.says}{_span(finding)}"
        )
        if finding.verdict == VIOLATED:
            lines.append(f"{'':14} {finding.violations} rows, for example:")
        if finding.verdict in (VIOLATED, FAILED):
            lines += [f"{'':16} {' | '.join(row)}" for row in finding.sample[:5]]
    clean = sum(finding.verdict == CLEAN for finding in report.findings)
    others = len(report.findings) - clean - len(report.violated) - len(report.failed)
    lines.append(
        f"{'full' if report.is_full else 'incremental'} run: {clean} clean, {len(report.violated)} violated, "
        f"{len(report.failed)} failed, {others} had nothing to examine"
    )
    if report.left_out:
        lines.append(f"left for a full run: {', '.join(report.left_out)}")
    return "\n".join(lines)


def _span(finding: Finding) -> str:
    if finding.examined_through is None:
        return ""
    return f" [{finding.examined_after} to {finding.examined_through}]"
