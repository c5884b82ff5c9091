"""The kinds of rules: what each is told by its parameters, what it asks the history, and when it hits.

A kind computes nothing but its own answer: no rule sees another's, so their order cannot matter. Every
question is bounded by a LIMIT and served by an index of risk_riskfact.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from core.money import MAX_MINOR_PER_CHECKOUT
from core.rows import Query
from risk.known import Known

__all__ = ["KINDS", "LIST_KEYS", "Answer", "Kind", "parse"]

LIST_KEYS = ("buyer", "email", "ip", "device", "card", "bin", "card_country", "country", "seller")
_MOST = 10_000
_LONGEST_SECONDS = 400 * 86_400
Rows = Sequence[tuple[Any, ...]]


@dataclass(frozen=True)
class Answer:
    """What a rule found. `decision` overrides the rule's own where the thing it found has one."""

    is_hit: bool
    detail: Mapping[str, Any]
    decision: str = ""


class Kind(Protocol):
    """One rule of a kind, ready to be asked."""

    @property
    def needs_card(self) -> bool:
        """Say whether it asks about the card behind the payment method."""
        ...

    def question(self, known: Known) -> Query | None:
        """Return what must be read first, or None."""
        ...

    def answer(self, known: Known, rows: Rows) -> Answer:
        """Say whether it hits, given what was read (nothing, where nothing was asked)."""
        ...


@dataclass(frozen=True)
class AmountOver:
    """The payment asks for more than a limit in its currency. params: {"limits": {"USD": minor, …}}."""

    limits: Mapping[str, int]
    needs_card = False

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> "AmountOver":
        """Raises ValueError."""
        limits = _only(params, "limits")["limits"]
        if not isinstance(limits, dict) or not limits:
            raise ValueError("limits: give at least one currency and its limit in minor units")
        for currency, limit in limits.items():
            if not (isinstance(currency, str) and len(currency) == 3 and currency.isupper()):
                raise ValueError(f"limits: {currency!r} is no currency")
            _whole(limit, f"limits.{currency}", 0, MAX_MINOR_PER_CHECKOUT)
        return cls(limits)

    def question(self, known: Known) -> Query | None:
        return None

    def answer(self, known: Known, rows: Rows) -> Answer:
        totals = known.totals()
        over = {c: total for c, total in sorted(totals.items()) if total > self.limits.get(c, total)}
        return Answer(bool(over), {"total_minor": over})


_COLUMNS = {
    "buyer": "buyer_key",
    "email": "email_key",
    "ip": "ip_key",
    "device": "device_key",
    "method": "method_key",
    "card": "card_key",
    "bin": "card_bin",
}
# Of a card only outcomes tell, so payments by card or BIN are tries that had an outcome.
_SELECTS = {
    "payments": (
        "count(DISTINCT subject_id)",
        "subject_id",
        "{accepted} AND subject_id <> %(subject)s",
    ),
    "amount": (
        "coalesce(sum(amount_minor), 0)::bigint",
        "amount_minor",
        "{accepted} AND subject_id <> %(subject)s AND currency = %(currency)s",
    ),
    "declines": ("count(*)", "1", "kind = 'declined'"),
    "cards": ("count(DISTINCT card_key)", "card_key", "kind <> 'accepted' AND card_key IS NOT NULL"),
}


@dataclass(frozen=True)
class Velocity:
    """Too much of something for one buyer, mailbox, address, device, card, BIN, or for the whole store.

    params: {"key", "measure": payments | amount | declines | cards, "window_seconds", "over",
    "currency" (for amount)}. This payment counts as one more payment, and with its amount.
    """

    key: str
    measure: str
    window_seconds: int
    over: int
    currency: str

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> "Velocity":
        """Raises ValueError."""
        given = _only(params, "key", "measure", "window_seconds", "over", optional=("currency",))
        _one_of(given["key"], "key", (*_COLUMNS, "merchant"))
        _one_of(given["measure"], "measure", tuple(_SELECTS))
        is_amount = given["measure"] == "amount"
        _whole(given["window_seconds"], "window_seconds", 1, _LONGEST_SECONDS)
        _whole(given["over"], "over", 0, MAX_MINOR_PER_CHECKOUT if is_amount else _MOST)
        currency = given.get("currency", "")
        if is_amount and not (isinstance(currency, str) and len(currency) == 3 and currency.isupper()):
            raise ValueError("currency: an amount needs one")
        return cls(given["key"], given["measure"], given["window_seconds"], given["over"], currency)

    @property
    def needs_card(self) -> bool:
        """A card is known only from earlier payments with the same payment method."""
        return self.key in ("card", "bin")

    def question(self, known: Known) -> Query | None:
        condition = "merchant_id = %s"
        params: list[Any] = [known.merchant_id]
        if self.key != "merchant":
            value: Any = known.card.get("bin") if self.key == "bin" else known.keys.get(self.key)
            if value is None:
                return None
            condition += f" AND {_COLUMNS[self.key]} = %s"
            params.append(value)
        total, column, kind = _SELECTS[self.measure]
        kind = kind.format(accepted="kind <> 'accepted'" if self.needs_card else "kind = 'accepted'")
        named = {"subject": known.subject_id, "currency": self.currency}
        params += [known.at - timedelta(seconds=self.window_seconds), known.at]
        for name, each in named.items():
            if f"%({name})s" in kind:
                kind = kind.replace(f"%({name})s", "%s")
                params.append(each)
        # Columns and conditions come from the tables above, never from parameters.
        sql = (
            f"SELECT {total} FROM (SELECT {column} FROM risk_riskfact WHERE {condition}"  # noqa: S608
            f" AND at > %s AND at <= %s AND {kind} ORDER BY at DESC LIMIT %s) AS seen"
        )
        return Query(sql, [*params, self.over + 1 if self.measure == "declines" else _MOST])

    def answer(self, known: Known, rows: Rows) -> Answer:
        if not rows:
            return Answer(False, {})
        measured = int(rows[0][0])
        if self.measure == "payments":
            measured += 1
        if self.measure == "amount":
            measured += known.totals().get(self.currency, 0)
        return Answer(measured > self.over, {"measured": measured, "over": self.over})


