"""Who gives what of refunds: whatever their number, size and order, nothing is lost, made or farmed."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.templates.capture import Share, Terms, split
from payments.engine.refunds.shares import divide

_TERMS = st.builds(
    Terms,
    commission_bps=st.integers(0, 10_000),
    commission_fixed_minor=st.integers(0, 500),
    tax_bps=st.integers(0, 3_000),
)


def add(one: Share, other: Share) -> Share:
    return Share(
        one.seller_net_minor + other.seller_net_minor,
        one.commission_minor + other.commission_minor,
        one.tax_minor + other.tax_minor,
    )


def give_back(share: Share, amounts: list[int]) -> list[Share]:
    """Refund these amounts one after the other, as the engine does."""
    row: Any = SimpleNamespace(**vars(share))
    returned, parts = Share(0, 0, 0), []
    for amount in amounts:
        part = divide(share=row, returned=returned, amount_minor=amount, with_commission=True)
        returned = add(returned, part)
        parts.append(part)
    return parts


@st.composite
def _cut(draw: st.DrawFn) -> tuple[Share, list[int]]:
    """An order and its amount cut into refunds, in any order."""
    share = split(amount_minor=draw(st.integers(1, 100_000)), terms=draw(_TERMS))
    cuts = draw(st.sets(st.integers(1, max(share.amount_minor - 1, 1)), max_size=12))
    places = [0, *sorted(cut for cut in cuts if cut < share.amount_minor), share.amount_minor]
    parts = [after - before for before, after in pairwise(places)]
    return share, draw(st.permutations(parts))


@given(_cut())
def test_any_parts_in_any_order_close_to_exactly_zero_f_g7(case: tuple[Share, list[int]]) -> None:
    """F-G7, P2: each part adds up to its refund, none is negative, and the last closes all of them."""
    share, amounts = case
    parts = give_back(share, amounts)
    returned = Share(0, 0, 0)
    for part, amount in zip(parts, amounts, strict=True):
        assert part.amount_minor == amount
        assert min(part.seller_net_minor, part.commission_minor, part.tax_minor) >= 0
        returned = add(returned, part)
        # Never further than one unit from the exact share of what went back so far.
        for given_back, whole in zip(vars(returned).values(), vars(share).values(), strict=True):
            assert (
                abs(given_back * share.amount_minor - whole * returned.amount_minor) < 2 * share.amount_minor
            )
    assert returned == share


@given(terms=_TERMS, amount=st.integers(1, 3_000), size=st.integers(1, 3))
def test_many_tiny_refunds_farm_nothing_a_c10(terms: Terms, amount: int, size: int) -> None:
    """A-C10: refunded one unit at a time a seller gives exactly what one refund would have taken."""
    share = split(amount_minor=amount, terms=terms)
    sizes = [size] * (amount // size) + ([amount % size] if amount % size else [])
    returned = Share(0, 0, 0)
    for part in give_back(share, sizes):
        returned = add(returned, part)
        whole = give_back(share, [returned.amount_minor])[0]
        profit = whole.seller_net_minor - returned.seller_net_minor
        assert profit <= 1, "at most one unit, and only until the last refund"
    assert returned == share


@given(_cut(), st.integers(1, 10_000))
def test_what_a_provider_returned_beyond_the_capture_is_the_sellers(
    case: tuple[Share, list[int]], beyond: int
) -> None:
    share, amounts = case
    *_, last = give_back(share, [*amounts[:-1], amounts[-1] + beyond])
    assert last.amount_minor == amounts[-1] + beyond
    more = give_back(share, [*amounts[:-1], amounts[-1] + beyond, 7])[-1]
    assert more == Share(7, 0, 0)


@given(_cut())
def test_without_the_commission_the_seller_gives_all_r5(case: tuple[Share, list[int]]) -> None:
    """R5."""
    share, amounts = case
    row: Any = SimpleNamespace(**vars(share))
    part = divide(share=row, returned=Share(0, 0, 0), amount_minor=amounts[0], with_commission=False)
    assert part == Share(amounts[0], 0, 0)
