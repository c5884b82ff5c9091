"""Plain pages for people: what this process is, and short messages."""

from __future__ import annotations

from html import escape

from sandbox.psp.currencies import NO_DECIMAL, THREE_DECIMAL

STYLE = """
:root{color-scheme:light dark;--line:#8884;--accent:#3457d5}
*{box-sizing:border-box}body{margin:0;font:16px/1.55 system-ui,sans-serif}
main{max-width:44rem;margin:0 auto;padding:2rem 1.25rem 4rem}
.badge{display:inline-block;padding:.1rem .55rem;border-radius:1rem;background:#b45309;color:#fff;
font-size:.75rem;font-weight:700;letter-spacing:.06em}
h1{font-size:1.7rem;line-height:1.2;margin:.6rem 0}h2{font-size:1.1rem;margin:2rem 0 .4rem}
table{border-collapse:collapse;width:100%}td,th{padding:.4rem .5rem;border-bottom:1px solid var(--line);
text-align:left;vertical-align:top}td.n{text-align:right;font-variant-numeric:tabular-nums}
code{font-size:.9em;overflow-wrap:anywhere}.amount{font-size:2rem;font-variant-numeric:tabular-nums}
form{display:flex;gap:.75rem;flex-wrap:wrap;margin:.75rem 0}
button{font:inherit;padding:.65rem 1.2rem;border-radius:.5rem;border:1px solid var(--line);cursor:pointer}
button.main{background:var(--accent);border-color:var(--accent);color:#fff}
button:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
"""


def document(title: str, content: str) -> bytes:
    """A whole HTML page."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f'<body><main><span class="badge">SANDBOX</span>{content}</main></body></html>'
    ).encode()


def index(*, base_url: str, control_url: str, version: str, counts: dict[str, int]) -> bytes:
    """The first page: what this is, what is in it, where to steer it."""
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="n">{count}</td></tr>' for name, count in counts.items()
    )
    return document(
        "Sandbox",
        "<h1>The world outside</h1>"
        "<p>A payment provider, a bank, a risk vendor and a store that do not exist. No money moves here;"
        " everything else behaves as it would. Programs talk to it over HTTP and cannot tell.</p>"
        "<h2>Try it</h2><p>The provider's hosted page, with test cards to click in:</p>"
        '<form method="post" action="/c/pay/demo"><button class="main">Open a demo checkout</button></form>'
        "<h2>Addresses</h2><table>"
        f"<tr><th>Provider API</th><td><code>{escape(base_url)}/v1/</code>"
        f" speaks Stripe {escape(version)}</td></tr>"
        f"<tr><th>Risk vendor</th><td><code>{escape(base_url)}/_vendor/v1/assessments</code></td></tr>"
        f"<tr><th>Bank</th><td><code>{escape(base_url)}/bank/v1/</code> and"
        f" <code>{escape(base_url)}/bank/files/</code></td></tr>"
        f"<tr><th>Store's webhook receiver</th><td><code>{escape(base_url)}/store/webhooks</code></td></tr>"
        f"<tr><th>Control</th><td><code>{escape(base_url)}/_sandbox/</code>, also at"
        f" <code>{escape(control_url)}/_sandbox/</code></td></tr></table>"
        f"<h2>So far</h2><table>{rows}</table>"
        '<p><a href="/bank">Bank</a> ·'
        ' <a href="/_sandbox/journal">Journal of effects</a> · <a href="/_sandbox/requests">Requests</a> ·'
        ' <a href="/_sandbox/deliveries">Webhook deliveries</a> ·'
        ' <a href="/_sandbox/faults">Armed faults</a></p>',
    )


def places_of(currency: str) -> int:
    """How many decimals the currency has."""
    return 3 if currency in THREE_DECIMAL else 0 if currency in NO_DECIMAL else 2


def money(amount: int, currency: str) -> str:
    """Minor units for people, thousands apart: two decimals, except where the currency has none or three."""
    places = places_of(currency)
    whole, rest = divmod(amount, 10**places)
    text = f"{whole:,}" if places == 0 else f"{whole:,}.{rest:0{places}d}"
    return f"{text} {currency.upper()}"


def message(title: str, text: str) -> bytes:
    """A page that says one thing."""
    return document(title, f"<h1>{escape(title)}</h1><p>{escape(text)}</p>")
