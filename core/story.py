"""What happened to something, told in chapters: what every app's pages of a story are made of."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Amount", "BookLine", "Chapter", "Step"]


@dataclass(frozen=True)
class BookLine:
    """One side of an account in an entry: a debit when positive."""

    account_id: int
    account: str
    owner: str
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class Amount:
    """A figure of a step and what it is; minor units."""

    label: str
    minor: int
    currency: str


@dataclass(frozen=True)
class Step:
    """One thing that happened. `body` is evidence, redacted; `lines` are an entry's.

    `key` names the page that shows more of it, according to the kind of its chapter.
    """

    at: datetime
    what: str
    subject: str = ""
    state: str = ""
    why: str = ""
    by: str = ""
    body: str = ""
    key: str = ""
    lines: tuple[BookLine, ...] = ()
    amounts: tuple[Amount, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """One exchange: with whom is its `kind`.

    request, risk, exchange (with a provider), webhook (from it), wallet, books, settlement (a provider's
    file), bank, break, payout, account, told (a webhook to the store).
    """

    kind: str
    title: str
    at: datetime
    steps: tuple[Step, ...]
