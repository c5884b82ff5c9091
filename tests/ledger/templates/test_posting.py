"""Every journal is taken by the real books, through the door that it belongs to."""

from dataclasses import astuple, replace

import pytest
from django.db import transaction

from ledger.chart import CHART
from ledger.errors import AccountGuarded, EntryConflict, GroupNotWhole
from ledger.services import post_entries
from ledger.templates.registry import JOURNALS
from tests.ledger.books import nothing_changes, rows
from tests.ledger.templates.real_books import RealBooks
from wallet.errors import InsufficientFunds

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("number", JOURNALS)
def test_a_journal_posts_once(real: RealBooks, number: str) -> None:
    """L1, L8, I08: clearing keys and currencies are those that the database demands; again is not twice."""
    drafts = JOURNALS[number].entries(real)
    real.afford(*drafts)
    refs = real.post(*drafts)
    assert all(ref.is_new for ref in refs)
    for ref, draft in zip(refs, drafts, strict=True):
        stored = rows(
            "SELECT account_id, amount_minor, currency, clearing_key FROM ledger_journalline"
            " WHERE entry_id = %s ORDER BY line_no",
            [ref.id],
        )
        assert stored == [astuple(line) for line in draft.lines]
    again = real.post(*drafts)
    assert [(ref.id, ref.is_new) for ref in again] == [(ref.id, False) for ref in refs]


def test_the_plain_door_takes_no_journal_that_touches_a_wallet(real: RealBooks) -> None:
    """F-F1: whatever the sign; the floor is the wallet's, so there is no way past the wallet."""
    drafts = [draft for journal in JOURNALS.values() for draft in journal.entries(real)]
    guarded = [draft for draft in drafts if any(CHART[real.role(line)].guarded for line in draft.lines)]
    assert len(guarded) > 30
    with nothing_changes():
        for draft in guarded:
            with pytest.raises(AccountGuarded), transaction.atomic():
                post_entries(drafts=[draft])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        *(("O2", "O3"), ("O3", "O2"), ("W4", "W6"), ("W6", "W5"), ("W2b", "W2c"), ("C4a", "C4c")),
        *(("C4c", "C4a"), ("R1", "W7"), ("R1", "R7"), ("W1", "W1b"), ("P4a", "F4")),
    ],
)
def test_what_happens_one_way_does_not_happen_the_other_way_too(
    real: RealBooks, first: str, second: str
) -> None:
    """F-F9, F-G8, W2, W4: sent and cancelled, confirmed and cancelled, borne by two share a leg."""
    done, other = JOURNALS[first].entries(real), JOURNALS[second].entries(real)
    real.afford(*done, *other)
    real.post(*done)
    with nothing_changes(), pytest.raises(EntryConflict):
        real.post(*other)


def test_linked_entries_are_posted_both_or_none(real: RealBooks) -> None:
    """L11, C1 with C2: the seller's part cannot be held, so the dispute is not opened either."""
    opened = JOURNALS["C1"].entries(real)
    assert [draft.kind for draft in opened] == ["dispute_opened", "dispute_held"]
    assert len({draft.group_id for draft in opened} - {None}) == 1
    with nothing_changes(), pytest.raises(InsufficientFunds):
        real.post(*opened)
    real.afford(*opened)
    assert all(ref.is_new for ref in real.post(*opened))


def test_half_of_a_dispute_cannot_follow_later(real: RealBooks) -> None:
    """L11: also by a caller who posts them one by one."""
    taken, held = JOURNALS["C1"].entries(real)
    real.afford(held)
    real.post(taken)
    with nothing_changes(), pytest.raises(GroupNotWhole):
        real.post(held)


def test_another_round_of_a_dispute_is_another_entry(real: RealBooks) -> None:
    """F-G8: won, and lost on arbitration."""
    lost = JOURNALS["C4c"].entries(real)[0]
    real.post(lost)
    real.post(replace(lost, source_ref=lost.source_ref.replace(":1", ":2")))
    assert rows("SELECT count(*) FROM ledger_journalentry WHERE merchant_id = %s", [real.merchant_id]) == [
        (2,)
    ]
