"""Random batches against a model in a dictionary: balances, running balances, books."""

from collections import defaultdict
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.audits import registered, run_audits
from ledger.selectors import balance_minor, trial_balance
from ledger.services import advance_checkpoints, advance_fence
from tests.ledger.books import BY_HAND, Books, nothing_changes, rows
from wallet.errors import InsufficientFunds
from wallet.services import post

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
BUCKETS = {
    "seller_pending": "pending",
    "seller_available": "available",
    "seller_payout_hold": "held",
    "seller_dispute_hold": "held",
    "seller_reserve": "held",
    "seller_receivable": "receivable",
}
roles = st.sampled_from(["clearing", *BUCKETS])
step = st.tuples(st.integers(0, 1), roles, roles, st.integers(1, 60)).filter(lambda one: one[1] != one[2])
batches = st.lists(st.tuples(st.lists(step, min_size=1, max_size=5), st.booleans()), min_size=1, max_size=6)


class Model:
    """What should be there: balances of roles and buckets, and every operation in order."""

    def __init__(self) -> None:
        self.books: dict[tuple[int, str], int] = defaultdict(int)
        self.buckets: dict[tuple[int, str], int] = defaultdict(int)
        self.operations: list[tuple[int, str, int, int]] = []

    def apply(self, batch: list[Any]) -> "Model | None":
        """The model after the batch, or None when it must be refused."""
        after = Model()
        after.books |= self.books
        after.buckets |= self.buckets
        after.operations = list(self.operations)
        for seller, debit, credit, minor in batch:
            for role, amount in ((debit, minor), (credit, -minor)):
                after.books[seller if role != "clearing" else 0, role] += amount
                if role == "clearing":
                    continue
                delta = amount if role == "seller_receivable" else -amount
                where = seller, BUCKETS[role]
                after.buckets[where] += delta
                if after.buckets[where] < 0:
                    return None
                after.operations.append((*where, delta, after.buckets[where]))
        return after


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(batches=batches, deposits=st.tuples(st.integers(0, 200), st.integers(0, 200)))
def test_random_batches_do_what_the_model_does(
    transactional_db: None, batches: list[Any], deposits: tuple[int, int]
) -> None:
    books, model, sellers = Books(), Model(), (uuid4(), uuid4())
    opening = [(n, "clearing", "seller_available", minor) for n, minor in enumerate(deposits) if minor]
    for batch, again in [(opening, True), *batches]:
        prepared = [books.move(d, c, minor, seller=sellers[who]) for who, d, c, minor in batch]
        drafts = [draft for draft, _ in prepared]
        moves = [replace(move, entry=n) for n, (_, own) in enumerate(prepared, 1) for move in own]
        after = model.apply(batch)
        if after is None:
            with nothing_changes(), pytest.raises(InsufficientFunds), transaction.atomic():
                post(drafts=drafts, moves=moves)
            continue
        for _ in range(2 if again else 1):
            with transaction.atomic():
                post(drafts=drafts, moves=moves)
        model = after
        advance_fence()
        advance_checkpoints()
    compare(books, model, sellers)
    report = run_audits(names={each.name for each in registered()} - BY_HAND)
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]


def compare(books: Books, model: Model, sellers: tuple[UUID, UUID]) -> None:
    for number, seller in enumerate(sellers):
        for role in BUCKETS:
            assert balance_minor(account_id=books.account(role, seller=seller)) == model.books[number, role]
        wallet = books.wallet(seller=seller)
        assert wallet == {name: model.buckets[number, name] for name in wallet}
        for bucket in wallet:
            stored = rows(
                "SELECT delta_minor, balance_after_minor FROM wallet_walletoperation AS operation"
                " JOIN wallet_wallet AS wallet ON wallet.id = wallet_id"
                " WHERE owner_id = %s AND wallet.merchant_id = %s AND bucket = %s ORDER BY operation.id",
                [seller, books.merchant_id, bucket],
            )
            assert stored == [tuple(done[2:]) for done in model.operations if done[:2] == (number, bucket)]
    assert balance_minor(account_id=books.clearing) == model.books[0, "clearing"]
    assert sum(each.balance_minor for each in trial_balance(merchant_id=books.merchant_id)) == 0
