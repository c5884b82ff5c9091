"""The rules for lines that are not clear at first sight: pure, whatever the order."""

from collections.abc import Sequence
from datetime import date
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from reconciliation.breaks import BreakClass
from reconciliation.matching.resolving import Known, Resolved, resolve
from reconciliation.matching.types import Movement, MovementKey, OpenLine

DAY = date(2026, 1, 5)


def line(number: int, minor: int, *, kind: str = "charge", name: str = "pi_1", **more: object) -> OpenLine:
    """A line of a file."""
    known = {
        "id": number, "line_no": number, "kind": kind, "raw_kind": kind, "reference": name, "name": name,
        "merchant_reference": "", "batch": "po_1", "currency": "EUR", "minor": minor, "gross_minor": minor,
        "fee_minor": 0, "original_currency": "", "original_minor": None, "business_date": DAY,
        "occurred_at": None, "quarantine": "",
    }  # fmt: skip
    return OpenLine(**(known | more))  # type: ignore[arg-type]


def movement(
    number: int, minor: int, *, kind: str = "charge", name: str = "pi_1", **more: object
) -> Movement:
    """A movement of ours."""
    known = {
        "key": MovementKey(kind, UUID(int=number), 0), "kind": kind, "reference": name,
        "merchant_reference": str(number), "clearing_key": str(number), "currency": "EUR",
        "amount_minor": minor, "state": "final",
    }  # fmt: skip
    return Movement(**(known | more))  # type: ignore[arg-type]


def settle(
    lines: Sequence[OpenLine],
    movements: Sequence[Movement],
    taken: dict[MovementKey, tuple[int, int]] | None = None,
) -> Resolved:
    """Resolve lines against movements."""
    by_name: dict[str, list[Movement]] = {}
    by_ours: dict[str, list[Movement]] = {}
    for each in movements:
        by_name.setdefault(each.reference, []).append(each)
        by_ours.setdefault(each.merchant_reference, []).append(each)
    return resolve(lines, Known(by_name, by_ours, taken or {}))


def classes(resolved: Resolved) -> dict[int, str]:
    """The break of each line that has one."""
    return {each.line_id or 0: str(each.break_class) for each in resolved.findings}


def pairs(resolved: Resolved) -> list[tuple[int, int, str, int]]:
    """Line, movement, how, difference."""
    return sorted(
        (each.line_id, each.movement.key.subject_id.int, each.how, each.difference_minor)
        for each in resolved.pairings
    )


def test_a_line_that_comes_twice_is_a_duplicate() -> None:
    """F-H11: one match, and a break for the other."""
    resolved = settle([line(1, 500), line(2, 500)], [movement(1, 500)])
    assert pairs(resolved) == [(1, 1, "exact", 0)]
    assert classes(resolved) == {2: "DUPLICATE_EXTERNAL"}


def test_a_line_of_an_earlier_file_is_a_duplicate() -> None:
    """F-H2, I37: what an earlier file said is not matched again."""
    found = movement(1, 500)
    resolved = settle([line(9, 500)], [found], {found.key: (1, 500)})
    assert (pairs(resolved), classes(resolved)) == ([], {9: "DUPLICATE_EXTERNAL"})


def test_two_captures_are_parts_of_one_charge() -> None:
    """Two lines that are one movement together are a group, and no duplicate."""
    resolved = settle([line(1, 250), line(2, 250)], [movement(1, 500)])
    assert pairs(resolved) == [(1, 1, "group", 0), (2, 1, "group", 0)]
    assert [each.movement_part for each in resolved.pairings] == [0, 1]
    assert not resolved.findings


def test_one_line_for_several_movements_is_a_group() -> None:
    """1:N: one line is two movements together."""
    moved = [movement(n, minor, kind="dispute", clearing_key="c") for n, minor in ((1, -200), (2, -300))]
    resolved = settle([line(1, -500, kind="dispute")], moved)
    assert pairs(resolved) == [(1, 1, "group", 0), (1, 2, "group", 0)]
    assert [each.line_part for each in resolved.pairings] == [0, 1]


def test_a_second_movement_of_the_same_name_is_no_duplicate() -> None:
    """Two withdrawals of one dispute are two movements: each has its line, in their order."""
    moved = [movement(n, -300, kind="dispute", clearing_key="c") for n in (1, 2)]
    resolved = settle([line(1, -300, kind="dispute"), line(2, -300, kind="dispute")], moved)
    assert pairs(resolved) == [(1, 1, "exact", 0), (2, 2, "exact", 0)]


def test_rounding_is_matched_and_said() -> None:
    """F-H14, A10: one minor unit is within tolerance, and never silent."""
    resolved = settle([line(1, 501)], [movement(1, 500)])
    assert pairs(resolved) == [(1, 1, "tolerance", 1)]
    [found] = resolved.findings
    assert (found.break_class, found.amount_minor, found.clearing_key) == ("AMOUNT_MISMATCH", 1, "1")


