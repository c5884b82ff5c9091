"""A wallet's statement as a file, for the API and the console."""

from dataclasses import dataclass

from merchants.selectors import get_merchant, get_seller, owner_names
from wallet.statement_csv import statement_csv
from wallet.statement_pdf import Heading, statement_pdf
from wallet.types import Statement, WalletData

__all__ = ["FORMS", "StatementFile", "statement_file"]

FORMS = ("csv", "pdf")


@dataclass(frozen=True)
class StatementFile:
    """What is sent: the bytes, what they are, and what they are called."""

    content: bytes
    kind: str
    name: str


def statement_file(found: Statement, *, form: str) -> StatementFile:
    """Return a statement as `csv` or `pdf`. Raises KeyError for anything else."""
    if form not in FORMS:
        raise KeyError(form)
    if form == "csv":
        return StatementFile(statement_csv(found).encode(), "text/csv; charset=utf-8", "statement.csv")
    return StatementFile(statement_pdf(found, _heading(found.wallet)), "application/pdf", "statement.pdf")


def _heading(wallet: WalletData) -> Heading:
    """Whose wallet it is; of buyers only the store's own name for them, because the rest is personal."""
    merchant = get_merchant(merchant_id=wallet.merchant_id)
    if wallet.owner_type == "seller":
        seller = get_seller(merchant_id=wallet.merchant_id, seller_id=wallet.owner_id)
        return Heading(merchant.name, merchant.mode, owner=seller.name, account=seller.seller_account)
    account = owner_names(owner_ids=[wallet.owner_id])[wallet.owner_id]
    return Heading(merchant.name, merchant.mode, owner="", account=account)
