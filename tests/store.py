"""A store that calls the API as its engineer would: over HTTP semantics, with its own key."""

import json
import threading
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from merchants.scopes import SCOPES
from merchants.services import create_api_key, create_merchant
from tests.openapi.contract import check_answer

__all__ = ["Store", "client", "error", "open_store"]


@dataclass
class Store:
    """One merchant and one of its keys."""

    merchant_id: UUID
    key_id: UUID
    secret: str
    raise_errors: bool = True
    # Off where a test changes the insides, so that an answer is not what the API promises.
    is_described: bool = True

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> HttpResponse:
        """Send a request; `body` is JSON unless it is bytes, `key` the Idempotency-Key.

        Unless `is_described` is off, the answer must be one that the API's description allows.
        """
        sent = {"Authorization": f"Bearer {self.secret}", **(headers or {})}
        if key is not None:
            sent["Idempotency-Key"] = key
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        caller = client()
        caller.raise_request_exception = self.raise_errors
        response = caller.generic(method, path, data, content_type, headers=sent, query_params=query)
        if self.is_described:
            check_answer(method, path, response)
        return response

    def get(self, path: str, **query: str) -> HttpResponse:
        """GET with query parameters."""
        return self.request("GET", path, query=query)

    def post(self, path: str, body: Any, **options: Any) -> HttpResponse:
        """POST a JSON body."""
        return self.request("POST", path, body, **options)

    def patch(self, path: str, body: Any) -> HttpResponse:
        """PATCH a JSON body."""
        return self.request("PATCH", path, body)


_local = threading.local()


def client() -> Client:
    """Return this thread's client: each new one loads the whole middleware again."""
    if not hasattr(_local, "client"):
        _local.client = Client()
    kept: Client = _local.client
    return kept


def open_store(*, mode: str = "test", scopes: Any = SCOPES) -> Store:
    """Open a merchant with one key."""
    with transaction.atomic():
        merchant = create_merchant(name="Acme", mode=mode)
        key = create_api_key(merchant_id=merchant.id, name="server", scopes=scopes)
    return Store(merchant.id, key.id, key.secret)


def error(response: HttpResponse) -> tuple[int, str, str | None]:
    """Return status, code and param of an error answer, having checked the envelope."""
    body = json.loads(response.content)
    assert list(body) == ["error"]
    assert set(body["error"]) == {"type", "code", "message", "param", "doc_url", "request_id"}
    assert body["error"]["request_id"] == response.headers["Request-Id"]
    assert response.headers["Content-Type"] == "application/json"
    return response.status_code, body["error"]["code"], body["error"]["param"]
