"""The store's routes: plain forms and redirects, so that every page works without scripts."""

from __future__ import annotations

import re
import secrets
import time
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs

from sandbox import store_pages as pages
from sandbox.database import Database
from sandbox.server import Request, Response
from sandbox.store_cart import Carts
from sandbox.store_catalogue import METHODS
from sandbox.store_orders import GOOD, Order, Orders
from sandbox.store_settings import StoreSettings

HTML = "text/html; charset=utf-8"
ASSETS = {
    "store.css": "text/css; charset=utf-8",
    "store.js": "text/javascript; charset=utf-8",
}
COOKIE = "store_visitor"
VISITOR = re.compile(r"[0-9a-f]{32}")
ORDER = re.compile(r"/store/orders/(?P<number>order-[0-9a-f]{16})(?P<part>/state|/again|/cancel)?")
#: Seconds that a visitor waits for the payment system before they see a page that says so.
PATIENCE = 4.0
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # Without form-action: it would also forbid the way to the provider's page after "Pay".
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
}


class Shop:
    """The pages of the store."""

    def __init__(self, database: Database, settings: StoreSettings, orders: Orders) -> None:
        self._settings, self._orders = settings, orders
        self._carts = Carts(database)

    def handle(self, request: Request) -> Response:
        """Answer a request below ``/store``."""
        path = request.path.rstrip("/")
        name = path.removeprefix("/store/assets/")
        if name in ASSETS and request.method == "GET":
            body = (Path(__file__).parent / "assets" / name).read_bytes()
            return Response(200, body, ASSETS[name], {"Cache-Control": "max-age=60"})
        visitor = visitor_of(request)
        response = self._route(request, path, visitor or secrets.token_hex(16))
        for header, value in HEADERS.items():
            response.headers.setdefault(header, value)
        return response

    def _route(self, request: Request, path: str, visitor: str) -> Response:
        match = ORDER.fullmatch(path)
        if match:
            return self._order(request, visitor, match["number"], match["part"] or "")
        if request.method == "POST":
            action = {"/store/cart": self._change_cart, "/store/checkout": self._place}.get(path)
            return action(request, visitor) if action else self._unknown(visitor)
        cart = self._carts.get(visitor)
        shown = {
            "/store": lambda: pages.shelf(cart, is_connected=self._settings.is_connected),
            "/store/cart": lambda: pages.cart(cart),
            "/store/checkout": lambda: pages.checkout(cart, changed="changed" in request.query),
            "/store/orders": lambda: pages.orders(self._orders.of_visitor(visitor), cart),
        }.get(path)
        if shown is None:
            return self._unknown(visitor)
        if path == "/store/checkout" and not cart.lines:
            return redirect("/store/cart")
        return Response(200, shown(), HTML)

    def _unknown(self, visitor: str) -> Response:
        return Response(404, pages.unknown(self._carts.get(visitor)), HTML)

    def _change_cart(self, request: Request, visitor: str) -> Response:
        form = read_form(request)
        if "quantity" in form:
            quantity = int(form["quantity"]) if re.fullmatch("[0-9]{1,4}", form["quantity"]) else 0
            self._carts.change(visitor, form.get("sku", ""), quantity=quantity)
        else:
            self._carts.change(visitor, form.get("sku", ""), add=1)
        response = redirect("/store/cart")
        # Strict enough that another site cannot order in the visitor's name; a link to the store still works.
        kept = f"{COOKIE}={visitor}; Path=/store; HttpOnly; SameSite=Lax; Max-Age=2592000"
        response.headers["Set-Cookie"] = kept
        return response

    def _place(self, request: Request, visitor: str) -> Response:
        form = read_form(request)
        method, number = form.get("method", ""), form.get("number", "")
        if method not in METHODS or not self._orders.place(visitor, number, method):
            return redirect("/store/checkout?changed")
        return self._to_the_payment(number)

    def _to_the_payment(self, number: str) -> Response:
        """Send what was just written down; then to the provider's page if there is one, else to the order."""
        asked_before = self._orders.get(number)
        self._orders.deliver(number, patience=PATIENCE)
        order = self._orders.get(number)
        is_new = asked_before is not None and asked_before.requests[-1]["status"] is None
        if is_new and order is not None and order.requests[-1]["status"] in GOOD:
            url = pages.next_step(order)
            if url:
                return redirect(url)
        return redirect(f"/store/orders/{number}")

    def _order(self, request: Request, visitor: str, number: str, part: str) -> Response:
        order = self._orders.get(number)
        if order is None:
            return self._unknown(visitor)
        is_owner = order.visitor == visitor
        if request.method == "POST":
            return self._act(request, order, part) if is_owner else redirect(f"/store/orders/{number}")
        if part in ("/again", "/cancel"):  # The address of a form, opened as a page.
            return redirect(f"/store/orders/{number}")
        if not order.is_final:
            self._orders.deliver(number, patience=PATIENCE)
            order = self._orders.get(number) or order
        calls = self._orders.calls(number)
        api_url = self._settings.api_url
        if part == "/state":
            content = pages.order_state(order, calls, is_owner=is_owner, api_url=api_url)
            return Response(200, content.encode(), HTML)
        cart = self._carts.get(visitor)
        slow = time.time() - order.placed_at > 120
        page = pages.order(order, calls, cart, is_owner=is_owner, api_url=api_url, refresh=15 if slow else 4)
        return Response(200, page, HTML)

    def _act(self, request: Request, order: Order, part: str) -> Response:
        form = read_form(request)
        wanted = int(form["n"]) if re.fullmatch("[0-9]{1,4}", form.get("n", "")) else 0
        if part == "/again" and form.get("method") in METHODS:
            self._orders.pay_again(order, wanted, form["method"])
            return self._to_the_payment(order.number)
        if part == "/cancel":
            self._orders.cancel(order, wanted)
            self._orders.deliver(order.number, patience=PATIENCE)
        return redirect(f"/store/orders/{order.number}")


def visitor_of(request: Request) -> str | None:
    """The visitor's secret, if their browser brought one that we could have given."""
    try:
        cookie = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return cookie.value if cookie and VISITOR.fullmatch(cookie.value) else None


def read_form(request: Request) -> dict[str, str]:
    """The fields of a form; of one that comes twice, the last."""
    fields = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}


def redirect(place: str) -> Response:
    """See other: a reload of what follows sends nothing twice."""
    return Response(303, b"", HTML, {"Location": place})
