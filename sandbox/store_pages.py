"""Shelf, cart, checkout and the list of orders."""

from __future__ import annotations

import time
from html import escape

from sandbox.store_cart import Cart, Line
from sandbox.store_catalogue import HOSTED_PAGE, MOST_OF_ONE, PRODUCTS, SELLERS
from sandbox.store_frame import PICTURES, amount, document, icon, methods, state
from sandbox.store_order_page import next_step, order, order_state, state_of
from sandbox.store_orders import Order

__all__ = ["cart", "checkout", "next_step", "order", "order_state", "orders", "shelf", "unknown"]


_TO_THE_SHELF = '<p><a class="button" href="/store/">Look at the shelf</a></p>'


def shelf(cart: Cart, *, is_connected: bool) -> bytes:
    """Everything that is for sale."""
    note = "" if is_connected else (
        '<p class="notice look-waiting">This store is not connected to a payment system yet, so nothing can'
        " be paid. The control API connects it: <code>POST /_sandbox/store/settings</code>.</p>"
    )  # fmt: skip
    shelves = []
    for seller, name in SELLERS.items():
        cards = "".join(
            f'<li class="product {seller}">{icon(PICTURES[product.picture], "picture")}'
            f"<h3>{escape(product.name)}</h3><p>{escape(product.text)}</p>"
            f'<form method="post" action="/store/cart">{amount(product.price)}'
            f'<input type="hidden" name="sku" value="{product.sku}">'
            f'<button>Add<span class="sr-only"> {escape(product.name)} to the cart</span></button></form>'
            "</li>"
            for product in PRODUCTS.values()
            if product.seller == seller
        )
        shelves.append(f'<section><h2>{escape(name)}</h2><ul class="shelf">{cards}</ul></section>')
    return document(
        "Shop",
        f"<h1>Books and bicycles</h1><p>Two sellers, one cart, one payment.</p>{note}{''.join(shelves)}",
        cart=cart,
    )


def cart(cart: Cart) -> bytes:
    """What the visitor wants, by seller."""
    if not cart.lines:
        content = f"<h1>Your cart</h1><p>It is empty.</p>{_TO_THE_SHELF}"
        return document("Cart", content, cart=cart)
    content = (
        f"<h1>Your cart</h1>{_by_seller(cart, is_editable=True)}"
        '<p class="actions"><a class="button" href="/store/checkout">Go to checkout</a>'
        '<a href="/store/">Look at the shelf</a></p>'
    )
    return document("Cart", content, cart=cart)


def checkout(cart: Cart, *, changed: bool) -> bytes:
    """The last look before paying. The form carries the order's number, which belongs to the cart."""
    note = (
        '<p class="notice look-waiting" role="status">Your cart changed in the meantime, so nothing was'
        " ordered. Please look at it once more.</p>"
        if changed
        else ""
    )
    content = (
        f'<h1>Checkout</h1>{note}<div class="columns"><div><h2>Your order</h2>'
        f"{_by_seller(cart, is_editable=False)}</div>"
        '<form method="post" action="/store/checkout" class="panel" data-once>'
        f'<input type="hidden" name="number" value="{escape(cart.number)}">{methods(HOSTED_PAGE)}'
        f'<button class="button">Pay {amount(cart.total)}</button>'
        '<p class="quiet">You are charged once, however often you press.</p></form></div>'
    )
    return document("Checkout", content, cart=cart)


def _by_seller(cart: Cart, *, is_editable: bool) -> str:
    parts = []
    for seller, lines in cart.by_seller().items():
        rows = "".join(_line(line, is_editable=is_editable) for line in lines)
        level = "h2" if is_editable else "h3"
        name = f"<{level}>{escape(SELLERS[seller])}</{level}>"
        parts.append(f'<section class="sheet">{name}<ul>{rows}</ul></section>')
    return f'{"".join(parts)}<p class="total"><span>Total</span>{amount(cart.total)}</p>'


def _line(line: Line, *, is_editable: bool) -> str:
    name = escape(line.product.name)
    if not is_editable:
        return f"<li><span>{line.quantity} × {name}</span>{amount(line.total)}</li>"
    field = f"quantity-{line.product.sku}"
    hidden = f'<input type="hidden" name="sku" value="{line.product.sku}">'
    return (
        f"<li><span>{name}</span>{amount(line.total)}"
        f'<div class="change"><form method="post" action="/store/cart">{hidden}'
        f'<label for="{field}">Quantity<span class="sr-only"> of {name}</span></label>'
        f'<input id="{field}" name="quantity" type="number" inputmode="numeric" min="0" max="{MOST_OF_ONE}"'
        f' value="{line.quantity}"><button>Update</button></form>'
        f'<form method="post" action="/store/cart">{hidden}<input type="hidden" name="quantity" value="0">'
        f'<button class="plain">Remove<span class="sr-only"> {name}</span></button></form></div></li>'
    )


def orders(found: list[Order], cart: Cart) -> bytes:
    """The visitor's orders, newest first."""
    if not found:
        content = f"<h1>Your orders</h1><p>You have not ordered anything yet.</p>{_TO_THE_SHELF}"
        return document("Orders", content, cart=cart)
    rows = "".join(
        f'<li><span><a href="/store/orders/{each.number}">{escape(", ".join(_names(each)))}</a>'
        f'<span class="quiet">{_moment(each.placed_at)}</span></span>'
        f"<span>{amount(each.total)}{state(*state_of(each))}</span></li>"
        for each in found
    )
    content = f'<h1>Your orders</h1><section class="sheet orders"><ul>{rows}</ul></section>'
    return document("Orders", content, cart=cart)


def _names(order: Order) -> list[str]:
    return [str(line["name"]) for line in order.lines]


def _moment(at: float) -> str:
    utc = time.gmtime(at)
    return (
        f'<time datetime="{time.strftime("%Y-%m-%dT%H:%M:%SZ", utc)}">'
        f"{time.strftime('%Y-%m-%d %H:%M UTC', utc)}</time>"
    )


def unknown(cart: Cart) -> bytes:
    """404."""
    content = f"<h1>There is no such page</h1><p>The address may be incomplete.</p>{_TO_THE_SHELF}"
    return document("Not found", content, cart=cart)
