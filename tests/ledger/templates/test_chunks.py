"""Files and statements with many lines: one entry per 500 of them, and the sums are those of the header."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.templates.accounts import FeeAccounts
from ledger.templates.cash import remittance_entries
from ledger.templates.entry import CHUNK, Keyed, Posting
from ledger.templates.fx import (
    ClosedPosition,
    ForeignAccounts,
    ForeignLine,
    foreign_settlement_entries,
    position_close_entry,
)
from ledger.templates.payouts import payout_paid_entries
from ledger.templates.settlement import (
    SettledLine,
    SettlementAccounts,
    SettlementFile,
    deposit_entries,
    settlement_entries,
)
from ledger.types import EntryDraft

POSTING = Posting(merchant_id=UUID(int=1), currency="USD", effective_date=date(2026, 3, 1))
CLEARING, TRANSIT, FEE, ACCRUED, BANK = range(1, 6)
ACCOUNTS = SettlementAccounts(CLEARING, TRANSIT, FeeAccounts(FEE, ACCRUED))


def settled(lines: list[SettledLine], *, net_minor: int | None = None) -> tuple[EntryDraft, ...]:
    net = sum(line.gross_minor - line.fee_minor for line in lines) if net_minor is None else net_minor
    file = SettlementFile(file_id="f", version=2, batch_id="b", net_minor=net)
    return settlement_entries(posting=POSTING, accounts=ACCOUNTS, file=file, lines=lines)


def on(account: int, *entries: EntryDraft) -> dict[str | None, int]:
    """What the entries put on one account, by key."""
    sums: dict[str | None, int] = {}
    for entry in entries:
        for line in entry.lines:
            if line.account_id == account:
                sums[line.clearing_key] = sums.get(line.clearing_key, 0) + line.amount_minor
    return sums


def test_a_file_is_posted_in_chunks_of_500_lines() -> None:
    lines = [SettledLine(f"c{number}", 100, fee_minor=3, accrued_minor=4) for number in range(1_001)]
    entries = settled(lines)
    assert [entry.source_ref for entry in entries] == ["f:2:1", "f:2:2", "f:2:3"]
    # 500 charges, 500 accruals, what the batch pays and the variance: within what an entry holds.
    assert [len(entry.lines) for entry in entries] == [1002, 1002, 4]
    assert on(CLEARING, *entries) == {line.key: -100 for line in lines}
    assert on(ACCRUED, *entries) == {line.key: 4 for line in lines}
    assert on(TRANSIT, *entries) == {"b": 97 * 1_001}
    assert on(FEE, *entries) == {None: -1_001}


@settings(max_examples=25)
@given(
    st.lists(
        st.builds(
            SettledLine,
            st.integers(0, 40).map(lambda number: f"c{number}"),
            st.integers(-500, 500),
            st.integers(-50, 50),
            st.integers(0, 50),
        ),
        max_size=3 * CHUNK,
    )
)
def test_the_sum_over_a_file_is_its_header(lines: list[SettledLine]) -> None:
    """I33, R3: whatever is in it: refunds, rebates, the same charge again and again."""
    entries = settled(lines)
    net = sum(line.gross_minor - line.fee_minor for line in lines)
    assert sum(on(TRANSIT, *entries).values()) == net
    for key in {line.key for line in lines}:
        mine = [line for line in lines if line.key == key]
        assert on(CLEARING, *entries).get(str(key), 0) == -sum(line.gross_minor for line in mine)
        assert on(ACCRUED, *entries).get(str(key), 0) == sum(line.accrued_minor for line in mine)
    for entry in entries:
        keys = [line.clearing_key for line in entry.lines if line.account_id == CLEARING]
        assert len(keys) == len(set(keys)), "one psp_clearing line for a key"


def test_a_file_that_disagrees_with_its_header_is_posted_not_at_all() -> None:
    """F-H4, BATCH_TOTAL_MISMATCH."""
    lines = [SettledLine("c1", 100, fee_minor=3)]
    assert len(settled(lines, net_minor=97)) == 1
    with pytest.raises(ValueError, match="header"):
        settled(lines, net_minor=98)
    with pytest.raises(ValueError, match="header"):
        settled([], net_minor=1)


def test_released_reserves_belong_to_the_header_only() -> None:
    file = SettlementFile(file_id="f", version=1, batch_id="b", net_minor=102, released_minor=5)
    entries = settlement_entries(
        posting=POSTING, accounts=ACCOUNTS, file=file, lines=[SettledLine("c1", 100, fee_minor=3)]
    )
    assert on(TRANSIT, *entries) == {"b": 97}


def test_a_file_without_lines_and_a_chunk_that_cancels_out_make_no_entry() -> None:
    assert settled([]) == ()
    pair = [SettledLine("c1", 100), SettledLine("c1", -100)]
    assert settled(pair) == ()
    more = settled([*pair * (CHUNK // 2), SettledLine("c2", 100)])
    assert [entry.source_ref for entry in more] == ["f:2:2"], "the number is the chunk's, not the entry's"


def test_one_bank_line_pays_many_payouts_and_batches() -> None:
    """1:N and N:1: the fee is in the first entry, the keys are all there."""
    many = [Keyed(f"k{number}", 10) for number in range(1_200)]
    paid = payout_paid_entries(
        posting=POSTING,
        payouts_in_transit=TRANSIT,
        payout_fee_expense=FEE,
        bank=BANK,
        bank_line_id="line",
        payouts=many,
        fee_minor=7,
    )
    deposited = deposit_entries(
        posting=POSTING,
        bank=BANK,
        bank_fee=FEE,
        in_transit=TRANSIT,
        bank_line_id="line",
        batches=many,
        fee_minor=7,
    )
    for entries, sign in ((paid, 1), (deposited, -1)):
        assert [entry.source_ref for entry in entries] == ["line:1", "line:2", "line:3"]
        assert on(TRANSIT, *entries) == {each.key: sign * 10 for each in many}
        assert on(FEE, *entries) == on(FEE, entries[0]) == {None: 7}
        assert on(BANK, *entries) == {None: -sign * 12_000 - 7}


def test_a_courier_whose_fee_eats_a_whole_chunk() -> None:
    parcels = [Keyed(f"k{number}", 1) for number in range(600)]

    def remitted(fee: int) -> tuple[EntryDraft, ...]:
        return remittance_entries(
            posting=POSTING,
            bank=BANK,
            cod_fee=FEE,
            cod_in_transit=TRANSIT,
            remittance_id="list",
            parcels=parcels,
            fee_minor=fee,
        )

    entries = remitted(550)
    assert on(BANK, *entries) == {None: 50} and on(FEE, *entries) == {None: 550}
    assert on(TRANSIT, *entries) == {each.key: -1 for each in parcels}
    with pytest.raises(ValueError, match="more than the parcels"):
        remitted(601)


def test_a_settlement_in_another_currency_is_chunked_too() -> None:
    position, settled_position, transit = 6, 7, 8
    entries = foreign_settlement_entries(
        posting=POSTING,
        accounts=ForeignAccounts(CLEARING, FeeAccounts(FEE, ACCRUED), position, settled_position, transit),
        settled_currency="EUR",
        file_ref="f:1",
        batch_id="b",
        lines=[ForeignLine(f"c{number}", 100, 89, fee_minor=3) for number in range(501)],
    )
    assert [entry.source_ref for entry in entries] == ["f:1:1", "f:1:2"]
    assert on(position, *entries) == {"b": 97 * 501}
    assert on(settled_position, *entries) == {"b": -89 * 501}
    assert on(transit, *entries) == {"b": 89 * 501}
    assert len(on(CLEARING, *entries)) == 501


def test_a_deal_closes_at_most_500_conversions() -> None:
    def closed(count: int) -> EntryDraft:
        return position_close_entry(
            posting=POSTING,
            sold_bank=1,
            sold_position=2,
            bought_currency="EUR",
            bought_bank=3,
            bought_position=4,
            deal_id="deal",
            positions=[ClosedPosition(f"c{number}", 100, 92) for number in range(count)],
        )

    assert len(closed(CHUNK).lines) == 2 * CHUNK + 2
    with pytest.raises(ValueError, match="more than 500"):
        closed(CHUNK + 1)