@dataclass(frozen=True)
class CountryMismatch:
    """Two of the countries that are known differ. params: {"between": ["billing", "card", …]}."""

    between: tuple[str, ...]

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> "CountryMismatch":
        """Raises ValueError."""
        between = _only(params, "between")["between"]
        if not isinstance(between, list) or len(set(map(str, between))) < 2:
            raise ValueError("between: name at least two of billing, shipping, card, ip")
        for each in between:
            _one_of(each, "between", ("billing", "shipping", "card", "ip"))
        return cls(tuple(sorted(set(between))))

    @property
    def needs_card(self) -> bool:
        """The card's country comes from earlier payments."""
        return "card" in self.between

    def question(self, known: Known) -> Query | None:
        return None

    def answer(self, known: Known, rows: Rows) -> Answer:
        seen = {each: known.countries[each] for each in self.between if each in known.countries}
        return Answer(len(set(seen.values())) > 1, {"countries": seen})


_CHECKS = """
    SELECT avs, cvc FROM risk_riskfact
    WHERE merchant_id = %s AND {column} = %s AND at > %s AND at <= %s AND kind <> 'accepted'
      AND (avs = ANY (%s::text[]) OR cvc = ANY (%s::text[]))
    ORDER BY at DESC LIMIT %s
"""
_RESULTS = ("pass", "fail", "unavailable", "unchecked")


@dataclass(frozen=True)
class CardChecks:
    """Earlier charges of the same buyer or card had these results of the address or security code check.

    params: {"by": buyer | email | device | ip | card | method, "avs": […], "cvc": […], "window_seconds",
    "at_least"}.
    """

    by: str
    avs: tuple[str, ...]
    cvc: tuple[str, ...]
    window_seconds: int
    at_least: int

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> "CardChecks":
        """Raises ValueError."""
        given = _only(params, "by", "window_seconds", optional=("avs", "cvc", "at_least"))
        _one_of(given["by"], "by", ("buyer", "email", "device", "ip", "card", "method"))
        _whole(given["window_seconds"], "window_seconds", 1, _LONGEST_SECONDS)
        results = {}
        for name in ("avs", "cvc"):
            results[name] = given.get(name, [])
            if not isinstance(results[name], list):
                raise ValueError(f"{name}: a list of {', '.join(_RESULTS)}")
            for each in results[name]:
                _one_of(each, name, _RESULTS)
        if not (results["avs"] or results["cvc"]):
            raise ValueError("avs, cvc: name at least one result")
        at_least = given.get("at_least", 1)
        _whole(at_least, "at_least", 1, _MOST)
        avs, cvc = tuple(results["avs"]), tuple(results["cvc"])
        return cls(given["by"], avs, cvc, given["window_seconds"], at_least)

    @property
    def needs_card(self) -> bool:
        """A card is known from earlier payments."""
        return self.by == "card"

    def question(self, known: Known) -> Query | None:
        value = known.keys.get(self.by)
        if value is None:
            return None
        since = known.at - timedelta(seconds=self.window_seconds)
        params = [known.merchant_id, value, since, known.at, list(self.avs), list(self.cvc), self.at_least]
        return Query(_CHECKS.format(column=_COLUMNS[self.by]), params)

    def answer(self, known: Known, rows: Rows) -> Answer:
        return Answer(len(rows) >= self.at_least, {"seen": len(rows)})


