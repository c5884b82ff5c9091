"""How the books refuse."""

from core.errors import DomainError

__all__ = [
    "AccountGuarded",
    "AccountUnknown",
    "AlreadyCorrected",
    "CorrectionRefused",
    "EntryConflict",
    "EntryUnbalanced",
    "EntryUnknown",
    "GroupNotWhole",
    "PeriodClosed",
    "PeriodNotOver",
    "PlaceUnknown",
]


class EntryConflict(DomainError):
    code = "entry_conflict"
    status = 409
    message = "The books hold an entry with this key and other content."


class AccountGuarded(DomainError):
    code = "account_guarded"
    status = 409
    message = "A wallet-backed account moves only together with its wallet."


class AccountUnknown(DomainError):
    code = "account_unknown"
    status = 404
    message = "The books of this merchant hold no such account."


class EntryUnbalanced(DomainError):
    code = "entry_unbalanced"
    status = 422
    message = "The lines of the entry do not balance."


class AlreadyCorrected(DomainError):
    code = "entry_already_corrected"
    status = 409
    message = "This entry has its correction already; an entry is corrected once."


class CorrectionRefused(DomainError):
    code = "correction_refused"
    status = 409
    message = "A correction takes back exactly the lines of one entry that is not a correction itself."


class EntryUnknown(DomainError):
    code = "entry_unknown"
    status = 404
    message = "The books of this merchant hold no such entry."


class GroupNotWhole(DomainError):
    code = "group_not_whole"
    status = 409
    message = "The entries of a group are posted together, all or none; none joins later."


class PeriodClosed(DomainError):
    code = "period_closed"
    status = 409
    message = "This day of the books is closed and does not change any more."


class PeriodNotOver(DomainError):
    code = "period_not_over"
    status = 409
    message = "A day is closed when it is over, not before."


class PlaceUnknown(DomainError):
    code = "place_unknown"
    status = 409
    message = "What the books knew there cannot be said: it is not settled yet, or was before they remember."
