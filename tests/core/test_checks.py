"""A weak setting is named before real money meets it, by the command that operators run."""

import base64
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from core.checks import assert_startable

ROOT = Path(__file__).parent.parent.parent
PRODUCTION = {
    "DEBUG": "False",
    "TEST_HOOKS": "False",
    "SECRET_KEY": base64.b64encode(bytes(range(60))).decode(),
    "ALLOWED_HOSTS": "pay.example.com",
    "PUBLIC_URL": "https://pay.example.com",
    "METRICS_TOKEN": "m" * 32,
    "ALERT_EMAIL_TO": "ann@example.com",
    "ALERT_WEBHOOK_URL": "https://alerts.example.com/quittance",
    "ALERT_WEBHOOK_SECRET": "whsec_" + base64.b64encode(bytes(range(24))).decode(),
    "FIELD_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
}


def check(**changes: str) -> tuple[int, str]:
    """Run the deployment check in a process of its own, with a production's environment but for changes."""
    environment = {**os.environ, **PRODUCTION, **changes}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_production_settings_are_clean() -> None:
    status, output = check()
    assert status == 0, output
    assert "no issues" in output


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("DEBUG", "True", "core.E101"),
        ("TEST_HOOKS", "True", "core.E102"),
        ("SECRET_KEY", "short", "core.E103"),
        ("SECRET_KEY", "django-insecure-" + "abcdefghijklmnopqrstuvwxyz0123456789" * 2, "core.E103"),
        ("FIELD_KEYS", "", "core.E104"),
        ("FIELD_KEYS", "k1:" + base64.b64encode(b"x" * 16).decode(), "core.E001"),
        ("FIELD_KEYS", "k1:" + base64.b64encode(bytes(32)).decode(), "core.E114"),
        ("FIELD_KEYS", "k1:" + base64.b64encode(b"dummykey" * 4).decode(), "core.E114"),
        ("ALLOWED_HOSTS", "*", "core.E105"),
        ("PUBLIC_URL", "http://pay.example.com", "core.E106"),
        # Cookies that also travel without TLS come with such a URL.
        ("PUBLIC_URL", "http://pay.example.com", "security.W012"),
        ("PUBLIC_URL", "http://pay.example.com", "security.W016"),
        ("WEBHOOK_ALLOWED_NETWORKS", "127.0.0.1/32:8200", "events.E002"),
        ("ENVIRONMENT", "DEV", "core.E111"),
        ("METRICS_TOKEN", "short", "core.E112"),
        ("ALERT_WEBHOOK_URL", "ftp://alerts.example.com", "events.E007"),
        ("ALERT_WEBHOOK_SECRET", "whsec_c2hvcnQ=", "events.E008"),
        ("DATABASE_URL", "postgresql://nobody:x@127.0.0.1:1/none", "core.E107"),
    ],
)
def test_each_weakness_is_named(variable: str, value: str, expected: str) -> None:
    status, output = check(**{variable: value})
    assert status != 0
    assert expected in output


@pytest.mark.django_db
def test_the_owner_of_the_tables_is_no_login_for_the_application() -> None:
    name = connection.settings_dict["NAME"]
    status, output = check(
        DATABASE_URL=urlsplit(settings.DATABASE_OWNER_URL)._replace(path=f"/{name}").geturl()
    )
    assert status != 0
    assert "core.E109" in output


def test_a_server_does_not_start_with_keys_that_cannot_encrypt(settings: object) -> None:
    assert_startable()
    settings.FIELD_KEYS = ["k1:AAAA"]  # type: ignore[attr-defined]
    with pytest.raises(ImproperlyConfigured, match="key k1 has 3 bytes"):
        assert_startable()
