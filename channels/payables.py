"""A payables API, as third parties that pay sellers offer it: payees, batches of payments, callbacks."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from channels.answers import Answer, ask_json
from channels.client_transport import Transport
from core.transactions import forbids_transaction

__all__ = ["Payables"]


class Payables:
    """What a channel of a payables API is called through. Each method makes one request.

    It raises NotSent or NoAnswer. Payees and batches are named by us; the same request again changes nothing.
    """

    def __init__(self, *, base_url: str, bearer: str, line: Transport) -> None:
        self._root, self._bearer, self._transport = f"{base_url}/bank/v1", bearer, line

    @forbids_transaction
    def put_payee(self, reference: str, payee: Mapping[str, Any]) -> Answer:
        """Tell who is paid and where: 200 or 201 with `is_payable` and the last digits of the account."""
        return self._send("PUT", f"payees/{quote(reference, safe='')}", payee)

    @forbids_transaction
    def create_batch(self, batch: Mapping[str, Any]) -> Answer:
        """Send payments: 201, 200 for the same batch again, 409 for another one under its reference."""
        return self._send("POST", "batches", batch)

    @forbids_transaction
    def find_batch(self, reference: str) -> Answer:
        """Ask for a batch and its payments as they are now: 200 or 404."""
        return self._send("GET", f"batches/{quote(reference, safe='')}")

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        # Sorted, so that the same request is the same bytes.
        content = b"" if body is None else json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
        return ask_json(
            self._transport,
            method=method,
            url=f"{self._root}/{path}",
            bearer=self._bearer,
            content=content,
            kind="" if body is None else "application/json",
        )