_ON_LIST = """
    SELECT l.kind, l.key_kind FROM risk_risklist l JOIN risk_risklistentry e ON e.list_id = l.id
    WHERE l.merchant_id = %s AND l.name = %s AND e.digest = ANY (%s::bytea[]) AND e.removed_at IS NULL
    LIMIT 1
"""
_MEANS = {"block": "decline", "allow": "approve", "review": "review"}


@dataclass(frozen=True)
class ListHit:
    """Something of the payment is on a list. params: {"list": its name}.

    Without a decision of the rule's own, the list's kind decides: block, allow or review.
    """

    name: str
    needs_card = True

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> "ListHit":
        """Raises ValueError."""
        name = _only(params, "list")["list"]
        if not isinstance(name, str) or not name:
            raise ValueError("list: the name of a list")
        return cls(name)

    def question(self, known: Known) -> Query | None:
        return Query(_ON_LIST, [known.merchant_id, self.name, sorted(known.tokens)])

    def answer(self, known: Known, rows: Rows) -> Answer:
        if not rows:
            return Answer(False, {})
        kind, key_kind = rows[0]
        return Answer(True, {"list": self.name, "key": key_kind}, decision=_MEANS[kind])


@dataclass(frozen=True)
class NewSeller:
    """A seller of the payment has been here for a short time only. params: {"days"}."""

    days: int
    needs_card = False

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> "NewSeller":
        """Raises ValueError."""
        days = _only(params, "days")["days"]
        _whole(days, "days", 1, 3650)
        return cls(days)

    def question(self, known: Known) -> Query | None:
        return None

    def answer(self, known: Known, rows: Rows) -> Answer:
        new = sorted({part.seller for part in known.parts if part.seller_days < self.days})
        return Answer(bool(new), {"sellers": new[:10]})


_SAME_HANDS = """
    SELECT email_key, device_key, card_key FROM risk_riskfact
    WHERE merchant_id = %s AND buyer_key = ANY (%s::bytea[]) AND at > %s AND at <= %s
      AND (email_key = %s OR device_key = %s OR card_key = %s)
    LIMIT 1
"""


@dataclass(frozen=True)
class BuyerIsSeller:
    """The buyer and a seller are one, or share a mailbox, a device or a card. params: {"window_seconds"}."""

    window_seconds: int
    needs_card = True

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> "BuyerIsSeller":
        """Raises ValueError."""
        seconds = _only(params, "window_seconds")["window_seconds"]
        _whole(seconds, "window_seconds", 1, _LONGEST_SECONDS)
        return cls(seconds)

    def question(self, known: Known) -> Query | None:
        theirs = [known.keys.get(kind) for kind in ("email", "device", "card")]
        if known.buys_from_itself or not any(theirs):
            return None
        since = known.at - timedelta(seconds=self.window_seconds)
        return Query(_SAME_HANDS, [known.merchant_id, list(known.sellers), since, known.at, *theirs])

    def answer(self, known: Known, rows: Rows) -> Answer:
        if known.buys_from_itself:
            return Answer(True, {"shares": ["account"]})
        if not rows:
            return Answer(False, {})
        shared = zip(("email", "device", "card"), rows[0], strict=True)
        same = [kind for kind, value in shared if value is not None and bytes(value) == known.keys.get(kind)]
        return Answer(True, {"shares": same})


KINDS: dict[str, Callable[[Mapping[str, Any]], Kind]] = {
    "amount_over": AmountOver.parse,
    "velocity": Velocity.parse,
    "country_mismatch": CountryMismatch.parse,
    "card_checks": CardChecks.parse,
    "list_hit": ListHit.parse,
    "new_seller": NewSeller.parse,
    "buyer_is_seller": BuyerIsSeller.parse,
}


def parse(kind: str, params: Any) -> Kind:
    """Return a rule of a kind, ready to be asked. Raises ValueError, in words for people."""
    if kind not in KINDS:
        raise ValueError(f"kind: one of {', '.join(KINDS)}")
    if not isinstance(params, dict):
        raise ValueError("params: an object")
    return KINDS[kind](params)


def _only(params: Mapping[str, Any], *needed: str, optional: Sequence[str] = ()) -> Mapping[str, Any]:
    missing = [name for name in needed if name not in params]
    unknown = sorted(set(params) - {*needed, *optional})
    if missing or unknown:
        problem = f"{', '.join(missing)} is missing" if missing else f"{', '.join(unknown)} is not known here"
        raise ValueError(f"params: {problem}")
    return params


def _whole(value: Any, name: str, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name}: a whole number from {least} to {most}")


def _one_of(value: Any, name: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise ValueError(f"{name}: one of {', '.join(allowed)}")
