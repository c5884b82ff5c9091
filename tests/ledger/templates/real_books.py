"""A merchant, a seller and a buyer in the real database, for whom any journal can be posted."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID, uuid4

from django.db import transaction

from ledger.chart import CHART
from ledger.services import open_account, post_entries
from ledger.templates.entry import Posting
from ledger.types import EntryDraft, EntryRef, LineDraft
from tests.database import owner_connection
from tests.ledger.books import rows
from wallet.services import account_of, post
from wallet.types import WalletMove

__all__ = ["RealBooks"]

_DAY = date(2026, 3, 1)
_OPEN_WALLET = """
    INSERT INTO wallet_wallet (id, merchant_id, owner_type, owner_id, currency, kind, pending_minor,
        available_minor, held_minor, receivable_minor, created_at)
    VALUES (%(wallet)s, %(merchant)s, 'buyer', %(owner)s, %(currency)s, %(kind)s, 0, 0, 0, 0, now())
"""
_OPEN_ACCOUNTS = """
    INSERT INTO wallet_walletaccount (account_id, merchant_id, wallet_id, role, bucket)
    SELECT opened.id, %(merchant)s, %(wallet)s, opened.role, split_part(opened.role, '_', 2)
    FROM ledger_open_guarded(%(merchant)s, %(owner)s, %(currency)s, %(roles)s::text[]) AS opened
"""


class RealBooks:
    """What `ExampleBooks` asks for, in the database; accounts are opened when they are asked for."""

    def __init__(self) -> None:
        self.merchant_id = uuid4()
        self.seller, self.buyer = uuid4(), uuid4()
        self._ids: dict[tuple[str, str], int] = {}

    def posting(self, currency: str = "USD") -> Posting:
        return Posting(merchant_id=self.merchant_id, currency=currency, effective_date=_DAY)

    def account(self, role: str, currency: str = "USD") -> int:
        if (role, currency) not in self._ids:
            self._open(role, currency)
        return self._ids[role, currency]

    def _open(self, role: str, currency: str) -> None:
        if role.startswith(("bonus", "points")):
            self._open_special(role.split("_")[0], currency)
            return
        with transaction.atomic():
            self._ids[role, currency] = (
                account_of(
                    merchant_id=self.merchant_id,
                    owner_type="seller" if role.startswith("seller") else "buyer",
                    owner_id=self.seller if role.startswith("seller") else self.buyer,
                    currency=currency,
                    role=role,
                )
                if CHART[role].guarded
                else open_account(
                    merchant_id=self.merchant_id,
                    role=role,
                    currency=currency,
                    provider="stripe" if CHART[role].per == "psp" else None,
                )
            )

    def _open_special(self, kind: str, currency: str) -> None:
        """A wallet of bonus or points, as the owner: the application has no door for them here."""
        roles = [f"{kind}_available", f"{kind}_held"]
        told = {
            "wallet": uuid4(),
            "merchant": self.merchant_id,
            "owner": self.buyer,
            "currency": currency,
            "kind": kind,
            "roles": roles,
        }
        with owner_connection() as owner:
            owner.execute(_OPEN_WALLET, told)
            owner.execute(_OPEN_ACCOUNTS, told)
            for account_id, role in owner.execute(
                "SELECT account_id, role FROM wallet_walletaccount WHERE wallet_id = %(wallet)s", told
            ).fetchall():
                self._ids[role, currency] = account_id

    # -------------------------------------------------------------- posting

    def post(self, *drafts: EntryDraft) -> list[EntryRef]:
        """Post and commit: through the plain door what touches no wallet, all else together with wallets."""
        moves = self._moves(drafts)
        with transaction.atomic():
            return post(drafts=drafts, moves=moves) if moves else post_entries(drafts=drafts)

    def _moves(self, drafts: Sequence[EntryDraft]) -> list[WalletMove]:
        return [
            WalletMove(order, number, line.account_id, self._gain(line))
            for order, draft in enumerate(drafts, 1)
            for number, line in enumerate(draft.lines, 1)
            if CHART[self.role(line)].guarded
        ]

    def _gain(self, line: LineDraft) -> int:
        return line.amount_minor if CHART[self.role(line)].normal == "debit" else -line.amount_minor

    def role(self, line: LineDraft) -> str:
        return next(role for (role, _), account in self._ids.items() if account == line.account_id)

    def afford(self, *drafts: EntryDraft) -> None:
        """Give wallets beforehand whatever the entries take from them."""
        for draft in drafts:
            for line in draft.lines:
                if CHART[self.role(line)].guarded and self._gain(line) < 0:
                    self._give(line)

    def _give(self, line: LineDraft) -> None:
        other = LineDraft(self.account("retained", line.currency), line.amount_minor, line.currency)
        mirror = LineDraft(line.account_id, -line.amount_minor, line.currency)
        self.post(
            EntryDraft(self.merchant_id, "test", "test", uuid4().hex, "given", _DAY, lines=(other, mirror))
        )

    # -------------------------------------------------------------- looking

    def open_keys(self) -> dict[tuple[str, str, str], int]:
        """What every clearing account still holds: (role, key, currency) to debits minus credits."""
        found = rows(
            "SELECT account.role, line.clearing_key, line.currency, sum(line.amount_minor)"
            " FROM ledger_journalline AS line JOIN ledger_account AS account ON account.id = line.account_id"
            " WHERE account.merchant_id = %s AND account.clearing GROUP BY 1, 2, 3"
            " HAVING sum(line.amount_minor) <> 0",
            [self.merchant_id],
        )
        return {(role, key, currency): int(minor) for role, key, currency, minor in found}

    def balance(self, role: str, currency: str = "USD") -> int:
        """What is on an account, positive on its normal side (debits, where it has none)."""
        (row,) = rows(
            "SELECT coalesce(sum(amount_minor), 0) FROM ledger_journalline WHERE account_id = %s",
            [self.account(role, currency)],
        )
        return int(-row[0] if CHART[role].normal == "credit" else row[0])

    def wallet(self, owner: UUID, currency: str = "USD", kind: str = "cash") -> dict[str, int]:
        """What a wallet shows."""
        names = ("pending", "available", "held", "receivable")
        (row,) = rows(
            "SELECT pending_minor, available_minor, held_minor, receivable_minor FROM wallet_wallet"
            " WHERE merchant_id = %s AND owner_id = %s AND currency = %s AND kind = %s",
            [self.merchant_id, owner, currency, kind],
        )
        return dict(zip(names, row, strict=True))
