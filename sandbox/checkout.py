"""The provider's hosted page of a Checkout Session, as the buyer meets it.

Everything that decides happens here and in ``psp.sessions``, under one lock: the page's script only helps. A
second press of the button, another tab or a page brought back by the back button meet a session that is no
longer open, and pay nothing.
"""

from __future__ import annotations

import json
from typing import Any

from sandbox import checkout_pages, pages
from sandbox.bank import HTML
from sandbox.checkout_form import Form, check, filled, read_fields
from sandbox.checkout_pages import HEADERS, WALLET_TOKENS, Offer
from sandbox.clock import Clock
from sandbox.database import Database, place_of
from sandbox.faults import Fault
from sandbox.psp import answers, sessions
from sandbox.psp.api import Api
from sandbox.psp.call import Call
from sandbox.psp.numbers import NUMBER_OF
from sandbox.psp.payment_methods import NO_ADDRESS
from sandbox.server import Request, Response

Object = dict[str, Any]

NOBODY = {
    "address": NO_ADDRESS, "business_name": None, "email": None, "individual_name": None, "name": None,
    "phone": None, "tax_exempt": "none", "tax_ids": None,
}  # fmt: skip

ENDED = (
    "The provider did not answer as it should, and your card may or may not have been charged. Look at this"
    " payment again before you pay another way."
)


#: Where the first page makes a session of its own, and where the buyer comes back to.
DEMO = "/c/pay/demo"
DEMO_ACCOUNT = "acct_demonstration"


class Checkout:
    """Shows the page and takes what the buyer sends."""

    def __init__(self, database: Database, clock: Clock, api: Api) -> None:
        self._database, self._clock, self._api = database, clock, api

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
        """``/c/pay/{session}``, its ``/wallet/{kind}`` and the way back from the bank, ``/return``."""
        if request.path == DEMO:
            return self._demo(request)
        identifier, _, rest = request.path.removeprefix("/c/pay/").strip("/").partition("/")
        row = self._current(identifier)
        wallet = rest.removeprefix("wallet/")
        if row is None or not (rest in ("", "return") or (rest != wallet and wallet in WALLET_TOKENS)):
            text = "This payment page does not exist. Go back to the shop and start again."
            return Response(404, pages.message("Nothing here", text), HTML)
        if request.method not in ("GET", "POST") or (request.method == "POST" and rest == "return"):
            return Response(405, b"", HTML, {"Allow": "GET, POST"})
        offer = _offer(row)
        if rest == "return":
            return self._returned(offer)
        if offer.session["status"] != "open":
            if request.method == "POST" and offer.session["status"] == "complete":
                return redirect(_success(offer))
            return ended(offer, self._intent(offer.session))
        if request.method == "GET":
            return show(checkout_pages.wallet(offer, wallet)) if rest else self._form(row, offer, Form())
        try:
            fields = read_fields(request.body)
        except ValueError:
            return Response(400, pages.message("Too many fields", "This is not the page's form."), HTML)
        if rest:
            token = fields.get("token", "")
            good = token in WALLET_TOKENS[wallet]
            return self._attempt(row, offer, token, None, None) if good else redirect(offer.session["url"])
        return self._submit(row, offer, fields)

    def _demo(self, request: Request) -> Response:
        """A session to look at, for visitors of the first page."""
        if request.method != "POST":
            text = "You are back at the shop of the demonstration. The journal of effects says what happened."
            return Response(200, pages.message("Back at the shop", text), HTML)
        values = demo_values(self._api.base_url + DEMO)
        session = self._api.perform(
            account=DEMO_ACCOUNT, operation="demo.session", action=sessions.create, values=values
        )
        return redirect(session["url"])

    def _submit(self, row: Object, offer: Offer, fields: dict[str, str]) -> Response:
        if fields.get("fill") in NUMBER_OF:
            return self._form(row, offer, filled(fields["fill"]))
        form = check(
            fields,
            email=offer.session["customer_email"],
            full_address=offer.session["billing_address_collection"] == "required",
            now=self._clock.now(),
        )
        if form.errors or form.token is None:
            return self._form(row, offer, form, status=422)
        return self._attempt(row, offer, f"pm_card_{form.token}", form.buyer, form.expiry)

    def _attempt(
        self, row: Object, offer: Offer, token: str, buyer: Object | None, expiry: tuple[int, int] | None
    ) -> Response:
        if buyer is None:
            token, buyer = f"pm_card_{token}", {"email": offer.session["customer_email"]}
        identifier = offer.session["id"]
        session, fault = self.pay(row["account"], identifier, token=token, buyer=buyer, expiry=expiry)
        if session is None or (fault is not None and fault.kind in answers.EXECUTED):
            page = checkout_pages.state(
                offer, sign="failed", title="Something went wrong", text=ENDED,
                link=f"/c/pay/{identifier}", label="Look at this payment again",
            )  # fmt: skip
            return answers.spoil(show(page, status=500), fault)
        return answers.spoil(self._next(offer, session), fault)

    def _next(self, offer: Offer, session: Object) -> Response:
        """Where the buyer goes after an attempt: to the shop, to the bank, or back to the form."""
        if session["status"] == "complete":
            return redirect(_success(offer))
        intent = self._intent(session)
        if intent is not None and intent["status"] == "requires_action":
            return redirect(_step(intent))
        return redirect(f"/c/pay/{session['id']}")

    def _returned(self, offer: Offer) -> Response:
        if offer.session["status"] == "complete":
            return redirect(_success(offer))
        return redirect(f"/c/pay/{offer.session['id']}")

    def _form(self, row: Object, offer: Offer, form: Form, *, status: int = 200) -> Response:
        """The page with the form, and what the last attempt came to; known details are filled in again."""
        intent = self._intent(offer.session)
        decline = step = None
        if intent is not None and not form.errors:
            error = intent["last_payment_error"]
            decline = error["message"] if error else None
            step = _step(intent) if intent["status"] == "requires_action" else None
        buyer = row["hidden"].get("buyer")
        if buyer and not form.fields:
            form.fields = {
                name: value
                for name, value in {
                    **buyer["address"],
                    "email": buyer["email"],
                    "name": buyer["name"],
                }.items()
                if value
            }
        page = checkout_pages.pay(offer, form, decline=decline, step=step, now=self._clock.seconds())
        return show(page, status=status)

    def _intent(self, session: Object) -> Object | None:
        if session["payment_intent"] is None:
            return None
        row = self._row(session["payment_intent"])
        return None if row is None else row["body"]

    def _current(self, identifier: str) -> Object | None:
        """The session with its hidden part; one past its time expires first."""
        row = self._find(identifier)
        if row is None or row["body"]["status"] != "open" or row["body"]["expires_at"] > self._clock.now():
            return row
        self._api.perform(
            account=row["account"], operation="clock.expire_session", target=identifier,
            action=lambda call: sessions.expire_by_clock(call, identifier),
        )  # fmt: skip
        return self._find(identifier)

    def _find(self, identifier: str) -> Object | None:
        row = self._row(identifier)
        return row if row is not None and row["type"] == "checkout.session" else None

    def _row(self, identifier: str) -> Object | None:
        row = self._database.one(
            "SELECT account, type, body, hidden FROM object WHERE seq = ? AND id = ?",
            (place_of(identifier), identifier),
        )
        if row is None:
            return None
        return {**row, "body": json.loads(row["body"]), "hidden": json.loads(row["hidden"])}


