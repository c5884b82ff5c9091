"""The hosted page of a Checkout Session as HTML: the form, the wallet's sheet, the states without a form."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from sandbox.checkout_form import COUNTRIES, Form, filled
from sandbox.marks import BACK, LOCK, SIGNS, brand_marks
from sandbox.pages import money
from sandbox.psp.numbers import BRANDS, NUMBER_OF, grouped

ASSETS = Path(__file__).parent / "assets"
STYLE = (ASSETS / "checkout.css").read_text()
SCRIPT = (ASSETS / "checkout.js").read_text()

WALLETS = {"apple_pay": "Apple Pay", "google_pay": "Google Pay"}
WALLET_TOKENS = {
    "apple_pay": ("sandboxApplePay", "sandboxApplePayDeclined"),
    "google_pay": ("sandboxGooglePay", "sandboxGooglePayDeclined"),
}

#: The drawer of test cards: heading, then token and what happens.
DRAWER = (
    ("Pays", (("visa", "Visa"), ("mastercard", "Mastercard"), ("amex", "American Express"))),
    ("Asks the bank (3-D Secure)", (
        ("threeDSecure2Required", "Always asks"), ("authenticationRequired", "Asks for every payment"),
        ("threeDSecureRequiredChargeDeclined", "Asks, then declines"),
        ("authenticationRequiredChargeDeclinedInsufficientFunds", "Asks, then no funds"))),
    ("Declines", (
        ("chargeDeclined", "Declined"), ("chargeDeclinedInsufficientFunds", "Insufficient funds"),
        ("chargeDeclinedExpiredCard", "Expired card"), ("chargeDeclinedIncorrectCvc", "Wrong security code"),
        ("chargeDeclinedProcessingError", "Processing error"))),
    ("Checks and risk", (
        ("avsFail", "Address and ZIP checks fail"), ("avsZipFail", "ZIP check fails"),
        ("cvcCheckFail", "Security code check fails"), ("riskLevelElevated", "Elevated risk, pays"),
        ("riskLevelHighest", "Highest risk, blocked"))),
    ("Takes its time", (
        ("sandboxProcessing", "Processing until settled"), ("sandboxReview", "Review for 6 hours, pays"),
        ("sandboxReviewFails", "Review for 6 hours, fails"))),
    ("When the store captures later", (
        ("sandboxCaptureRefused", "The capture is refused"),
        ("sandboxCaptureProcessing", "The capture takes its time"))),
)  # fmt: skip


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


#: Nothing but the page's own style and script runs or loads.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; img-src data:; script-src {_hash(SCRIPT)}; style-src {_hash(STYLE)};"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What is for sale: the session's body and what its creator said of items and merchant."""

    session: dict[str, Any]
    items: list[dict[str, Any]]
    merchant: str

    @property
    def price(self) -> str:
        """The total for people."""
        return money(self.session["amount_total"], self.session["currency"])


def document(title: str, body: str, *, script: bool = True) -> bytes:
    """A whole page in the dress of the checkout."""
    code = f"<script>{SCRIPT}</script>" if script else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="robots" content="noindex"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}{code}</body></html>"
    ).encode()


def _shell(offer: Offer, main: str) -> str:
    return (
        '<a class="skip" href="#main">Skip to the payment</a><div class="shell">'
        f'<header class="side"><div>{_summary(offer)}</div></header>'
        f'<main class="main" id="main"><div>{main}</div></main></div>'
    )


def _summary(offer: Offer) -> str:
    session, name = offer.session, escape(offer.merchant)
    logo = f'<span class="logo" aria-hidden="true">{escape(offer.merchant[:1].upper())}</span>'
    shop = f"{logo}<span>{name}</span>"
    if session["cancel_url"] and session["status"] == "open":
        back = f'<a href="{escape(session["cancel_url"])}" aria-label="Cancel and go back to {name}">'
        shop = f"{back}{BACK}</a>{shop}"
    items = _items(offer)
    number, _, code = offer.price.rpartition(" ")
    return (
        f'<p class="shop">{shop}<span class="badge">SANDBOX</span></p>'
        f'<p class="pay-what">Pay {name}</p>'
        f'<p class="amount">{number} <small>{code}</small></p>'
        f'<details class="order"><summary>What you buy</summary>{items}</details>'
        f'<div class="wide">{items}</div>'
    )


