"""The buyer's bank: the page of a 3-D Secure step and its outcome."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from sandbox import bank_pages, pages
from sandbox.checkout_pages import HEADERS
from sandbox.database import Database, place_of
from sandbox.marks import LABELS
from sandbox.psp import attempts
from sandbox.psp.api import Api
from sandbox.psp.call import Call
from sandbox.psp.errors import ApiError
from sandbox.psp.session_objects import MERCHANT
from sandbox.server import Request, Response

HTML = "text/html; charset=utf-8"


class Bank:
    """Shows and finishes authentication steps."""

    def __init__(self, database: Database, api: Api) -> None:
        self._database, self._api = database, api

    def handle(self, request: Request) -> Response:
        """``GET`` shows the step at ``/_bank/3ds/{intent}/{step}``, ``POST`` finishes it."""
        parts = request.path.strip("/").split("/")
        if len(parts) != 4 or parts[1] != "3ds":
            return self._say(404, "Nothing here", "This page of the bank does not exist.")
        row = self._find(parts[2])
        if row is None or row["hidden"].get("step") != parts[3]:
            text = "This step is finished or was never asked for. Go back to the shop."
            back = None if row is None else row["hidden"].get("return_url")
            return self._say(410, "Nothing to confirm", text, link=back)
        if request.method == "GET":
            return Response(200, self._step(row, request.path), HTML, dict(HEADERS))
        passed = parse_qs(request.body.decode("utf-8", "replace")).get("result") == ["complete"]
        back = row["hidden"].get("return_url")
        try:
            intent = self.finish(parts[2], passed=passed)
        except ApiError as error:
            return self._say(409, "Too late", str(error), link=back)
        if back is None:
            return self._say(200, "Thank you", "You can close this page.")
        good = intent["status"] in ("succeeded", "requires_capture", "processing")
        query = urlencode(
            {
                "payment_intent": intent["id"],
                "payment_intent_client_secret": intent["client_secret"],
                "redirect_status": "succeeded" if good else "failed",
            }
        )
        glue = "&" if urlsplit(back).query else "?"
        return Response(303, b"", HTML, {"Location": f"{back}{glue}{query}", "Cache-Control": "no-store"})

    def _say(self, status: int, title: str, text: str, *, link: str | None = None) -> Response:
        return Response(status, bank_pages.message(title, text, link=link), HTML, dict(HEADERS))

    def _step(self, row: dict[str, Any], action: str) -> bytes:
        """What the buyer is asked to confirm: who is paid, how much, from which card."""
        intent = row["body"]
        method = self._object(intent["payment_method"])["body"]["card"]
        merchant = MERCHANT
        if "session" in row["hidden"]:
            merchant = self._object(row["hidden"]["session"])["hidden"]["merchant"]
        return bank_pages.step(
            merchant=merchant,
            price=pages.money(intent["amount"], intent["currency"]),
            card=f"{LABELS[method['brand']]} •••• {method['last4']}",
            date=time.strftime("%d %B %Y", time.gmtime(intent["created"])),
            action=action,
        )

    def finish(self, intent_id: str, *, passed: bool) -> dict[str, Any]:
        """Finish the open step of a PaymentIntent; raises ApiError when none is open."""
        row = self._find(intent_id)
        if row is None:
            raise ApiError(404, "invalid_request_error", f"No such payment_intent: {intent_id}")

        def act(call: Call) -> dict[str, Any]:
            intent, hidden = call.load("payment_intent", intent_id)
            return attempts.finish_step(call, intent, hidden, passed=passed)

        result: dict[str, Any] = self._api.perform(
            account=row["account"], operation="bank.authentication", action=act, target=intent_id
        )
        return result

    def _find(self, intent_id: str) -> dict[str, Any] | None:
        row = self._object(intent_id)
        return row if row.get("type") == "payment_intent" else None

    def _object(self, identifier: str) -> dict[str, Any]:
        row = self._database.one(
            "SELECT account, type, body, hidden FROM object WHERE seq = ? AND id = ?",
            (place_of(identifier), identifier),
        )
        if row is None:
            return {}
        return {**row, "body": json.loads(row["body"]), "hidden": json.loads(row["hidden"])}
