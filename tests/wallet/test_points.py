"""What points are worth: no use gains or loses a unit, and the last point closes its grant."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from wallet.points import points_for, worth_of

POINTS = st.integers(min_value=1, max_value=10_000)
RATES = st.integers(min_value=1, max_value=1_000)
NEEDS = st.lists(st.integers(min_value=1, max_value=2_000), min_size=1, max_size=12)


@given(points=POINTS, rate=RATES)
def test_new_points_are_worth_at_least_their_rate(points: int, rate: int) -> None:
    """Rounded in the marketplace's disfavour, by less than one unit."""
    exact = Fraction(points * rate, 100)
    assert 0 <= worth_of(points=points, per_hundred_minor=rate) - exact < 1


@given(points=POINTS, rate=RATES, needs=NEEDS)
def test_uses_add_up_to_the_grant(points: int, rate: int, needs: list[int]) -> None:
    """However it is spent: never more than is needed or off by a unit, and in the end exactly its worth."""
    value = worth_of(points=points, per_hundred_minor=rate)
    used = paid = 0
    for need in [*needs, value]:
        units, minor = points_for(
            amount_minor=points, value_minor=value, used_minor=used, used_value_minor=paid, need_minor=need
        )
        assert (units == 0) == (minor == 0) and 0 <= minor <= need
        assert abs(minor - Fraction(units * value, points)) < 1
        used, paid = used + units, paid + minor
        assert used <= points and paid <= value
        assert abs(paid - Fraction(used * value, points)) <= Fraction(1, 2)
    if points >= value:  # A point that is worth no more than a unit pays any amount.
        assert (used, paid) == (points, value)


@given(points=POINTS, rate=st.integers(min_value=1, max_value=100), need=st.integers(1, 2_000))
def test_the_fewest_points_are_taken(points: int, rate: int, need: int) -> None:
    """One point less would pay less."""
    value = worth_of(points=points, per_hundred_minor=rate)
    units, minor = points_for(
        amount_minor=points, value_minor=value, used_minor=0, used_value_minor=0, need_minor=need
    )
    if need < value:
        assert minor == need
        assert (2 * value * (units - 1) + points) // (2 * points) < need
    else:
        assert (units, minor) == (points, value)
