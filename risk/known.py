"""Everything that rules look at, for one payment at one moment; also as it is stored with a decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from core.rows import Query, read_together
from risk.digests import digest
from risk.types import PaymentFacts, Who

__all__ = ["KEYS", "Known", "Part", "keys_of", "known_of", "restored", "with_card"]

KEYS = ("buyer", "email", "ip", "device", "method")

_CARD = """
    SELECT card_key, card_bin, card_brand, card_country FROM risk_riskfact
    WHERE merchant_id = %s AND method_key = %s AND card_key IS NOT NULL AND at <= %s
    ORDER BY at DESC LIMIT 1
"""


@dataclass(frozen=True)
class Part:
    """One seller's part of a payment."""

    seller: str
    seller_days: int
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class Known:
    """One payment in digests. `keys` by kind; `tokens` are the digests that lists are searched for."""

    merchant_id: UUID
    subject_id: UUID
    at: datetime
    parts: tuple[Part, ...]
    keys: Mapping[str, bytes]
    countries: Mapping[str, str]
    sellers: tuple[bytes, ...]
    buys_from_itself: bool
    tokens: frozenset[bytes]
    card: Mapping[str, str] = field(default_factory=dict)

    def totals(self) -> dict[str, int]:
        """Return the amount asked for in each currency, in minor units."""
        sums: dict[str, int] = {}
        for part in self.parts:
            sums[part.currency] = sums.get(part.currency, 0) + part.amount_minor
        return sums

    def as_inputs(self) -> dict[str, Any]:
        """Return what is stored with the decision: `restored` reads it back."""
        return {
            "orders": [vars(part) for part in self.parts],
            "keys": {kind: value.hex() for kind, value in self.keys.items()},
            "countries": dict(self.countries),
            "sellers": [value.hex() for value in self.sellers],
            "buys_from_itself": self.buys_from_itself,
            "tokens": sorted(value.hex() for value in self.tokens),
            "card": dict(self.card),
        }


def keys_of(secret: bytes, who: Who) -> dict[str, bytes]:
    """Return the digest of each thing that is known of the buyer."""
    values = (who.buyer_account, who.email, who.ip, who.device_id, who.method)
    found = {kind: digest(secret, kind, value) for kind, value in zip(KEYS, values, strict=True)}
    return {kind: value for kind, value in found.items() if value is not None}


def known_of(secret: bytes, facts: PaymentFacts, at: datetime) -> Known:
    """Return a payment as rules see it, the card still unknown."""
    keys = keys_of(secret, facts.who)
    accounts = sorted({order.seller_account for order in facts.orders})
    countries = {
        "billing": facts.who.billing_country,
        "shipping": facts.who.shipping_country,
        "ip": facts.who.ip_country,
    }
    countries = {where: country for where, country in countries.items() if country}
    tokens = {*keys.values()}
    tokens |= {token for each in accounts if (token := digest(secret, "seller", each))}
    tokens |= {token for each in countries.values() if (token := digest(secret, "country", each))}
    return Known(
        merchant_id=facts.merchant_id,
        subject_id=facts.subject_id,
        at=at,
        parts=tuple(
            Part(order.seller_account, (at - order.seller_since).days, order.amount_minor, order.currency)
            for order in facts.orders
        ),
        keys=keys,
        countries=countries,
        # A seller who buys does so under the same name, or one of the same mailbox, device or card.
        sellers=tuple(token for each in accounts if (token := digest(secret, "buyer", each))),
        buys_from_itself=facts.who.buyer_account in accounts,
        tokens=frozenset(tokens),
    )


def with_card(secret: bytes, known: Known) -> Known:
    """Add what earlier payments told of the card behind the payment method."""
    method = known.keys.get("method")
    if method is None:
        return known
    [rows] = read_together(Query(_CARD, [known.merchant_id, method, known.at]))
    if not rows:
        return known
    card_key, bin_, brand, country = rows[0]
    card = {name: value for name, value in (("bin", bin_), ("brand", brand), ("country", country)) if value}
    more = (digest(secret, "bin", bin_ or ""), digest(secret, "card_country", country))
    return replace(
        known,
        keys={**known.keys, "card": bytes(card_key)},
        countries={**known.countries, **({"card": country} if country else {})},
        tokens=known.tokens | {bytes(card_key)} | {token for token in more if token},
        card=card,
    )


def restored(merchant_id: UUID, subject_id: UUID, at: datetime, inputs: Mapping[str, Any]) -> Known:
    """Return a payment as it was when it was decided, from what was stored then."""
    return Known(
        merchant_id=merchant_id,
        subject_id=subject_id,
        at=at,
        parts=tuple(Part(**part) for part in inputs["orders"]),
        keys={kind: bytes.fromhex(value) for kind, value in inputs["keys"].items()},
        countries=inputs["countries"],
        sellers=tuple(bytes.fromhex(value) for value in inputs["sellers"]),
        buys_from_itself=inputs["buys_from_itself"],
        tokens=frozenset(bytes.fromhex(value) for value in inputs["tokens"]),
        card=inputs["card"],
    )