def demo_values(back: str) -> Object:
    """The parameters of the demonstration's session: two sellers and a delivery."""
    wares = (
        ("Stoneware mug", "Sold by Clay Studio", 2400, 2),
        ("Merino blanket", "Sold by North Mill", 8900, 1),
    )
    items = [
        {
            "price_data": {
                "currency": "usd", "unit_amount": str(price),
                "product_data": {"name": name, "description": seller},
            },
            "quantity": str(quantity),
        }
        for name, seller, price, quantity in wares
    ]  # fmt: skip
    return {
        "mode": "payment", "line_items": items, "success_url": back, "cancel_url": back,
        "branding_settings": {"display_name": "Harbour Market"},
    }  # fmt: skip


def _offer(row: Object) -> Offer:
    return Offer(row["body"], row["hidden"]["items"], row["hidden"]["merchant"])


def _success(offer: Offer) -> str:
    return str(offer.session["success_url"]).replace("{CHECKOUT_SESSION_ID}", offer.session["id"])


def _step(intent: Object) -> str:
    return str(intent["next_action"]["redirect_to_url"]["url"])


def show(page: bytes, *, status: int = 200) -> Response:
    """A page of the checkout with its headers."""
    return Response(status, page, HTML, dict(HEADERS))


def redirect(url: str) -> Response:
    """Go there with GET."""
    return Response(303, b"", HTML, {"Location": url, "Cache-Control": "no-store"})


def ended(offer: Offer, intent: Object | None) -> Response:
    """The page of a session that takes no money any more."""
    session = offer.session
    if session["status"] == "expired":
        page = checkout_pages.state(
            offer, sign="wait", title="This payment page has expired",
            text="Nothing was charged. Go back to the shop to start again.",
            link=session["cancel_url"], label=f"Back to {offer.merchant}",
        )  # fmt: skip
        return show(page, status=410)
    if intent is not None and intent["status"] in ("requires_payment_method", "canceled"):
        page = checkout_pages.state(
            offer, sign="failed", title="This payment did not succeed",
            text="Nothing was charged. Go back to the shop to start again.",
            link=session["cancel_url"], label=f"Back to {offer.merchant}",
        )  # fmt: skip
        return show(page)
    processing = session["payment_status"] == "unpaid"
    page = checkout_pages.state(
        offer,
        sign="wait" if processing else "done",
        title="Your payment is being processed" if processing else "This is already paid",
        text="You need not pay again. The shop will hear of the outcome."
        if processing
        else f"{offer.price} went to {offer.merchant}. You need not pay again.",
        link=_success(offer), label=f"Continue to {offer.merchant}",
    )  # fmt: skip
    return show(page)
