"""Every failure has the same shape, whatever raised it and wherever."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.management import CommandError, call_command
from django.db import InterfaceError, OperationalError, connection, transaction
from django.http import Http404, UnreadablePostError
from django.test import Client
from psycopg import errors as pg
from psycopg_pool import PoolTimeout

from core import request_context
from core.api.envelope import as_domain_error
from core.api.error_catalogue import declared_errors
from core.fields import DecryptionFailed
from tests.store import Store, error


def test_unknown_paths_and_methods(store: Store) -> None:
    assert error(Client().get("/v1/nothing")) == (404, "not_found", None)
    real = Client(enforce_csrf_checks=True)  # As over the wire: programs bring no cookie.
    assert error(real.post("/v1/nothing", {}, content_type="application/json"))[:2] == (404, "not_found")
    assert error(Client().get("/v1/")) == (404, "not_found", None)
    assert error(Client().get("/nothing")) == (404, "not_found", None)
    response = store.request("DELETE", "/v1/sellers")
    assert error(response) == (405, "method_not_allowed", None)
    assert response.headers["Allow"] == "GET, HEAD, POST"
    assert error(store.request("OPTIONS", "/v1/sellers"))[0] == 405
    assert error(store.request("TRACE", "/v1/sellers"))[0] == 405


def test_a_browser_gets_a_page_outside_the_api() -> None:
    page = Client().get("/nothing", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert page.headers["Content-Type"].startswith("text/html")
    assert error(Client().get("/v1/nothing", headers={"Accept": "text/html"}))[0] == 404


def test_other_representations_are_refused(store: Store) -> None:
    response = store.request("GET", "/v1/sellers", headers={"Accept": "application/xml"})
    assert error(response) == (406, "not_acceptable", None)


def test_too_many_parameters_a_f12(store: Store) -> None:
    """A-F12."""
    query = {f"p{index}": "1" for index in range(1500)}
    assert error(store.get("/v1/sellers", **query))[:2] == (400, "malformed_request")


def test_a_bad_host_a_e13(store: Store) -> None:
    """A-E13."""
    response = store.request("GET", "/nothing", headers={"Host": "evil.example"})
    assert response.status_code in (400, 404)
    assert "evil" not in response.content.decode()


def test_the_last_resort_logs_and_tells_nothing(store: Store, monkeypatch: Any, caplog: Any) -> None:
    def explode(**_: Any) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("merchants.selectors.list_sellers", explode)
    store.raise_errors = False
    response = store.get("/v1/sellers")
    assert error(response) == (500, "internal_error", None)
    assert "secret detail" not in response.content.decode()
    assert "secret detail" in caplog.text


def test_a_failure_of_ours_with_a_code_is_logged_and_not_explained(
    store: Store, monkeypatch: Any, caplog: Any
) -> None:
    def explode(**_: Any) -> None:
        raise DecryptionFailed("merchants_buyer.personal of row 7 could not be decrypted.")

    monkeypatch.setattr("merchants.selectors.list_sellers", explode)
    response = store.get("/v1/sellers")
    assert error(response) == (500, "internal_error", None)
    assert "row 7" not in response.content.decode()
    assert "row 7" in caplog.text


def test_failures_outside_the_api_have_the_envelope_too(monkeypatch: Any, caplog: Any) -> None:
    def explode() -> bool:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("core.health._database", explode)
    response = Client(raise_request_exception=False).get("/readyz")
    assert error(response) == (500, "internal_error", None)
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (pg.LockNotAvailable(), 503),
        (pg.QueryCanceled(), 503),
        (pg.DeadlockDetected(), 503),
        (pg.SerializationFailure(), 503),
        (pg.AdminShutdown(), 503),
        (pg.ConnectionFailure(), 503),
        (pg.TooManyConnections(), 503),
        (pg.DiskFull(), 503),
        (PoolTimeout(), 503),
        (pg.StatementTooComplex(), None),
    ],
)
def test_database_failures(cause: Exception, expected: int | None) -> None:
    raised = OperationalError("x")
    raised.__cause__ = cause
    found = as_domain_error(raised)
    assert (found.status if found else None) == expected
    assert found is None or (found.code, found.retry_after) == ("temporarily_unavailable", 1)


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (InterfaceError(), 503),
        (Http404(), 404),
        (PermissionDenied(), 403),
        (SuspiciousOperation(), 400),
        (UnreadablePostError(), 400),
    ],
)
def test_django_exceptions(raised: Exception, status: int) -> None:
    found = as_domain_error(raised)
    assert found is not None and found.status == status


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_takes_too_long_is_503(store: Store, monkeypatch: Any) -> None:
    def slow(**_: Any) -> None:
        # Of this transaction alone: the connection goes back to the pool as it was.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 20")
            cursor.execute("SELECT pg_sleep(5)")

    monkeypatch.setattr("merchants.selectors.list_sellers", slow)
    response = store.get("/v1/sellers")
    assert error(response) == (503, "temporarily_unavailable", None)
    assert response.headers["Retry-After"] == "1"


def test_every_answer_has_a_request_id_of_ours(store: Store) -> None:
    answers = [
        store.request("GET", "/v1/sellers", headers={"Request-Id": "mine"}),
        Client().get("/healthz"),
        Client().get("/nothing"),
    ]
    ids = [answer.headers["Request-Id"] for answer in answers]
    assert len(set(ids)) == 3
    assert all(text.startswith("req_") and len(text) == 30 for text in ids)
    assert request_context.request_id() == ""


def test_codes_are_unique_and_well_formed() -> None:
    errors = list(declared_errors())
    codes = [kind.code for kind in errors]
    assert sorted(codes) == sorted(set(codes))
    assert all(code.replace("_", "").isalpha() and code == code.lower() for code in codes)
    assert all(kind().type and kind.message.endswith(".") for kind in errors)


def test_every_code_is_documented_where_doc_url_leads(store: Store) -> None:
    call_command("document_errors", check=True)
    page = Client().get("/docs/errors").content.decode()
    assert all(f'id="{kind.code}"' in page for kind in declared_errors())
    url = json.loads(store.get("/v1/sellers/x").content)["error"]["doc_url"]
    assert url == f"{settings.PUBLIC_URL}/docs/errors#not_found"


def test_a_missing_code_fails_the_check(tmp_path: Path, settings: Any) -> None:
    page = Path(settings.BASE_DIR, "docs", "reference", "errors.md").read_text()
    (tmp_path / "docs" / "reference").mkdir(parents=True)
    (tmp_path / "docs" / "reference" / "errors.md").write_text(page.replace("seller_exists", "gone"))
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError, match="out of date"):
        call_command("document_errors", check=True)
