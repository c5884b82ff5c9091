"""One order: how its payment stands, what can be done, and the talk with the payment system behind it."""

from __future__ import annotations

from html import escape
from typing import Any

from sandbox.store_cart import Cart
from sandbox.store_catalogue import HOSTED_PAGE, SELLERS
from sandbox.store_frame import ICONS, amount, document, icon, methods, pretty, state
from sandbox.store_orders import Order

#: The API's word for a whole checkout: look, word, sentence, what happens next.
CHECKOUT = {
    "sending": ("progress", "Sending", "We are sending your order.", ""),
    "refused": ("failed", "Not taken", "Your payment could not be started.", "Nothing was charged."),
    "open": ("neutral", "Preparing", "Your payment is being prepared.", "This takes a moment."),
    "in_review": (
        "waiting", "Being checked", "Your payment is being checked.",
        "Nothing was charged yet. We tell you as soon as it is done; paying again is not needed.",
    ),
    "requires_action": (
        "waiting", "Waits for you", "One step is left.", "Nothing is charged until you finish it.",
    ),
    "processing": (
        "progress", "In progress", "Your payment is being confirmed.",
        "This usually takes a few seconds. Paying again is not needed.",
    ),
    "authorized": ("progress", "Reserved", "The amount is reserved.", "It is taken when we send your order."),
    "succeeded": ("done", "Paid", "Thank you. Your order is paid.", "Both of us get to work on it."),
    "partially_succeeded": (
        "waiting", "Partly paid", "A part of your order is paid.", "You can pay for the rest now.",
    ),
    "canceled": ("over", "Cancelled", "Your order is cancelled.", "Nothing was charged."),
    "expired": ("over", "Expired", "The time to pay is over.", "Nothing was charged. You can order again."),
    "failed": ("failed", "Not paid", "Your payment did not go through.", "Nothing was charged."),
}  # fmt: skip
#: The API's word for one seller's part.
PART = {
    "NOT_STARTED": ("neutral", "Not started"),
    "IN_REVIEW": ("waiting", "Being checked"),
    "EXECUTING": ("progress", "In progress"),
    "REQUIRES_ACTION": ("waiting", "Waits for you"),
    "AUTHORIZED": ("progress", "Reserved"),
    "SUCCESS": ("done", "Paid"),
    "FAILED": ("failed", "Not paid"),
    "CANCELED": ("over", "Cancelled"),
    "EXPIRED": ("over", "Expired"),
}


def state_of(order: Order) -> tuple[str, str]:
    """Look and word of an order."""
    look, word, _, _ = CHECKOUT.get(order.status, CHECKOUT["processing"])
    return look, word


def next_step(order: Order) -> str:
    """Where the buyer goes on: the provider's page or their bank; empty when there is nothing to do."""
    action = order.checkout.get("next_action") or {}
    url = str(action.get("url", ""))
    return url if url.startswith(("https://", "http://")) and not order.is_final else ""


def order(
    order: Order, calls: list[dict[str, Any]], cart: Cart, *, is_owner: bool, api_url: str, refresh: int
) -> bytes:
    """The page. The script asks for ``order_state`` again and again; without it the page loads again."""
    head = '<script src="/store/assets/store.js" defer></script>\n'
    if not order.is_final:
        head = f'<noscript><meta http-equiv="refresh" content="{refresh}"></noscript>\n{head}'
    content = (
        '<p class="sr-only" role="status" aria-live="polite" id="said"></p>'
        f'<div id="state" data-from="/store/orders/{order.number}/state">'
        f"{order_state(order, calls, is_owner=is_owner, api_url=api_url)}</div>"
    )
    return document(CHECKOUT.get(order.status, CHECKOUT["processing"])[2], content, cart=cart, head=head)


def order_state(order: Order, calls: list[dict[str, Any]], *, is_owner: bool, api_url: str) -> str:
    """The part of the page that changes."""
    look, _, sentence, text = CHECKOUT.get(order.status, CHECKOUT["processing"])
    if order.is_being_cancelled:
        look, sentence, text = "progress", "Your order is being cancelled.", "This takes a few seconds."
    final = "yes" if order.is_final else "no"
    return (
        f'<article data-final="{final}" data-says="{escape(sentence)}">'
        f'<section class="hero look-{look}">{icon(ICONS[look])}<h1>{escape(sentence)}</h1>'
        f'<p class="text">{escape(_why(order))} {escape(text)}</p>{_way_on(order)}</section>'
        f"{_parts(order, api_url)}{_actions(order) if is_owner else ''}</article>{_talk(order, calls)}"
    )


def _why(order: Order) -> str:
    """What went wrong, in the words that the payment system has for buyers."""
    if order.status in ("failed", "partially_succeeded"):
        failures = [part["failure"] for part in order.checkout["payment_orders"] if part["failure"]]
        return str(failures[0]["message"]) if failures else ""
    return ""


