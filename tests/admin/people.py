"""People of the console, and the codes that their authenticator apps show."""

import time
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from core.models import User

__all__ = ["PASSWORD", "code", "console", "device", "give_password", "person"]

PASSWORD = "a long enough passphrase"


def person(name: str, *roles: str, **columns: Any) -> User:
    """Create a member of staff with these roles."""
    user = User.objects.create_user(username=name, password=PASSWORD, is_staff=True, **columns)
    user.groups.set(Group.objects.filter(name__in=roles))
    assert user.groups.count() == len(roles)
    return user


def device(user: User) -> TOTPDevice:
    """Give the person an authenticator app."""
    return TOTPDevice.objects.create(user=user, name="app")


def code(secret: str, *, steps: int = 0) -> str:
    """Return what an app with this secret (hex) shows now, or so many half minutes later."""
    clock = TOTP(bytes.fromhex(secret))
    clock.time = time.time() + 30 * steps
    return f"{clock.token():06d}"


def give_password(client: Client, name: str, password: str = PASSWORD, **extra: Any) -> Any:
    """Post the sign-in form."""
    return client.post("/admin/login/", {"username": name, "password": password}, **extra)


def console(user: User, *, enforce_csrf_checks: bool = False) -> Client:
    """Return a client that is signed in, with the second step done."""
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    app = TOTPDevice.objects.filter(user=user).first() or device(user)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = app.persistent_id
    session.save()
    return client