def _items(offer: Offer) -> str:
    rows = []
    for item in offer.items:
        each, quantity = money(item["unit_amount"], item["currency"]), item["quantity"]
        small = [escape(item["description"])] if item["description"] else []
        small += [f"{quantity} × {each}"] if quantity > 1 else []
        note = "".join(f"<small>{line}</small>" for line in small)
        total = money(item["unit_amount"] * quantity, item["currency"])
        rows.append(f'<li><span>{escape(item["name"])}{note}</span><span class="sum">{total}</span></li>')
    return (
        f'<ul class="items">{"".join(rows)}</ul>'
        f'<p class="total"><span>Total</span><span class="sum">{offer.price}</span></p>'
    )


def _input(
    form: Form, name: str, label: str, attributes: str, *, first: str | None, shown: str | None = None,
    about: str = "",
) -> str:  # fmt: skip
    problem = form.errors.get(name, "")
    invalid = ' aria-invalid="true"' if problem else ""
    focus = " autofocus" if name == first else ""
    value = form.value(name) if shown is None else shown
    control = (
        f'<input id="{name}" name="{name}" value="{escape(value)}" {attributes}{invalid}{focus}'
        f' aria-describedby="{name}-error{about}">'
    )
    if name == "number":
        control = (
            f'<div class="withmark">{control}<span class="marks" id="marks" aria-hidden="true">'
            f'{brand_marks()}</span></div><span class="quiet" id="brand-live" aria-live="polite"></span>'
        )
    error = f'<p class="error" id="{name}-error">{escape(problem)}</p>'
    return f'<div class="field"><label for="{name}">{label}</label>{control}{error}</div>'


def _country(form: Form, first: str | None) -> str:
    chosen = form.value("country") or "US"
    options = "".join(
        f'<option value="{code}"{" selected" if code == chosen else ""}>{name}</option>'
        for code, name in sorted(COUNTRIES.items(), key=lambda pair: pair[1])
    )
    problem = form.errors.get("country", "")
    state = f"{' aria-invalid=' + chr(34) + 'true' + chr(34) if problem else ''}"
    focus = " autofocus" if first == "country" else ""
    return (
        '<div class="field"><label for="country">Country or region</label><select id="country" name="country"'
        f' autocomplete="country" aria-describedby="country-error"{state}{focus}>{options}</select>'
        f'<p class="error" id="country-error">{escape(problem)}</p></div>'
    )


def _drawer() -> str:
    groups = []
    for heading, cards in DRAWER:
        buttons = "".join(
            f'<button class="card" type="submit" name="fill" value="{token}" formnovalidate'
            f' data-number="{NUMBER_OF[token]}"><span>{label}</span>'
            f"<code>{grouped(NUMBER_OF[token])}</code></button>"
            for token, label in cards
        )
        groups.append(f"<h3>{heading}</h3>{buttons}")
    return (
        '<details class="drawer"><summary>Test cards: click one to fill it in</summary><div>'
        '<p class="fine">No money moves in the sandbox. Never type a real card.</p>'
        f"{''.join(groups)}</div></details>"
    )


def pay(offer: Offer, form: Form, *, decline: str | None, step: str | None, now: int) -> bytes:
    """The page with the form. ``decline``: why the last attempt failed; ``step``: where the bank waits."""
    names = ("email", "number", "expiry", "cvc", "name", "country", "postal_code", "line1", "city")
    first = next((name for name in names if name in form.errors), "number" if decline else None)
    email = offer.session["customer_email"]
    full = offer.session["billing_address_collection"] == "required"
    about = " decline" if decline else ""
    example = json.dumps(filled("visa").fields)
    body = (
        f"<h1>Payment</h1>{_alerts(form, decline, step)}"
        f"{_wallets(offer)}"
        '<p class="or"><span>or pay by card</span></p>'
        f'<form id="pay" method="post" action="/c/pay/{offer.session["id"]}" novalidate data-once'
        f' data-now="{now}" aria-label="Pay by card">'
        # The first button of a form is the one that Enter presses.
        '<button class="quiet" type="submit" tabindex="-1" aria-hidden="true">Pay</button>'
        + _input(form, "email", "Email",
                 'type="email" autocomplete="email" required' + (" readonly" if email else ""),
                 first=first, shown=email)
        + _input(form, "number", "Card number",
                 'inputmode="numeric" autocomplete="cc-number" required placeholder="1234 1234 1234 1234"'
                 ' maxlength="23"',
                 first=first, shown=grouped(form.value("number")), about=about)
        + '<div class="pair">'
        + _input(form, "expiry", "Expiry date",
                 'inputmode="numeric" autocomplete="cc-exp" required placeholder="MM / YY" maxlength="9"',
                 first=first)
        + _input(form, "cvc", "Security code",
                 'inputmode="numeric" autocomplete="cc-csc" required placeholder="123" maxlength="4"',
                 first=first)
        + "</div>"
        + _input(form, "name", "Name on card", 'autocomplete="cc-name" required', first=first)
        + (
            _input(form, "line1", "Address", 'autocomplete="address-line1" required', first=first)
            + _input(form, "city", "City", 'autocomplete="address-level2" required', first=first)
            if full
            else ""
        )
        + '<div class="pair place">'
        + _country(form, first)
        + _input(form, "postal_code", "Postal or ZIP code",
                 'autocomplete="postal-code" maxlength="12"' + (' data-needed="1"' if full else ""),
                 first=first)
        + "</div>"
        f'<button class="button" type="submit" data-main data-busy="Paying…">{LOCK}'
        f'<span class="spin" aria-hidden="true"></span><span data-text>Pay {offer.price}</span></button>'
        '<p class="quiet" id="live" aria-live="assertive"></p>'
        f"{_cancel(offer)}{_drawer()}</form>"
        f'<script type="application/json" id="brands">{json.dumps(BRANDS)}</script>'
        f'<script type="application/json" id="example">{example}</script>'
    )  # fmt: skip
    wrong = "Error: " if form.errors or decline else ""
    return document(f"{wrong}Pay {offer.price} to {offer.merchant}", _shell(offer, body))


