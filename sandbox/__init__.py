"""The world outside: a payment service provider and a store, for development, demos and tests.

Run it with ``python -m sandbox --port 8300 --data var/sandbox``. It is a process of its own with its own
settings and its own SQLite file, it needs nothing but the standard library, and it shares no module and no
constant with the product: the two meet only over HTTP, as they would in production.

Parts
-----
``server``   a small threaded HTTP/1.1 server; own code because faults need the raw socket
             (reset after the body, silence, slow drip, a listener that really refuses).
``psp``      the provider: speaks Stripe's API well enough for Stripe's official SDK.
``webhooks`` signed webhooks of the provider, with a durable queue.
``faults``   misbehaviour on demand, deterministic by seed.
``checkout`` the provider's hosted page, its form and its drawings; ``bank`` the buyer's bank.
``alarms``   what happens by itself when the sandbox clock reaches a moment.
``banking``  the bank that pays the sellers: payables API, bank files, statements.
``vendor``   a slow vendor of risk assessments.
``store``    the receiver of the product's own webhooks.
``control``  ``/_sandbox/``: arm faults, read the journal of effects, move the clock, reset.

The journal of effects (``journal``) is append-only and is the oracle of the product's tests: it says what
money really moved, whatever the answers on the wire said.
"""
