"""The buyer's bank: the page of a 3-D Secure step and its outcome."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from sandbox import pages
from sandbox.database import Database, place_of
from sandbox.psp import attempts
from sandbox.psp.api import Api
from sandbox.psp.call import Call
from sandbox.psp.errors import ApiError
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
            return Response(404, pages.message("Nothing here", "This page of the bank does not exist."), HTML)
        row = self._find(parts[2])
        if row is None or row["hidden"].get("step") != parts[3]:
            text = "This step is finished or was never asked for. Go back to the store."
            return Response(410, pages.message("Nothing to confirm", text), HTML)
        if request.method == "GET":
            return Response(200, pages.bank(row["body"], request.path), HTML)
        passed = parse_qs(request.body.decode("utf-8", "replace")).get("result") == ["complete"]
        back = row["hidden"].get("return_url")
        try:
            intent = self.finish(parts[2], passed=passed)
        except ApiError as error:
            return Response(409, pages.message("Too late", str(error)), HTML)
        if back is None:
            return Response(200, pages.message("Thank you", "You can close this page."), HTML)
        good = intent["status"] in ("succeeded", "requires_capture", "processing")
        query = urlencode(
            {
                "payment_intent": intent["id"],
                "payment_intent_client_secret": intent["client_secret"],
                "redirect_status": "succeeded" if good else "failed",
            }
        )
        glue = "&" if urlsplit(back).query else "?"
        return Response(303, b"", HTML, {"Location": f"{back}{glue}{query}"})

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
        row = self._database.one(
            "SELECT account, body, hidden FROM object WHERE seq = ? AND id = ? AND type = 'payment_intent'",
            (place_of(intent_id), intent_id),
        )
        if row is None:
            return None
        return {
            "account": row["account"],
            "body": json.loads(row["body"]),
            "hidden": json.loads(row["hidden"]),
        }
