"""How lines of a settlement file become entries: on paper, for any lines."""

from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ledger.types import EntryDraft
from reconciliation.posting import keys
from reconciliation.posting.chunks import FileToPost, Portion, drafts_of
from reconciliation.posting.reading import Extent, Group, PostedLine
from tests.reconciliation.posting.paper import FILE, MERCHANT, SOURCE, PaperBooks, line, matched, sums

USD = PaperBooks("USD")
TRANSIT = (USD.settlement.in_transit, keys.batch_key(source_id=SOURCE, batch="po_1"))
FEE = (USD.settlement.fees.psp_fee, None)


def posted(rows: list[PostedLine]) -> list[EntryDraft]:
    file = FileToPost(
        id=FILE,
        version=1,
        merchant_id=MERCHANT,
        source_id=SOURCE,
        provider="stripe",
        rail="stripe",
        document="2026-11-30",
        day=date(2026, 11, 30),
        extent=Extent(FILE, 0, 0),
    )
    return drafts_of(file, Portion(Group("USD", "po_1"), "file:1:1.1", rows), books=PaperBooks("USD"))


KINDS = st.sampled_from(
    ["charge", "refund", "dispute", "fee", "carried", "unknown", "adjustment", "reserve_hold", "transfer"]
)


@st.composite
def lines(draw: st.DrawFn) -> list[PostedLine]:
    rows = []
    for number in range(1, draw(st.integers(1, 40))):
        kind = draw(KINDS)
        amount = draw(st.integers(1, 10**6))
        fee = draw(st.integers(0, 500)) if kind in ("charge", "dispute", "unknown") else 0
        gross = amount if kind in ("charge", "unknown", "adjustment") else -amount
        is_known = kind in ("charge", "refund", "dispute", "transfer") and draw(st.booleans())
        rows.append((matched if is_known else line)(number, kind, gross, fee))
    return rows


@given(lines())
def test_what_is_in_transit_is_what_the_batch_pays(rows: list[PostedLine]) -> None:
    """Whatever the lines are: the provider pays the sum of them, and that is what the bank must show."""
    totals = sums(posted(rows))
    assert totals.get(TRANSIT, 0) == sum(row.net_minor for row in rows)


@given(lines())
def test_a_line_moves_its_own_key_and_no_other(rows: list[PostedLine]) -> None:
    clearing = {key: minor for (account, key), minor in sums(posted(rows)).items() if account == USD.clearing}
    expected: dict[str, int] = {}
    for row in rows:
        if row.kind == "charge" or row.kind in ("unknown", "adjustment"):
            moved = -row.gross_minor
        elif row.kind == "dispute":
            moved = -row.net_minor if row.subject_id else -row.gross_minor
        elif row.kind == "carried":
            moved = -row.net_minor
        elif row.kind == "refund" or (row.kind == "transfer" and not row.subject_id):
            moved = -row.gross_minor
        else:
            # A transfer credits what it debits (O4b); a reserve leaves for its own account.
            moved = 0
        key = row.clearing_key or keys.line_key(line_id=row.id)
        if row.kind == "carried":
            key = keys.carried_key(source_id=SOURCE)
        expected[key] = expected.get(key, 0) + moved
    assert clearing == {key: minor for key, minor in expected.items() if minor}


def test_a_capture_and_its_fee() -> None:
    row = matched(1, "charge", 100_00, 2_90)
    assert sums(posted([row])) == {
        TRANSIT: 97_10,
        FEE: 2_90,
        (USD.clearing, row.clearing_key): -100_00,
    }


def test_a_difference_stays_open_under_its_charge() -> None:
    """We booked 100.00, the provider reports 98.00: 2.00 stay for somebody to explain (A5)."""
    row = matched(1, "charge", 98_00, matched_minor=100_00)
    assert sums(posted([row]))[USD.clearing, row.clearing_key] == -98_00


def test_what_nobody_knows_waits_under_its_line() -> None:
    row = line(7, "charge", 70_00)
    assert sums(posted([row])) == {TRANSIT: 70_00, (USD.clearing, "line:7"): -70_00}


