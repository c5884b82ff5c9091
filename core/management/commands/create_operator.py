"""Create a person who may sign in to the console."""

import getpass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from core.audit_trail import record_audit, user_actor
from core.history import SYSTEM
from core.models import User
from core.roles import ROLES
from core.transactions import at_edge


class Command(BaseCommand):
    """Existing people keep their password; run twice, it changes nothing."""

    help = "Create a user of the console with roles; asks for the password unless it is given."

    def add_arguments(self, parser: CommandParser) -> None:
        """Name, password, roles."""
        parser.add_argument("--username", required=True)
        parser.add_argument("--password", help="asked for when it is missing")
        parser.add_argument("--role", action="append", choices=ROLES, default=[], help="may be repeated")
        parser.add_argument("--superuser", action="store_true", help="may manage people")
        parser.add_argument(
            "--totp-secret", help="hex secret of an authenticator app, for scripts that sign in (DEBUG only)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the person and say how to sign in."""
        if options["totp_secret"] and not settings.DEBUG:
            raise CommandError("--totp-secret works only with DEBUG: people add their own app")
        if options["totp_secret"]:
            self._check_secret(options["totp_secret"])
        password = options["password"] or getpass.getpass("Password: ")
        try:
            validate_password(password, User(username=options["username"]))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        created = at_edge(_create)(options, password)
        self.stdout.write(f"{options['username']} {'was created' if created else 'exists already'}")
        self.stdout.write(f"sign in at {settings.PUBLIC_URL}{reverse('admin:login')}")
        if not options["totp_secret"]:
            self.stdout.write("an authenticator app is added at the first sign-in")

    def _check_secret(self, secret: str) -> None:
        try:
            length = len(bytes.fromhex(secret))
        except ValueError:
            raise CommandError("--totp-secret must be hex digits") from None
        if length < 16:
            raise CommandError("--totp-secret must have at least 32 hex digits")


def _create(options: dict[str, Any], password: str) -> bool:
    user, created = User.objects.get_or_create(
        username=options["username"], defaults={"is_staff": True, "is_superuser": options["superuser"]}
    )
    if not created:
        return False
    user.set_password(password)
    user.save(update_fields=["password"])
    user.groups.set(Group.objects.filter(name__in=options["role"]))
    if options["totp_secret"]:
        TOTPDevice.objects.create(user=user, name="Given at creation", key=options["totp_secret"])
    record_audit(
        actor=SYSTEM,
        action="user.create",
        subject=user_actor(user),
        detail={"roles": options["role"], "superuser": options["superuser"]},
    )
    return True
