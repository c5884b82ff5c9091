"""Small drawings of the hosted page: signs, and simple marks that stand for the card schemes."""

from __future__ import annotations

BACK = (
    '<svg width="18" height="18" viewBox="0 0 18 18" fill="none" stroke="currentColor" stroke-width="2"'
    ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M15 9H3M8 4 3 9l5 5"/></svg>'
)

LOCK = (
    '<svg class="lock" width="14" height="16" viewBox="0 0 14 16" fill="currentColor" aria-hidden="true">'
    '<path d="M3 7V4.5a4 4 0 0 1 8 0V7h.5A1.5 1.5 0 0 1 13 8.5v6a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 1'
    ' 14.5v-6A1.5 1.5 0 0 1 2.5 7H3Zm2 0h4V4.5a2 2 0 1 0-4 0V7Z"/></svg>'
)

_SIGN = (
    '<svg width="26" height="26" viewBox="0 0 26 26" fill="none" stroke="currentColor" stroke-width="2.6"'
    ' stroke-linecap="round" stroke-linejoin="round">{}</svg>'
)

SIGNS = {
    "done": _SIGN.format('<path d="m5 14 5.5 5.5L21 7"/>'),
    "wait": _SIGN.format('<circle cx="13" cy="13" r="9.5"/><path d="M13 7.5V13l3.5 2.5"/>'),
    "failed": _SIGN.format('<path d="M13 5v10M13 20.5v.01"/>'),
}

LABELS = {
    "visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "discover": "Discover",
    "diners": "Diners Club", "jcb": "JCB", "unionpay": "UnionPay",
}  # fmt: skip

_TEXTS = {
    "visa": ("#1a2a80", "VISA"),
    "amex": ("#1f6fd0", "AMEX"),
    "discover": ("#c4571a", "DISC"),
    "diners": ("#33566b", "DC"),
    "jcb": ("#17694a", "JCB"),
    "unionpay": ("#a3222f", "UP"),
}

#: Shown together when no script chooses between them.
_ALWAYS = ("visa", "mastercard", "amex")


def _mark(brand: str) -> str:
    if brand == "mastercard":
        drawing = (
            '<rect width="32" height="20" rx="3" fill="#1c1e26"/><circle cx="13" cy="10" r="5.5"'
            ' fill="#e8412f"/><circle cx="19" cy="10" r="5.5" fill="#f5a11c" fill-opacity=".9"/>'
        )
    else:
        colour, text = _TEXTS[brand]
        drawing = (
            f'<rect width="32" height="20" rx="3" fill="{colour}"/><text x="16" y="13.6" fill="#fff"'
            ' font-family="Arial,sans-serif" font-size="9.5" font-weight="700" text-anchor="middle">'
            f"{text}</text>"
        )
    hidden = "" if brand in _ALWAYS else ' display="none"'
    return (
        f'<svg width="32" height="20" viewBox="0 0 32 20" data-brand="{brand}" data-label="{LABELS[brand]}"'
        f"{hidden}>{drawing}</svg>"
    )


def brand_marks() -> str:
    """The marks of every scheme; the script shows the one that was typed."""
    return "".join(_mark(brand) for brand in LABELS)
