"""What browsers are told about the pages of each area (A-H10)."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parent.parent.parent
_NOTHING = dict.fromkeys(("default-src", "form-action", "base-uri", "frame-ancestors"), "'none'")
_CONSOLE = {
    "script-src": "'self' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
}
_DOCS = {
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
}
_PAY = {"script-src": "'self'", "style-src": "'self'", "img-src": "'self'", "connect-src": "'self'"}
# A page of every area, by the beginning of its routes, and what its policy allows beyond nothing.
AREAS: dict[str, tuple[str, dict[str, str]]] = {
    "healthz": ("/healthz", {}),
    "readyz": ("/readyz", {}),
    "metrics": ("/metrics", {}),
    "admin": ("/admin/login/", _CONSOLE),
    "docs": ("/docs", _DOCS),
    "docs/redoc": ("/docs/redoc", _DOCS),
    "docs/errors": ("/docs/errors", {}),
    "v1": ("/v1/payments", {}),
    "v1/schema": ("/v1/schema", {}),
    "psp": ("/psp/nobody/webhooks", {}),
    "pay": ("/pay/nothing", _PAY),
    "nowhere": ("/nowhere", {}),
}


def policy(url: str) -> dict[str, str]:
    header = Client().get(url)["Content-Security-Policy"]
    return dict(part.strip().split(" ", 1) for part in header.split(";"))


@pytest.mark.parametrize("area", AREAS)
def test_every_area_is_allowed_what_it_needs_and_no_more(area: str) -> None:
    url, allowed = AREAS[area]
    assert policy(url) == {**_NOTHING, **allowed}


def test_every_area_is_named_here() -> None:
    """A new beginning of routes has no policy of its own until somebody has thought about it."""
    beginnings = {str(each.pattern).partition("/")[0] for each in get_resolver().url_patterns}
    assert beginnings == {area.partition("/")[0] for area in AREAS} - {"nowhere"}
    assert set(settings.CONTENT_SECURITY_POLICY_AREAS) == {"/admin/", "/docs/errors", "/docs", "/pay/"}


@pytest.mark.parametrize("area", AREAS)
def test_other_headers(area: str) -> None:
    response = Client().get(AREAS[area][0])
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] in ("same-origin", "no-referrer")
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"] and "payment=()" in response["Permissions-Policy"]
    if area not in ("v1", "v1/schema", "psp"):
        assert response["X-Frame-Options"] == "DENY"


# A script or a style in the page, a handler in an attribute, an address that is a script, or one elsewhere.
_INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:"
    r"|<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=[\"'](?:https?:)?//",
    re.IGNORECASE,
)


def templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.html"))


def test_no_template_has_script_style_or_handlers_in_it() -> None:
    assert len(templates()) > 50
    found = {
        str(path.relative_to(ROOT)): match[0]
        for path in templates()
        if (match := _INLINE.search(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        '<p style="color: red">',
        "<button onclick='x()'>",
        '<a href="javascript:x()">',
        "<style>p {}</style>",
        '<script defer src="https://cdn.example/x.js"></script>',
        '<img alt="" src="//cdn.example/x.png">',
    ],
)
def test_what_would_be_found(html: str) -> None:
    assert _INLINE.search(html)


def test_over_tls_browsers_are_told_to_stay_there(settings: object) -> None:
    for name, value in {
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
        "SECURE_HSTS_PRELOAD": True,
    }.items():
        setattr(settings, name, value)
    response = Client().get("/admin/login/", secure=True)
    assert response["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"


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