def test_a_refund_clears_what_pay_in_booked_for_it() -> None:
    """R2 was booked when the refund succeeded: the line clears the charge's key, and adds the fee."""
    row = matched(1, "refund", -40_00, 30)
    assert sums(posted([row])) == {TRANSIT: -40_30, FEE: 30, (USD.clearing, row.clearing_key): 40_00}


def test_a_refund_that_failed_later_opens_it_again() -> None:
    rows = [
        matched(1, "refund", -40_00),
        matched(2, "refund_failure", 40_00),
    ]
    subject, charge = rows[0].subject_id, rows[0].clearing_key
    rows[1] = rows[1]._replace(subject_id=subject, clearing_key=charge)
    assert sums(posted(rows)) == {}


def test_a_dispute_clears_what_was_taken_with_its_fee() -> None:
    """C1 booked 100.00 and the fee of 15.00 under the charge: the line's net closes both."""
    row = matched(1, "dispute", -100_00, 15_00, matched_minor=-115_00)
    assert sums(posted([row])) == {TRANSIT: -115_00, (USD.clearing, row.clearing_key): 115_00}


def test_a_transfer_closes_the_payout() -> None:
    row = matched(1, "transfer", -50_00)
    payouts = (USD.payouts_in_transit("stripe"), str(row.subject_id))
    assert sums(posted([row])) == {TRANSIT: -50_00, payouts: 50_00}


def test_one_line_for_several_movements() -> None:
    """The fee, and what is left over, are the first one's."""
    first = matched(1, "charge", 100_00, 2_00, matched_minor=60_00)
    second = first._replace(
        subject_id=UUID(int=2), clearing_key="charge 2", matched_minor=39_00, is_further=True
    )
    assert sums(posted([first, second])) == {
        TRANSIT: 98_00,
        FEE: 2_00,
        (USD.clearing, first.clearing_key): -61_00,
        (USD.clearing, "charge 2"): -39_00,
    }


def test_reserves_are_kept_and_released() -> None:
    hold, release = line(1, "reserve_hold", -5_00), line(2, "reserve_release", 5_00)
    key = keys.reserve_key(source_id=SOURCE, reference="ref_1")
    assert sums(posted([hold])) == {TRANSIT: -5_00, (USD.reserve_held, key): 5_00}
    assert sums(posted([hold, release._replace(reference="ref_1")])) == {}


def test_captured_in_one_currency_and_settled_in_another() -> None:
    """F4, with the fee in the currency that it was taken in."""
    row = matched(
        1, "charge", 92_00, 2_67, original_currency="EUR", original_minor=100_00, matched_minor=100_00
    )
    eur = PaperBooks("EUR")
    batch = TRANSIT[1]
    assert sums(posted([row])) == {
        TRANSIT: 89_33,
        FEE: 2_67,
        (eur.clearing, row.clearing_key): -100_00,
        (eur.foreign(USD).position, batch): 100_00,
        (eur.foreign(USD).settled_position, batch): -92_00,
    }


def test_what_is_taken_back_leaves_nothing() -> None:
    """A corrected file posts what it changes: an old line with the opposite sign, under its old key."""
    rows = [
        matched(1, "charge", 100_00, 2_90),
        matched(2, "refund", -40_00),
        matched(3, "dispute", -100_00, 15_00, matched_minor=-115_00),
        line(4, "unknown", 3_00),
        line(5, "fee", -38_10),
    ]
    assert sums(posted(rows + [row._replace(sign=-1) for row in rows])) == {}


def test_an_entry_never_outgrows_the_books() -> None:
    """Parts of one line stay together, and chunks end before an entry is too long."""
    rows = [matched(number, "charge", 100) for number in range(1, 1400)]
    drafts = posted(rows)
    assert all(len(draft.lines) <= 1023 for draft in drafts)
    assert len({(draft.source, draft.source_ref, draft.leg) for draft in drafts}) == len(drafts)
    assert sums(drafts)[TRANSIT] == 139_900


def test_the_same_portion_makes_the_same_entries() -> None:
    rows = [matched(1, "charge", 100_00, 2_90), matched(2, "refund", -40_00), line(3, "unknown", 5)]
    assert posted(rows) == posted(rows)
