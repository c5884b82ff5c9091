"""The pages of the buyer's bank."""

from __future__ import annotations

from html import escape

from sandbox.checkout_pages import document


def step(*, merchant: str, price: str, card: str, date: str, action: str) -> bytes:
    """The bank's own page of a 3-D Secure step."""
    return document(
        "Confirm your payment · Sandbox Bank",
        '<div class="bank"><div><header><span class="logo" aria-hidden="true">B</span>Sandbox Bank'
        '<span class="badge">SANDBOX</span></header><main><h1>Is this payment yours?</h1>'
        "<p>Your bank asks you to confirm it before the card is charged.</p>"
        f'<dl class="facts"><div><dt>Merchant</dt><dd>{escape(merchant)}</dd></div>'
        f"<div><dt>Amount</dt><dd><strong>{escape(price)}</strong></dd></div>"
        f"<div><dt>Card</dt><dd>{escape(card)}</dd></div><div><dt>Date</dt><dd>{escape(date)}</dd></div></dl>"
        f'<form method="post" action="{escape(action)}" data-once>'
        '<button class="button" name="result" value="complete">Confirm payment</button>'
        '<button class="button second" name="result" value="fail">Refuse</button>'
        '<p class="quiet" id="live" aria-live="assertive"></p></form>'
        '<p class="fine">The bank of the sandbox: a real one would ask for a code or its app.</p>'
        "</main></div></div>",
    )


def message(title: str, text: str, *, link: str | None = None) -> bytes:
    """The bank says one thing."""
    action = f'<a class="button" href="{escape(link)}">Go back</a>' if link else ""
    return document(
        f"{title} · Sandbox Bank",
        '<div class="bank"><div><header><span class="logo" aria-hidden="true">B</span>Sandbox Bank'
        f'<span class="badge">SANDBOX</span></header><main><h1>{escape(title)}</h1><p>{escape(text)}</p>'
        f"{action}</main></div></div>",
        script=False,
    )
