"""What holds, releases and debts must do, as dictionaries: no database, nothing of the product."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.stateful.calls import ReadWallet
from tests.stateful.model import Outcome

__all__ = ["Cancel", "Confirm", "Expire", "Fund", "HoldCall", "HoldModel", "Owe", "Purse", "Release", "Try"]

Purse = tuple[str, str]


@dataclass(frozen=True)
class Fund:
    """Money comes into one bucket; what is owed is paid from it, if it may be spent."""

    owner: str
    currency: str
    bucket: str
    minor: int
    key: str


@dataclass(frozen=True)
class Owe:
    """A seller has to pay: from what is available, and owes the rest."""

    owner: str
    currency: str
    minor: int
    key: str


@dataclass(frozen=True)
class Try:
    """Hold money; with `due` its time is over as soon as it is held."""

    owner: str
    currency: str
    purpose: str
    subject: str
    minor: int
    due: bool = False


@dataclass(frozen=True)
class Confirm:
    """Take so much of a hold, give back the rest."""

    currency: str
    purpose: str
    subject: str
    minor: int


@dataclass(frozen=True)
class Cancel:
    """Give a hold back, or see to it that it is never made."""

    owner: str
    currency: str
    purpose: str
    subject: str


@dataclass(frozen=True)
class Release:
    """Pending becomes available, less a tranche of the reserve."""

    owner: str
    currency: str
    key: str
    minor: int
    bps: int = 0
    due: bool = False


@dataclass(frozen=True)
class Expire:
    """Give back every hold whose time is over."""


HoldCall = Fund | Owe | Try | Confirm | Cancel | Release | Expire | ReadWallet


@dataclass(frozen=True)
class Kept:
    """A hold as the model has it."""

    purse: Purse
    minor: int
    due: bool
    state: str = "OPEN"
    settled: int = 0

    @property
    def told(self) -> tuple[str, int, int, int]:
        """State, amount, and what was taken and given back of it."""
        released = 0 if self.state == "OPEN" else self.minor - self.settled
        return self.state, self.minor, self.settled, released


@dataclass
class HoldModel:
    """Wallets, holds and what was posted; `after` leaves it alone and makes the next one."""

    wallets: dict[Purse, dict[str, int]] = field(default_factory=dict)
    holds: dict[tuple[str, str], Kept] = field(default_factory=dict)
    posted: dict[str, Any] = field(default_factory=dict)

    def open(self, owner: str, currency: str) -> None:
        """An empty wallet."""
        empty = {"pending": 0, "available": 0, "held": 0, "receivable": 0}
        self.wallets.setdefault((owner, currency), empty)

    def after(self, call: Any) -> tuple[Outcome, "HoldModel"]:
        """The answer to a call, and the state after it."""
        after = HoldModel({p: dict(w) for p, w in self.wallets.items()}, dict(self.holds), dict(self.posted))
        answer = _MUST[type(call)](after, call)
        return (answer, self) if answer.refusals else (answer, after)

    def state(self) -> object:
        """Equal for equal states."""
        return (
            frozenset((purse, *wallet.values()) for purse, wallet in self.wallets.items()),
            frozenset(self.holds.items()),
            frozenset(self.posted),
        )

    def stored(self) -> tuple[dict[Purse, tuple[int, ...]], dict[tuple[str, str], tuple[Any, ...]]]:
        """What must be in the database."""
        return (
            {purse: tuple(wallet.values()) for purse, wallet in self.wallets.items()},
            {key: (kept.purse, *kept.told) for key, kept in self.holds.items()},
        )

    def gain(self, purse: Purse, minor: int) -> None:
        """It may be spent, but for what is owed."""
        wallet = self.wallets[purse]
        wallet["available"] += minor
        netted = min(wallet["available"], wallet["receivable"]) if minor else 0
        wallet["available"] -= netted
        wallet["receivable"] -= netted

    def give_back(self, key: tuple[str, str], state: str, *, settled: int = 0) -> None:
        """A hold ends."""
        kept = self.holds[key]
        self.wallets[kept.purse]["held"] -= kept.minor
        self.gain(kept.purse, kept.minor - settled)
        self.holds[key] = replace(kept, state=state, settled=settled)

    def once(self, key: str, content: Any) -> Outcome | None:
        """The answer if the key is known."""
        if key in self.posted:
            return Outcome(new=(False,)) if self.posted[key] == content else refused("entry_conflict")
        self.posted[key] = content
        return None


def refused(*codes: str) -> Outcome:
    """One of these refusals."""
    return Outcome(refusals=frozenset(codes))


def _must_fund(model: HoldModel, call: Fund) -> Outcome:
    if known := model.once(call.key, call):
        return known
    purse = call.owner, call.currency
    if call.bucket == "available":
        model.gain(purse, call.minor)
    else:
        model.wallets[purse][call.bucket] += call.minor
    return Outcome(new=(True,))


def _must_owe(model: HoldModel, call: Owe) -> Outcome:
    wallet = model.wallets[call.owner, call.currency]
    paid = min(wallet["available"], call.minor)
    wallet["available"] -= paid
    wallet["receivable"] += call.minor - paid
    return Outcome(new=(True,))


def _must_try(model: HoldModel, call: Try) -> Outcome:
    key, purse = (call.purpose, call.subject), (call.owner, call.currency)
    if kept := model.holds.get(key):
        if kept.purse != purse:
            return refused("hold_conflict")
        if not kept.minor:
            return refused("hold_canceled")
        same = (kept.minor, kept.due) == (call.minor, call.due)
        return Outcome(value=kept.told) if same else refused("hold_conflict")
    wallet = model.wallets[purse]
    if call.minor > wallet["available"]:
        return refused("insufficient_funds")
    wallet["available"] -= call.minor
    wallet["held"] += call.minor
    model.holds[key] = Kept(purse, call.minor, call.due)
    return Outcome(value=model.holds[key].told)


def _must_confirm(model: HoldModel, call: Confirm) -> Outcome:
    key = call.purpose, call.subject
    kept = model.holds.get(key)
    if kept is None:
        return refused("hold_unknown")
    if kept.state in ("RELEASED", "EXPIRED"):
        return refused("hold_canceled" if kept.state == "RELEASED" else "hold_expired")
    if kept.state == "SETTLED":
        return Outcome(value=kept.told) if kept.settled == call.minor else refused("hold_conflict")
    if call.minor > kept.minor:
        return refused("amount_exceeds_hold")
    if kept.due:
        return refused("hold_expired")
    model.give_back(key, "SETTLED", settled=call.minor)
    return Outcome(value=model.holds[key].told)


def _must_cancel(model: HoldModel, call: Cancel) -> Outcome:
    key, purse = (call.purpose, call.subject), (call.owner, call.currency)
    kept = model.holds.get(key)
    if kept is None:
        model.holds[key] = Kept(purse, 0, False, "RELEASED")
    elif kept.purse != purse:
        return refused("hold_conflict")
    elif kept.state == "SETTLED":
        return refused("hold_settled")
    elif kept.state == "OPEN":
        model.give_back(key, "RELEASED")
    return Outcome(value=model.holds[key].told)


def _must_release(model: HoldModel, call: Release) -> Outcome:
    key, purse = ("reserve", call.key), (call.owner, call.currency)
    reserve = (2 * call.minor * call.bps + 10_000) // 20_000
    kept = model.holds.get(key)
    if reserve and kept:
        if kept.purse != purse:
            return refused("hold_conflict")
        if not kept.minor:
            return refused("hold_canceled")
        if (kept.minor, kept.due) != (reserve, call.due):
            return refused("hold_conflict")
    content = purse, call.minor, reserve
    if known := model.once(f"release {call.key}", content):
        return known
    wallet = model.wallets[purse]
    if call.minor > wallet["pending"]:
        return refused("insufficient_funds")
    wallet["pending"] -= call.minor
    wallet["held"] += reserve
    if reserve:
        model.holds[key] = Kept(purse, reserve, call.due)
    model.gain(purse, call.minor - reserve)
    return Outcome(new=(True,))


def _must_expire(model: HoldModel, call: Expire) -> Outcome:
    for key, kept in model.holds.items():
        if kept.due and kept.state == "OPEN":
            model.give_back(key, "RELEASED" if key[0] == "reserve" else "EXPIRED")
    return Outcome()


def _must_read(model: HoldModel, call: ReadWallet) -> Outcome:
    return Outcome(value=tuple(model.wallets[call.owner, call.currency].values()))


_MUST: dict[type, Callable[[HoldModel, Any], Outcome]] = {
    Fund: _must_fund,
    Owe: _must_owe,
    Try: _must_try,
    Confirm: _must_confirm,
    Cancel: _must_cancel,
    Release: _must_release,
    Expire: _must_expire,
    ReadWallet: _must_read,
}
