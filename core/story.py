"""What happened to something, told in chapters: what every app's pages of a story are made of."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["BookLine", "Chapter", "Step"]


@dataclass(frozen=True)
class BookLine:
    """One side of an account in an entry: a debit when positive."""

    account_id: int
    account: str
    owner: str
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class Step:
    """One thing that happened. `body` is evidence, redacted; `lines` are an entry's."""

    at: datetime
    what: str
    subject: str = ""
    state: str = ""
    why: str = ""
    by: str = ""
    body: str = ""
    key: str = ""
    lines: tuple[BookLine, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """One exchange: `kind` is request, payout, account, risk, exchange, webhook or books."""

    kind: str
    title: str
    at: datetime
    steps: tuple[Step, ...]
