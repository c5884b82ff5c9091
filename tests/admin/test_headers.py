"""What browsers are told about the pages (A-H10)."""

import pytest
from django.conf import settings
from django.test import Client

pytestmark = pytest.mark.django_db


def policy(url: str) -> dict[str, str]:
    header = Client().get(url)["Content-Security-Policy"]
    return dict(part.strip().split(" ", 1) for part in header.split(";"))


@pytest.mark.parametrize("url", ["/healthz", "/readyz", "/docs/errors", "/nowhere"])
def test_the_site_is_strict(url: str) -> None:
    found = policy(url)
    assert found["default-src"] == "'none'"
    assert "unsafe" not in str(found)
    assert found["frame-ancestors"] == "'none'"


def test_the_console_gets_only_what_its_scripts_need() -> None:
    found = policy("/admin/login/")
    assert found["script-src"] == "'self' 'unsafe-eval'"
    assert found["default-src"] == "'none'"
    assert "http" not in str(found)


@pytest.mark.parametrize("url", ["/healthz", "/admin/login/"])
def test_other_headers(url: str) -> None:
    response = Client().get(url)
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]


def test_the_console_is_never_cached_and_its_cookies_are_closed() -> None:
    response = Client().get("/admin/login/")
    assert "no-store" in response["Cache-Control"]
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.SESSION_COOKIE_SAMESITE == "Lax"
    assert settings.SESSION_EXPIRE_AT_BROWSER_CLOSE
    assert settings.SESSION_COOKIE_AGE <= 3600


def test_a_foreign_host_is_refused() -> None:
    """A-E13."""
    assert Client(headers={"host": "evil.example"}).get("/admin/login/").status_code == 400
