"""The provider's hosted page of a Checkout Session, as the buyer meets it."""

from __future__ import annotations

import json
from typing import Any

from sandbox import pages
from sandbox.bank import HTML
from sandbox.database import Database, place_of
from sandbox.faults import Fault
from sandbox.psp import sessions
from sandbox.psp.api import Api
from sandbox.psp.call import Call
from sandbox.psp.payment_methods import NO_ADDRESS
from sandbox.server import Request, Response

Object = dict[str, Any]

NOBODY = {
    "address": NO_ADDRESS, "business_name": None, "email": None, "individual_name": None, "name": None,
    "phone": None, "tax_exempt": "none", "tax_ids": None,
}  # fmt: skip


class Checkout:
    """Shows the page and takes what the buyer sends."""

    def __init__(self, database: Database, api: Api) -> None:
        self._database, self._api = database, api

    def pay(
        self, account: str, identifier: str, *, token: str, buyer: Object | None = None,
        expiry: tuple[int, int] | None = None,
    ) -> tuple[Object | None, Fault | None]:  # fmt: skip
        """One attempt with a test card: the session afterwards, and the fault that spoils the answer."""

        def act(call: Call) -> Object:
            return sessions.pay(
                call, identifier, token=token, buyer={**NOBODY, **(buyer or {})}, expiry=expiry
            )

        row = self._find(identifier)
        session, hidden = (row["body"], row["hidden"]) if row else ({}, {})
        values = {
            "amount": str(session.get("amount_total")), "currency": session.get("currency"),
            "payment_method": token, "metadata": hidden.get("intent_data", {}).get("metadata", {}),
        }  # fmt: skip
        return self._api.perform_faulty(
            account=account, operation="checkout.pay", action=act, target=identifier, values=values
        )

    def handle(self, request: Request) -> Response:
        """``/c/pay/{session}``."""
        return Response(404, pages.message("Nothing here", "This page does not exist."), HTML)

    def _find(self, identifier: str) -> dict[str, Any] | None:
        row = self._database.one(
            "SELECT account, body, hidden FROM object WHERE seq = ? AND id = ? AND type = 'checkout.session'",
            (place_of(identifier), identifier),
        )
        if row is None:
            return None
        return {**row, "body": json.loads(row["body"]), "hidden": json.loads(row["hidden"])}
