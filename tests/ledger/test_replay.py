"""L14, L8: all journals posted again into empty books, in the order of the blocks, give the same books."""

import json
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from ledger.services import advance_checkpoints, advance_fence
from ledger.types import EntryDraft, LineDraft
from tests.database import truncate_everything
from tests.ledger.books import Books, rows
from tests.ledger.sealing import export, seal_all
from tests.waiting import eventually
from wallet.services import post
from wallet.types import WalletMove

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

BALANCES = """
    SELECT line.merchant_id, account.role, account.owner, account.currency, mark.balance_minor,
        sum(line.amount_minor), count(*)
    FROM ledger_journalline AS line JOIN ledger_account AS account ON account.id = line.account_id
    LEFT JOIN ledger_accountcheckpoint AS mark ON mark.account_id = account.id
    GROUP BY line.merchant_id, account.role, account.owner, account.currency, mark.balance_minor ORDER BY 1, 2, 3
"""
WALLETS = """
    SELECT merchant_id, owner_id, currency, kind, pending_minor, available_minor, held_minor, receivable_minor
    FROM wallet_wallet ORDER BY 1, 2, 3
"""
OPERATIONS = """
    SELECT bucket, role, delta_minor, balance_after_minor FROM wallet_walletoperation ORDER BY id
"""


def seen() -> list[list[tuple[Any, ...]]]:
    """Balances with their checkpoints, wallets with what is held, and how they came to it."""
    return [rows(BALANCES), rows(WALLETS), rows(OPERATIONS)]


def test_a_replay_through_the_doors_gives_the_same_books(books: Books) -> None:
    books.post(books.sale(100), books.sale(250, facts=(("rate", "1.1"),)))
    books.fund(1000)
    books.transfer("seller_available", "seller_payout_hold", 300)
    seal_all()
    books.transfer("seller_payout_hold", "clearing", 120)
    books.transfer("seller_receivable", "seller_available", 50)
    books.post(books.sale(5))
    seal_all()
    before, journal = seen(), export()
    accounts = {row["id"]: row for row in journal if row["type"] == "account"}
    assert before[0] and before[1] and before[2]

    truncate_everything()
    assert seen() == [[], [], []]
    again = Books(currency=books.currency, merchant_id=books.merchant_id, seller=books.seller)
    for row in journal:
        if row["type"] == "entry":
            _post_again(again, row, accounts)
    last = rows("SELECT max(id) FROM ledger_journalentry")[0][0]
    eventually(lambda: advance_fence() >= last)
    advance_checkpoints()
    assert seen() == before
    digests = [row["digest"] for row in journal if row["type"] == "entry"]
    assert rows("SELECT encode(digest, 'hex') FROM ledger_journalentry ORDER BY id") != []
    assert len(digests) == rows("SELECT count(*) FROM ledger_journalentry")[0][0]


def _post_again(books: Books, row: dict[str, Any], accounts: dict[str, Any]) -> None:
    plain = {"psp_clearing": books.clearing, "commission": books.commission, "tax_payable": books.tax}
    lines, moves = [], []
    for number, line in enumerate(row["lines"], 1):
        account = accounts[line["account_id"]]
        role, amount = account["role"], int(line["amount_minor"])
        guarded = account["guarded"]
        target = books.account(role, seller=UUID(account["owner"])) if guarded else plain[role]
        lines.append(LineDraft(target, amount, line["currency"], line["clearing_key"]))
        if guarded:
            moves.append(WalletMove(1, number, target, amount if role == "seller_receivable" else -amount))
    draft = EntryDraft(
        merchant_id=UUID(row["merchant_id"]),
        kind=row["kind"],
        source=row["source"],
        source_ref=row["source_ref"],
        leg=row["leg"],
        effective_date=date.fromisoformat(row["effective_date"]),
        lines=tuple(lines),
        facts=tuple(json.loads(row["facts"]).items()) if row["facts"] else (),
    )
    with transaction.atomic():
        post(drafts=[draft], moves=moves)