def _way_on(order: Order) -> str:
    url = next_step(order)
    if not url or order.is_being_cancelled:
        return ""
    is_hosted = order.checkout.get("payment_method") == HOSTED_PAGE
    label = "Continue to the payment page" if is_hosted else "Confirm with your bank"
    return f'<p><a class="button" href="{escape(url)}">{label}</a></p>'


def _parts(order: Order, api_url: str) -> str:
    """What was ordered, seller by seller, each with its own state."""
    known = {part["seller_account"]: part for part in order.checkout.get("payment_orders", [])}
    rows = []
    for seller in SELLERS:
        lines = [line for line in order.lines if line["seller"] == seller]
        if not lines:
            continue
        part = known.get(seller, {"payment_order_status": "NOT_STARTED", "refunded": "0"})
        shown = PART.get(part["payment_order_status"], PART["EXECUTING"])
        refunded = f'<p class="quiet">{escape(part["refunded"])} refunded</p>' if _is_refunded(part) else ""
        things = "".join(
            f"<li><span>{line['quantity']} × {escape(line['name'])}</span>{amount(line['total'])}</li>"
            for line in lines
        )
        rows.append(
            f'<section class="sheet"><h2>{escape(SELLERS[seller])} {state(*shown)}</h2>'
            f"<ul>{things}</ul>{refunded}</section>"
        )
    page = order.checkout.get("id")
    link = f' · <a href="{escape(api_url)}/pay/{escape(page)}">Payment status</a>' if page and api_url else ""
    return (
        f'{"".join(rows)}<p class="total"><span>Total</span>{amount(order.total)}</p>'
        f'<p class="quiet">Order <span class="mono">{escape(order.number)}</span>{link}</p>'
    )


def _is_refunded(part: dict[str, Any]) -> bool:
    return str(part["refunded"]).strip("0.") != ""


def _actions(order: Order) -> str:
    """What the buyer can do. Each form carries the number of the request it would make."""
    found = []
    refusal = order.refusal
    if refusal is not None:
        found.append(
            f'<p class="notice look-failed" role="status">{escape(refusal.message)}'
            f' <span class="quiet">({escape(refusal.code or str(refusal.status))})</span></p>'
        )
    number = f'<input type="hidden" name="n" value="{order.next_number}">'
    if order.can_be_paid_again:
        found.append(
            f'<form method="post" action="/store/orders/{order.number}/again" class="panel" data-once>'
            f'{number}{methods(HOSTED_PAGE)}<button class="button">Try again</button></form>'
        )
    if order.can_be_cancelled:
        found.append(
            f'<form method="post" action="/store/orders/{order.number}/cancel" data-once>{number}'
            '<button class="plain">Cancel this order</button></form>'
        )
    if order.is_final:
        found.append('<p><a href="/store/">Look at the shelf</a></p>')
    return f'<div class="actions">{"".join(found)}</div>' if found else ""


def _talk(order: Order, calls: list[dict[str, Any]]) -> str:
    """The developer view: every call and every webhook of this order, oldest first."""
    rows = "".join(_call(call, order.placed_at) for call in calls)
    webhooks = sum(call["method"] == "WEBHOOK" for call in calls)
    title = f"Developer view: {len(calls) - webhooks} calls, {webhooks} webhooks"
    note = (
        '<p class="quiet">What the store and the payment system said to each other about this order. A POST'
        " repeats its key until it is answered; a webhook is believed when its signature is right, and then"
        " the store asks the API.</p>"
    )
    return f'<details class="talk" id="talk"><summary>{title}</summary>{note}<ol>{rows}</ol></details>'


def _call(call: dict[str, Any], since: float) -> str:
    is_webhook = call["method"] == "WEBHOOK"
    status = call["status"] or "no answer"
    good = call["status"] in range(200, 300)
    times = f' <span class="quiet">{call["times"]} times</span>' if call["times"] > 1 else ""
    took = "" if is_webhook else f' <span class="quiet">{call["milliseconds"]} ms</span>'
    name = "Idempotency-Key" if call["method"] == "POST" else "webhook-id"
    key = (
        f'<p class="quiet">{name}: <span class="mono">{escape(call["key"])}</span></p>' if call["key"] else ""
    )
    sent = f"<pre>{pretty(call['request'])}</pre>" if call["request"] else ""
    got = f"<pre>{pretty(call['response'])}</pre>" if call["response"] else ""
    words = f"{'←' if is_webhook else '→'} {call['method']}"
    colour = "done" if good else "failed"
    return (
        f'<li><details id="call-{call["seq"]}"><summary><span class="mono">+{call["at"] - since:.1f} s'
        f' {words} {escape(call["path"])}</span> <strong class="look-{colour}">{status}</strong>'
        f"{took}{times}</summary>{key}{sent}{got}</details></li>"
    )