def _alerts(form: Form, decline: str | None, step: str | None) -> str:
    if form.errors:
        count = len(form.errors)
        what = "one field" if count == 1 else f"{count} fields"
        return (
            f'<div class="alert" role="alert"><strong>Please correct {what}</strong>'
            "<p>Nothing was charged.</p></div>"
        )
    if step is not None:
        return (
            '<div class="note" role="status"><strong>Your bank is waiting for you</strong><p>Confirm the'
            " payment there, or pay another way below."
            f' <a href="{escape(step)}">Go to your bank</a></p></div>'
        )
    if decline is not None:
        return (
            f'<div class="alert" role="alert" id="decline"><strong>{escape(decline)}</strong>'
            "<p>Nothing was charged. Try another card or wallet.</p></div>"
        )
    return ""


def _wallets(offer: Offer) -> str:
    links = "".join(
        f'<a class="wallet" href="/c/pay/{offer.session["id"]}/wallet/{kind}"'
        f' aria-label="Pay with {name}">{name}</a>'
        for kind, name in WALLETS.items()
    )
    return f'<nav class="wallets" aria-label="Wallets">{links}</nav>'


def _cancel(offer: Offer) -> str:
    url = offer.session["cancel_url"]
    if not url:
        return ""
    return f'<p class="fine"><a href="{escape(url)}">Cancel and go back to {escape(offer.merchant)}</a></p>'


def wallet(offer: Offer, kind: str) -> bytes:
    """The sheet of a simulated wallet: pay, let it be declined, or go back."""
    name, (good, bad) = WALLETS[kind], WALLET_TOKENS[kind]
    here = f"/c/pay/{offer.session['id']}"
    card = "Visa •••• 4242" if kind == "apple_pay" else "Mastercard •••• 4444"
    body = (
        f'<h1>{name}</h1><p class="note">A simulated wallet. A real one would ask for your face, finger or'
        " code here.</p>"
        f'<dl class="facts"><div><dt>Pay</dt><dd>{escape(offer.merchant)}</dd></div>'
        f"<div><dt>Card</dt><dd>{card}</dd></div><div><dt>Total</dt><dd>{offer.price}</dd></div></dl>"
        f'<form method="post" action="{here}/wallet/{kind}" data-once>'
        f'<button class="button" name="token" value="{good}" data-busy="Paying…">'
        f'<span class="spin" aria-hidden="true"></span><span data-text>Pay {offer.price}</span></button>'
        f'<button class="button second" name="token" value="{bad}">Let the card be declined</button>'
        '<p class="quiet" id="live" aria-live="assertive"></p></form>'
        f'<p class="fine"><a href="{here}">Back to the other ways to pay</a></p>'
    )
    return document(f"{name}: pay {offer.price}", _shell(offer, body))


def state(offer: Offer, *, sign: str, title: str, text: str, link: str | None, label: str) -> bytes:
    """The page without a form: paid, processing, expired, or in trouble."""
    action = f'<a class="button" href="{escape(link)}">{escape(label)}</a>' if link else ""
    kind = {"done": "good", "failed": "bad"}.get(sign, "")
    body = (
        f'<div class="state"><p class="sign {kind}" aria-hidden="true">{SIGNS[sign]}</p>'
        f"<h1>{escape(title)}</h1><p>{escape(text)}</p>{action}</div>"
    )
    return document(f"{title} · {offer.merchant}", _shell(offer, body))