def test_another_amount_is_matched_by_its_name() -> None:
    """F-H14: the clearing key is right, and the difference has its break."""
    resolved = settle([line(1, 400)], [movement(1, 500)])
    assert pairs(resolved) == [(1, 1, "exact", -100)]
    assert [(each.break_class, each.amount_minor) for each in resolved.findings] == [("AMOUNT_MISMATCH", 100)]


def test_what_contradicts_us_is_named() -> None:
    """Each contradiction has its class."""
    shared = [movement(1, 500), movement(2, 500)]
    for lines, movements, expected in (
        ([line(1, 500)], [movement(1, 500, state="none")], BreakClass.STATUS_MISMATCH),
        ([line(1, 500)], [movement(1, 500, currency="USD")], BreakClass.CURRENCY_MISMATCH),
        ([line(1, 460, original_currency="USD", original_minor=500)], [movement(1, 500)],
         BreakClass.CURRENCY_MISMATCH),
        ([line(1, 500)], [movement(1, -500, kind="refund")], BreakClass.REFERENCE_COLLISION),
        ([line(1, 500)], shared, BreakClass.REFERENCE_COLLISION),
        ([line(1, -500)], [movement(1, 500)], BreakClass.REFERENCE_COLLISION),
        ([line(1, 500)], [], BreakClass.MISSING_INTERNAL),
        ([line(1, 500, name="")], [movement(1, 500)], BreakClass.MISSING_INTERNAL),
    ):  # fmt: skip
        resolved = settle(lines, movements)
        assert (pairs(resolved), classes(resolved)) == ([], {1: expected}), (lines, movements)


def test_another_amount_beside_one_that_fits_is_a_collision() -> None:
    """The name is taken: it stands for something else as well."""
    resolved = settle([line(1, 500), line(2, 700)], [movement(1, 500)])
    assert pairs(resolved) == [(1, 1, "exact", 0)]
    assert classes(resolved) == {2: "REFERENCE_COLLISION"}


def test_an_unknown_thing_twice_is_a_duplicate_of_itself() -> None:
    """F-H11, F-H12: we know neither, and it happened once at most."""
    resolved = settle([line(1, 500), line(2, 500)], [])
    assert classes(resolved) == {1: "MISSING_INTERNAL", 2: "DUPLICATE_EXTERNAL"}


def test_our_own_reference_helps_where_nothing_is_in_doubt() -> None:
    """A payment whose answer never came: the provider names it as we did."""
    lost = movement(7, 500, name="", state="unknown")
    one = line(1, 500, merchant_reference="7")
    assert pairs(settle([one], [lost])) == [(1, 7, "exact", 0)]
    assert pairs(settle([one, line(2, 500, name="pi_2", merchant_reference="7")], [lost])) == []
    assert pairs(settle([one._replace(minor=400)], [lost])) == []


def test_what_is_exchanged_is_compared_in_what_the_buyer_paid() -> None:
    """F4: a payment in dollars that is settled in euros is compared in dollars."""
    paid = line(1, 460, original_currency="USD", original_minor=500)
    assert pairs(settle([paid], [movement(1, 500, currency="USD")])) == [(1, 1, "exact", 0)]


amounts = st.sampled_from([100, 200, 300, 301, 500])
lines_drawn = st.lists(
    st.tuples(amounts, st.sampled_from(["pi_1", "pi_2", ""]), st.sampled_from(["charge", "refund"])),
    max_size=8,
)
movements_drawn = st.lists(
    st.tuples(amounts, st.sampled_from(["pi_1", "pi_2"]), st.sampled_from(["charge", "refund"]),
              st.sampled_from(["final", "unknown", "none"])),
    max_size=6,
)  # fmt: skip


@given(lines_drawn, movements_drawn, st.integers())
def test_every_line_ends_once_and_in_the_same_way_in_any_order(
    drawn: list[tuple[int, str, str]], moved: list[tuple[int, str, str, str]], seed: int
) -> None:
    """I36, I37, R6: a match or a break for each line, one line or group for each movement, in any order."""
    lines = [line(n, minor, name=name, kind=kind) for n, (minor, name, kind) in enumerate(drawn, 1)]
    movements = [
        movement(n, minor, name=name, kind=kind, state=state)
        for n, (minor, name, kind, state) in enumerate(moved, 1)
    ]
    resolved = settle(lines, movements)
    matched = {each.line_id for each in resolved.pairings}
    unmatched = [each.line_id for each in resolved.findings if each.break_class != "AMOUNT_MISMATCH"]
    assert sorted([*matched, *unmatched]) == [each.id for each in lines]
    held: dict[MovementKey, set[str]] = {}
    for each in resolved.pairings:
        assert each.movement.state != "none"
        assert each.group_key or each.movement.key not in held
        held.setdefault(each.movement.key, set()).add(each.group_key)
    assert all(len(groups) == 1 for groups in held.values())
    Random(seed).shuffle(lines)
    Random(seed + 1).shuffle(movements)
    again = settle(lines, movements)
    assert (pairs(again), classes(again)) == (pairs(resolved), classes(resolved))
