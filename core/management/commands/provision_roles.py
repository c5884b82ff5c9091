"""Create the database roles, the database and the default rights."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.provisioning import IncompleteLogin, Login, RolePlan, printable, provision

MAY_NOT = 3


class Command(BaseCommand):
    """Shell around `core.provisioning`; reads the logins from the environment."""

    help = (
        "Creates quittance_owner, quittance_app and quittance_readonly with the passwords of "
        "DATABASE_OWNER_URL, DATABASE_URL and READONLY_URL, the database, and the default rights. "
        "Connects with PROVISION_URL. Exit code 3, and the SQL, when that login may not create roles."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--print-sql", action="store_true", help="print the statements, run none")
        parser.add_argument(
            "--owner-creates-databases",
            action="store_true",
            help="let the owner create databases, as a test run must",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Provision, or print."""
        plan = self.plan(owner_creates_databases=options["owner_creates_databases"])
        if options["print_sql"]:
            self.stdout.write(printable(plan=plan))
            return
        if not settings.PROVISION_URL:
            raise CommandError("PROVISION_URL is not set. --print-sql shows what somebody else may run.")
        try:
            provision(provision_url=settings.PROVISION_URL, owner_url=settings.DATABASE_OWNER_URL, plan=plan)
        except psycopg.errors.InsufficientPrivilege as refusal:
            self.stdout.write(printable(plan=plan))
            raise CommandError(f"PostgreSQL refuses: {refusal}", returncode=MAY_NOT) from refusal
        self.stdout.write(f"roles and rights are in place in {plan.database}")

    def plan(self, *, owner_creates_databases: bool) -> RolePlan:
        """The logins of the environment. Raises CommandError when one is missing."""
        readonly_url = settings.READONLY_URL
        try:
            return RolePlan(
                owner=Login.from_url(settings.DATABASE_OWNER_URL, variable="DATABASE_OWNER_URL"),
                app=Login.from_url(settings.DATABASE_URL, variable="DATABASE_URL"),
                readonly=Login.from_url(readonly_url, variable="READONLY_URL") if readonly_url else None,
                owner_creates_databases=owner_creates_databases,
            )
        except (IncompleteLogin, psycopg.ProgrammingError) as error:
            raise CommandError(str(error)) from error
