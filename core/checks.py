"""What must be right before the system starts, and what must be right before it meets real money."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

from core.keys import parse_keys
from core.tracing import is_installed

__all__ = ["assert_startable", "field_keys_are_well_formed", "ready_for_production", "tracing_is_installed"]

_SECRET_MIN = 50
_SECRET_VARIETY = 10
_TOKEN_MIN = 32
# Of 32 random bytes about 30 are different; fewer than 16 never are.
_KEY_VARIETY = 16
_WEAK_MARKS = ("django-insecure-", "dev-secret", "change-me", "changeme")


@register(Tags.security)
def field_keys_are_well_formed(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a start with keys that could not encrypt or decrypt."""
    try:
        parse_keys(settings.FIELD_KEYS)
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="Each key is id:base64 of 32 random bytes.", id="core.E001")]
    return []


@register(Tags.security, deploy=True)
def ready_for_production(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse what is fine on a desk and dangerous with real money; `check --deploy` runs it."""
    return [*_switches(), *_secrets(), *_metrics(), *_addresses(), *_database_login()]


def assert_startable() -> None:
    """Raise ImproperlyConfigured when a check that matters at every start fails (servers run no checks)."""
    problems = [*field_keys_are_well_formed(), *tracing_is_installed()]
    if problems:
        raise ImproperlyConfigured("; ".join(str(problem.msg) for problem in problems))


def _switches() -> Iterator[CheckMessage]:
    if settings.DEBUG:
        yield Error("DEBUG is on: error pages show secrets.", id="core.E101")
    if settings.ENVIRONMENT not in ("TEST", "LIVE"):
        yield Error("ENVIRONMENT must be TEST or LIVE: people look at the badge.", id="core.E111")
    if settings.TEST_HOOKS:
        yield Error("TEST_HOOKS is on: failpoints and the movable clock are for tests.", id="core.E102")


def _secrets() -> Iterator[CheckMessage]:
    secret = settings.SECRET_KEY
    if (
        len(secret) < _SECRET_MIN
        or len(set(secret)) < _SECRET_VARIETY
        or any(mark in secret.lower() for mark in _WEAK_MARKS)
    ):
        yield Error(
            f"SECRET_KEY is weak: it must be at least {_SECRET_MIN} random characters.", id="core.E103"
        )
    if not settings.FIELD_KEYS and settings.FIELD_KEY_PROVIDER.endswith(".EnvironmentKeys"):
        yield Error("FIELD_KEYS is empty: personal data cannot be stored.", id="core.E104")
    for key_id, material in _readable_keys().items():
        if len(set(material)) < _KEY_VARIETY:
            yield Error(f"The field key {key_id} is not random: make 32 random bytes.", id="core.E114")


def _readable_keys() -> Mapping[str, bytes]:
    try:
        return parse_keys(settings.FIELD_KEYS)
    except ImproperlyConfigured:
        return {}  # E001 says so.


@register()
def tracing_is_installed(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a start that would trace without what that needs."""
    if settings.OTEL_ENDPOINT and not is_installed():
        hint = "pip install -r requirements-otel.txt, or leave the variable empty."
        return [Error("OTEL_EXPORTER_OTLP_ENDPOINT is set without its packages.", hint=hint, id="core.E113")]
    return []


def _metrics() -> Iterator[CheckMessage]:
    if settings.METRICS_TOKEN and len(settings.METRICS_TOKEN) < _TOKEN_MIN:
        yield Error(f"METRICS_TOKEN is weak: it must have {_TOKEN_MIN} characters or more.", id="core.E112")


def _addresses() -> Iterator[CheckMessage]:
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        yield Error("ALLOWED_HOSTS must name the hosts, not '*'.", id="core.E105")
    if not settings.PUBLIC_URL.startswith("https://"):
        yield Error("PUBLIC_URL must begin with https://.", id="core.E106")


def _database_login() -> Iterator[CheckMessage]:
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication,"
                " EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid),"
                " EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)"
                " FROM pg_roles r WHERE rolname = session_user"
            )
            powerful, owns, member = cursor.fetchone()
    except DatabaseError as error:
        yield Error(f"The rights of the database login could not be read: {error}", id="core.E107")
        return
    if powerful:
        yield Error("The database login has more than the rights of an application.", id="core.E108")
    if owns:
        yield Error("The database login owns tables, so it could switch their guards off.", id="core.E109")
    if member:
        yield Error("The database login is a member of another role.", id="core.E110")
