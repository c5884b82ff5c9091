"""How the books refuse."""

from core.errors import DomainError

__all__ = ["AccountGuarded", "EntryConflict", "EntryUnbalanced"]


class EntryConflict(DomainError):
    code = "entry_conflict"
    status = 409
    message = "The books hold an entry with this key and other content."


class AccountGuarded(DomainError):
    code = "account_guarded"
    status = 409
    message = "A wallet-backed account moves only together with its wallet."


class EntryUnbalanced(DomainError):
    code = "entry_unbalanced"
    status = 422
    message = "The lines of the entry do not balance."
