"""Splits and refunds: nothing is lost, made or negative, whatever the number, size and order (F-G7, P2)."""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import InexactAmount
from ledger.templates.capture import Share, Terms, split
from ledger.templates.splits import (
    basis_points,
    cumulative_part,
    refund_parts,
    refund_share,
    split_by_weights,
)

amounts = st.integers(0, 10**15)
small = st.integers(0, 12)
totals = st.one_of(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=4),
    # Few units and many parts: where rounding shows.
    st.lists(small, min_size=1, max_size=60),
    st.lists(st.one_of(small, st.integers(10**6, 10**9)), min_size=1, max_size=60),
).filter(any)


# ------------------------------------------------------------------ by weights


@given(amount=amounts, weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=40).filter(any))
def test_parts_add_up_and_are_next_to_their_exact_share(amount: int, weights: list[int]) -> None:
    """F-G7, A-C11: each part is its exact share rounded down or up; a weight of zero gets nothing."""
    parts = split_by_weights(amount_minor=amount, weights=weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        exact = Fraction(amount * weight, sum(weights))
        assert exact - 1 < part < exact + 1
        assert part == 0 or weight
    assert parts == split_by_weights(amount_minor=amount, weights=weights)


@given(amount=st.integers(0, 200), weights=st.lists(st.integers(0, 20), min_size=1, max_size=6).filter(any))
def test_no_other_rounding_has_larger_remainders(amount: int, weights: list[int]) -> None:
    """Who is rounded up had at least the remainder of who is not; of equals the earlier is."""
    parts = split_by_weights(amount_minor=amount, weights=weights)
    whole = sum(weights)
    remainders = [amount * weight % whole for weight in weights]
    up = [part > amount * weight // whole for part, weight in zip(parts, weights, strict=True)]
    for mine, is_up in enumerate(up):
        for other, other_is_up in enumerate(up):
            if is_up and not other_is_up:
                assert (remainders[mine], -mine) > (remainders[other], -other)


def test_known_splits_by_weights() -> None:
    known = [
        ((100, [1, 1, 1]), (34, 33, 33)),  # a tie goes to the earlier
        ((1, [1, 1, 1]), (1, 0, 0)),
        ((2, [1, 1, 1]), (1, 1, 0)),
        ((0, [1, 2]), (0, 0)),
        ((0, [0, 0]), (0, 0)),
        ((0, []), ()),
        ((10_00, [90_00, 8_33, 1_67]), (9_00, 83, 17)),
        ((7, [0, 5, 0]), (0, 7, 0)),
    ]
    for (amount, weights), parts in known:
        assert split_by_weights(amount_minor=amount, weights=weights) == parts


@pytest.mark.parametrize("amount", [1.0, Decimal(1), Decimal("NaN"), True, "1"])
def test_only_integers_are_split(amount: object) -> None:
    """A-C5."""
    with pytest.raises(InexactAmount):
        split_by_weights(amount_minor=amount, weights=[1])  # type: ignore[arg-type]
    with pytest.raises(InexactAmount):
        split_by_weights(amount_minor=1, weights=[amount])  # type: ignore[list-item]
    with pytest.raises(InexactAmount):
        refund_parts(totals=[1], returned=[0], amount_minor=amount)  # type: ignore[arg-type]


@pytest.mark.parametrize(("amount", "weights"), [(-1, [1]), (1, [-1, 2]), (1, []), (1, [0])])
def test_splits_that_are_none(amount: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"negative|no weight"):
        split_by_weights(amount_minor=amount, weights=weights)


@given(amount=amounts, bps=st.integers(0, 10_000))
def test_basis_points_are_rounded_half_up(amount: int, bps: int) -> None:
    with localcontext(prec=60):
        exact = (Decimal(amount) * bps / 10_000).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    assert basis_points(amount_minor=amount, bps=bps) == exact


# ------------------------------------------------------------------ refunds


def refunded(parts: list[int], sizes: list[int]) -> list[tuple[int, ...]]:
    """Every refund of a sequence; what is left over is refunded last."""
    returned, done = [0] * len(parts), []
    for size in [*sizes, None]:
        left = sum(parts) - sum(returned)
        amount = left if size is None else size % (left + 1)
        done.append(refund_parts(totals=parts, returned=returned, amount_minor=amount))
        returned = [before + more for before, more in zip(returned, done[-1], strict=True)]
        assert sum(done[-1]) == amount, "the parts of a refund are that refund"
    return done


@given(parts=totals, sizes=st.lists(st.integers(0, 10**13), max_size=12))
def test_any_refunds_close_every_part_to_zero(parts: list[int], sizes: list[int]) -> None:
    """P2, F-G7: after every refund no part is negative or above its total; at the end each is closed."""
    so_far = [0] * len(parts)
    for done in refunded(parts, sizes):
        assert min(done) >= 0, "a refund takes nothing back"
        so_far = [before + more for before, more in zip(so_far, done, strict=True)]
        for part, whole in zip(so_far, parts, strict=True):
            # Never above the exact share rounded up, so never above the whole.
            assert part < Fraction(whole * sum(so_far), sum(parts)) + 1
    assert so_far == parts


@given(
    parts=st.lists(st.integers(0, 40), min_size=1, max_size=4).filter(any),
    sizes=st.lists(st.integers(0, 10), max_size=6),
)
def test_any_order_of_the_same_refunds_ends_the_same(parts: list[int], sizes: list[int]) -> None:
    """The order decides which refund carries an odd unit, never what is left of it at the end."""
    for order in list(permutations(sizes))[:24]:
        columns = zip(*refunded(parts, list(order)), strict=True)
        assert [sum(column) for column in columns] == parts


@given(parts=totals, sizes=st.lists(st.integers(0, 10**13), max_size=6))
def test_a_refund_is_the_rule_of_the_books(parts: list[int], sizes: list[int]) -> None:
    """round(total x refunded so far / gross) - already returned, wherever these roundings add up."""
    gross, so_far = sum(parts), [0] * len(parts)
    for done in refunded(parts, sizes):
        after = [before + more for before, more in zip(so_far, done, strict=True)]
        exact = [Fraction(part * sum(after), gross) for part in parts]
        rounded = [round(share) for share in exact]
        if (
            sum(rounded) == sum(after)
            and not any(share % 1 == Fraction(1, 2) for share in exact)
            and all(now >= before for now, before in zip(rounded, so_far, strict=True))
        ):
            assert after == rounded
        so_far = after


@given(parts=totals, before=st.lists(st.fractions(0, 1), min_size=60, max_size=60), size=st.fractions(0, 1))
def test_a_refund_from_any_state(parts: list[int], before: list[Fraction], size: Fraction) -> None:
    """F-G3: refunds that fail late leave behind returns that are not pro rata; nothing breaks by it."""
    returned = [int(part * share) for part, share in zip(parts, before, strict=False)]
    left = sum(parts) - sum(returned)
    amount = int(left * size)
    done = refund_parts(totals=parts, returned=returned, amount_minor=amount)
    assert sum(done) == amount and min(done) >= 0
    after = [had + more for had, more in zip(returned, done, strict=True)]
    assert all(part <= whole for part, whole in zip(after, parts, strict=True))
    last = refund_parts(totals=parts, returned=after, amount_minor=left - amount)
    assert [had + more for had, more in zip(after, last, strict=True)] == parts


def test_what_was_given_back_too_much_stays_and_others_give_less() -> None:
    """Of two equal parts one has returned all: the next refunds are the other's until they are level."""
    assert refund_parts(totals=[10, 10], returned=[10, 0], amount_minor=1) == (0, 1)
    assert refund_parts(totals=[10, 10], returned=[6, 0], amount_minor=8) == (1, 7)
    # Three were rounded up to 6 of 5.5, and keep it; the fourth is rounded down for all of them.
    assert refund_parts(totals=[10] * 4, returned=[6, 6, 6, 0], amount_minor=4) == (0, 0, 0, 4)


@given(
    amount=st.integers(1, 10**12),
    bps=st.integers(0, 10_000),
    tax=st.integers(0, 3_000),
    sizes=st.lists(st.integers(1, 10**12), max_size=20),
    failing=st.lists(st.booleans(), min_size=20, max_size=20),
)
def test_refunds_of_an_order_some_of_which_fail(
    amount: int, bps: int, tax: int, sizes: list[int], failing: list[bool]
) -> None:
    """F-G3: a failed refund gives back what it took, and whatever comes after still closes to zero."""
    share = split(amount_minor=amount, terms=Terms(bps, 0, tax))
    standing: list[Share] = []
    for size, fails in [*zip(sizes, failing, strict=False), (amount, False)]:
        if fails and standing:
            standing.pop(size % len(standing))
        returned = _together(standing)
        parts = refund_share(
            share=share, returned=returned, amount_minor=min(size, amount - returned.amount_minor)
        )
        assert parts.amount_minor == min(size, amount - returned.amount_minor)
        assert min(parts.seller_net_minor, parts.commission_minor, parts.tax_minor) >= 0
        standing.append(parts)
    assert _together(standing) == share


def _together(shares: list[Share]) -> Share:
    return Share(
        sum(each.seller_net_minor for each in shares),
        sum(each.commission_minor for each in shares),
        sum(each.tax_minor for each in shares),
    )


def test_the_refund_of_the_books() -> None:
    """R1: 40.00 of 100.00, then 35.00 and 25.00; JPY and one unit at a time."""
    share = Share(90_00, 8_33, 1_67)
    assert refund_share(share=share, returned=Share(0, 0, 0), amount_minor=40_00) == Share(36_00, 3_33, 67)
    second = refund_share(share=share, returned=Share(36_00, 3_33, 67), amount_minor=35_00)
    assert second == Share(31_50, 2_92, 58)
    last = refund_share(share=share, returned=Share(67_50, 6_25, 1_25), amount_minor=25_00)
    assert last == Share(22_50, 2_08, 42)
    units = refunded([6, 3, 1], [1] * 10)
    assert [sum(column) for column in zip(*units, strict=True)] == [6, 3, 1]


def test_a_part_does_not_shrink_where_largest_remainder_alone_would() -> None:
    """The Alabama paradox: of 10 the third part gets 2, of 11 only 1. What was given back stays given."""
    parts = [6, 6, 2]
    assert split_by_weights(amount_minor=10, weights=parts) == (4, 4, 2)
    assert split_by_weights(amount_minor=11, weights=parts) == (5, 5, 1)
    assert refund_parts(totals=parts, returned=[0, 0, 0], amount_minor=10) == (4, 4, 2)
    assert refund_parts(totals=parts, returned=[4, 4, 2], amount_minor=1) == (1, 0, 0)


def test_ten_thousand_refunds_of_one_unit_earn_nobody_anything() -> None:
    """A-C10: at every moment each part is within one unit of its exact share."""
    share, returned = Share(90_00, 8_33, 1_67), [0, 0, 0]
    wholes = (share.seller_net_minor, share.commission_minor, share.tax_minor)
    for so_far in range(1, 100_01):
        parts = refund_parts(totals=wholes, returned=returned, amount_minor=1)
        returned = [before + more for before, more in zip(returned, parts, strict=True)]
        for part, whole in zip(returned, wholes, strict=True):
            assert abs(part - Fraction(whole * so_far, 100_00)) < 1
    assert tuple(returned) == wholes


@pytest.mark.parametrize(
    ("totals_", "returned", "amount"),
    [([5, 5], [0, 0], 11), ([5, 5], [5, 4], 2), ([5, 5], [6, 0], 1), ([5], [0, 0], 1), ([5, -5], [0, 0], 0)],
)
def test_refunds_beyond_what_is_left_are_refused(
    totals_: list[int], returned: list[int], amount: int
) -> None:
    """A-C9, I12."""
    with pytest.raises(ValueError, match=r"refunded of|more than it had|negative"):
        refund_parts(totals=totals_, returned=returned, amount_minor=amount)


# ------------------------------------------------------------------ one part by itself


@given(total_minor=amounts, whole=st.integers(1, 10**9), cuts=st.lists(st.integers(0, 10**9), max_size=8))
def test_a_cumulative_part_ends_at_its_total(total_minor: int, whole: int, cuts: list[int]) -> None:
    """What the parts of a grant of points are worth: never negative, together the grant's value."""
    given_so_far = 0
    for done in [*sorted(cut % (whole + 1) for cut in cuts), whole]:
        part = cumulative_part(total_minor=total_minor, done=done, whole=whole, already_minor=given_so_far)
        assert part >= 0
        given_so_far += part
        assert given_so_far == int(Fraction(total_minor * done, whole) + Fraction(1, 2))
    assert given_so_far == total_minor


@pytest.mark.parametrize(("done", "whole", "already"), [(3, 2, 0), (1, 0, 0), (-1, 2, 0), (1, 2, 6)])
def test_cumulative_parts_that_are_none(done: int, whole: int, already: int) -> None:
    with pytest.raises(ValueError, match=r"cannot be done|given already|negative"):
        cumulative_part(total_minor=10, done=done, whole=whole, already_minor=already)
