"""Who needs a one-time code to enter the console, and how an authenticator app is added and checked."""

from django.db import transaction
from django.http import HttpRequest
from django_otp import login as keep_verified
from django_otp import verify_token
from django_otp.plugins.otp_totp.models import TOTPDevice

from core.audit_trail import record_audit, user_actor
from core.errors import DomainError
from core.locks import lock_user
from core.models import User
from core.roles import MONEY_ROLES
from core.transactions import at_edge, requires_transaction

__all__ = [
    "CodeRefused",
    "CodeThrottled",
    "DeviceExists",
    "check_code",
    "device_of",
    "enrol",
    "may_enter",
    "needs_code",
    "remove_device",
]

_NAME = "Authenticator app"


class CodeRefused(DomainError):
    code = "sign_in_code_refused"
    status = 403
    message = "This code is wrong or was used already. Wait for the next one."


class CodeThrottled(DomainError):
    code = "sign_in_code_throttled"
    status = 429
    message = "Too many wrong codes. Wait a little before the next try."


class DeviceExists(DomainError):
    code = "sign_in_device_exists"
    status = 409
    message = "You have an authenticator app already. A superuser can remove it."


def may_enter(request: HttpRequest) -> bool:
    """Say whether this request may use the console: active, staff, and with a code where one is needed."""
    user = request.user
    if not isinstance(user, User) and not user.is_authenticated:
        return False
    if not (user.is_active and getattr(user, "is_staff", False)):
        return False
    # The one-time-code middleware gives every request's user this method.
    return bool(user.is_verified()) or not needs_code(user)  # type: ignore[attr-defined]


def needs_code(user: User) -> bool:
    """Say whether a password is not enough: superusers, money roles, and whoever has a device."""
    return (
        user.is_superuser or user.groups.filter(name__in=MONEY_ROLES).exists() or device_of(user) is not None
    )


def device_of(user: User) -> TOTPDevice | None:
    """Return the person's authenticator app, if there is one."""
    return TOTPDevice.objects.filter(user_id=user.pk, confirmed=True).order_by("pk").first()


def check_code(request: HttpRequest, code: str) -> None:
    """Check a one-time code of the signed-in person and mark the session as verified.

    Errors: CodeRefused (wrong, or used before), CodeThrottled.
    """
    device = device_of(request.user)  # type: ignore[arg-type]
    if device is None:
        raise CodeRefused
    allowed, _ = device.verify_is_allowed()
    if not allowed:
        raise CodeThrottled
    # Locks the device's row, so that of two requests with one code only one is accepted.
    verified = verify_token(request.user, device.persistent_id, code)
    if verified is None:
        raise CodeRefused
    _remember(request, verified)


def enrol(request: HttpRequest, *, key: str, code: str) -> None:
    """Add an authenticator app with this secret (hex) once a first code proves that it works.

    Errors: CodeRefused, DeviceExists.
    """
    user: User = request.user  # type: ignore[assignment]
    _remember(request, at_edge(_add_device)(user, key, code))


@requires_transaction
def remove_device(*, user: User, actor: str, reason: str) -> None:
    """Take the authenticator app away, so that its owner adds a new one at the next sign-in."""
    lock_user(user_id=user.pk)
    TOTPDevice.objects.filter(user_id=user.pk).delete()
    record_audit(actor=actor, action="sign_in_device.remove", subject=user_actor(user), reason=reason)


def _add_device(user: User, key: str, code: str) -> TOTPDevice:
    lock_user(user_id=user.pk)
    if device_of(user) is not None:
        raise DeviceExists
    device = TOTPDevice(user_id=user.pk, name=_NAME, key=key, confirmed=True)
    device.save(force_insert=True)
    with transaction.atomic():
        if not device.verify_token(code):
            raise CodeRefused  # Rolls the new device back as well.
    record_audit(actor=user_actor(user), action="sign_in_device.add", subject=user_actor(user))
    return device


def _remember(request: HttpRequest, device: TOTPDevice) -> None:
    # A new session id: whoever knew the old one, from before the code, must not ride along.
    request.session.cycle_key()
    keep_verified(request, device)
