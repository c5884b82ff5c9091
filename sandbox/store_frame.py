"""What the store's pages have in common: frame, icons, pictures, states, amounts."""

from __future__ import annotations

import json
from html import escape

from sandbox.store_cart import Cart
from sandbox.store_catalogue import CURRENCY, METHODS, money

#: Icon of each look; the look is also the class that gives the colour.
ICONS = {
    "done": '<circle cx="12" cy="12" r="9.5"/><path d="m7.5 12.4 3.1 3.1 6-6.6"/>',
    "failed": '<circle cx="12" cy="12" r="9.5"/><path d="M12 7v6M12 16.6v.2"/>',
    "waiting": '<path d="M6.5 3h11M6.5 21h11M7.5 3c0 5 3.4 6.2 4.5 9-1.1 2.8-4.5 4-4.5 9'
    'M16.5 3c0 5-3.4 6.2-4.5 9 1.1 2.8 4.5 4 4.5 9"/>',
    "progress": '<path d="M20.5 9.5A9 9 0 0 0 4.6 7M3.5 14.5A9 9 0 0 0 19.4 17'
    'M4.2 3v4.2h4.2M19.8 21v-4.2h-4.2"/>',
    "over": '<circle cx="12" cy="12" r="9.5"/><path d="m5.5 18.5 13-13"/>',
    "neutral": '<circle cx="12" cy="12" r="9.5"/>',
}
PICTURES = {
    "book": '<path d="M12 6.5C10 5 7 4.5 3.5 4.5v13c3.5 0 6.5.5 8.5 2 2-1.5 5-2 8.5-2v-13c-3.5 0-6.5.5'
    '-8.5 2zm0 0v13"/>',
    "bell": '<path d="M4 16.5h16M6 16.5a6 6 0 0 1 12 0M12 10.5V8M10 8h4M9 19.5h6"/>',
    "bag": '<path d="M5 8.5h14v11H5zM5 8.5 7.5 5h9L19 8.5M9 8.5v3.5M15 8.5v3.5M5 14.5h14"/>',
    "bike": '<circle cx="6" cy="15.5" r="3.7"/><circle cx="18" cy="15.5" r="3.7"/><path d="m6 15.5 3.5'
    "-7h6L18 15.5M9.5 8.5l3.5 7M15.5 8.5l-2.5 7H6M8 8.5h3M15.5 8.5 15 6h2.5"
    '"/>',
}


def icon(paths: str, name: str = "icon") -> str:
    """A drawing that says nothing to a screen reader; the word beside it does."""
    return (
        f'<svg class="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2"'
        f' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{paths}</svg>'
    )


def state(look: str, word: str) -> str:
    """A state: icon, word and colour."""
    return f'<span class="state look-{look}">{icon(ICONS[look])}{escape(word)}</span>'


def amount(cents: int) -> str:
    """An amount for people."""
    whole, _, rest = money(cents).partition(".")
    return f'<span class="amount">{int(whole):,}.{rest} {CURRENCY}</span>'


def document(title: str, content: str, *, cart: Cart, head: str = "") -> bytes:
    """A whole page of the store; ``head`` and ``content`` are HTML."""
    things = f"Cart ({cart.count})" if cart.count else "Cart"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)} · Two Sellers</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/store/assets/store.css">
{head}</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top"><div class="wide">
<a class="brand" href="/store/">Two Sellers</a><span class="badge">SANDBOX</span>
<nav aria-label="Store"><a href="/store/orders">Orders</a><a href="/store/cart">{things}</a></nav>
</div></header>
<main id="main" class="wide">
{content}
</main>
<footer class="wide">A shop that does not exist: nothing is sent and no money moves. Its code shows how to
connect a store.</footer>
</body>
</html>
""".encode()


def methods(chosen: str) -> str:
    """The ways to pay, to choose one."""
    rows = []
    for value, (name, text) in METHODS.items():
        checked = " checked" if value == chosen else ""
        rows.append(
            f'<label class="method"><input type="radio" name="method" value="{escape(value)}"{checked}>'
            f'<span><strong>{escape(name)}</strong><span class="quiet">{escape(text)}</span></span></label>'
        )
    first, *cards = rows
    return (
        f'<fieldset class="methods"><legend>How would you like to pay?</legend>{first}'
        f'<p class="quiet or">or with a test card, straight from here</p>{"".join(cards)}</fieldset>'
    )


def pretty(text: str) -> str:
    """A body for people: JSON with line breaks, anything else as it is."""
    try:
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return escape(text)
    return escape(text)
