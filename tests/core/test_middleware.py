"""What programs pass by, what pages keep, and that no answer tells the difference."""

import uuid
from typing import Any

import pytest
from django.test import Client

from core.api.middleware import FOR_PROGRAMS
from tests.store import Store, open_store

pytestmark = pytest.mark.django_db

_OURS = "core.api.middleware.ProgramsPass"
# Of every request its own.
_VARYING = ("Request-Id", "RateLimit-Remaining", "RateLimit-Reset")


def _asked(store: Store, host: str = "127.0.0.1") -> list[Any]:
    """Answers of every kind, through the middleware as it is set now."""
    client = Client(headers={"host": host}, raise_request_exception=False)
    key = {"Authorization": f"Bearer {store.secret}"}
    body: dict[str, Any] = {"content_type": "application/json"}
    return [
        client.get("/v1/payments", headers=key),
        client.head("/v1/payments", headers=key),
        client.get("/v1/payments"),
        client.get("/v1/payments/o-unknown", headers=key),
        client.get("/v1/nowhere", headers=key),
        client.delete("/v1/payments", headers=key),
        client.post("/v1/payments", b"{", headers=key | {"Idempotency-Key": uuid.uuid4().hex}, **body),
        client.get("/psp/nobody/webhooks"),
        client.post("/psp/nobody/webhooks", b"{}", **body),
        client.get("/psp/nowhere"),
    ]


def _shown(answers: list[Any]) -> list[tuple[int, dict[str, str]]]:
    return [
        (each.status_code, {name: value for name, value in each.headers.items() if name not in _VARYING})
        for each in answers
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
def test_answers_to_programs_are_those_of_the_whole_chain(settings: Any, host: str) -> None:
    """Status and headers are the same, also for a host that is not ours (A-E13)."""
    store = open_store()
    passing = _shown(_asked(store, host))
    assert _OURS in settings.MIDDLEWARE
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if each != _OURS]
    assert passing == _shown(_asked(store, host))
    assert ({status for status, _ in passing} == {400}) == (host == "evil.example")


@pytest.mark.parametrize("path", ["/v1/payments", "/psp/nobody/webhooks"])
def test_programs_have_no_session_and_leave_none(path: str) -> None:
    """A cookie of the console says nothing to the API, and the API does not keep its session alive."""
    client = Client()
    client.cookies["sessionid"] = "a" * 32
    answer = client.get(path)
    assert path.startswith(FOR_PROGRAMS)
    assert not hasattr(answer.wsgi_request, "session")
    assert not hasattr(answer.wsgi_request, "csrf_processing_done")
    assert not answer.cookies


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/", "/pay/nothing", "/docs", "/v1", "/psp"])
def test_pages_keep_all_of_it(path: str) -> None:
    """Session, CSRF, the person, the second factor and messages, wherever people go."""
    request: Any = Client().get(path).wsgi_request
    assert hasattr(request, "session") and hasattr(request, "_messages")
    assert request.user.is_verified() is False  # The second factor's middleware gave it that.


def test_a_form_of_the_console_is_refused_without_its_token() -> None:
    """A-E10: what programs pass by still stands before the forms of people."""
    client = Client(enforce_csrf_checks=True)
    assert client.post("/admin/login/", {"username": "x", "password": "y"}).status_code == 403
