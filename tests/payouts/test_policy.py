"""What a payout costs and how large it may be: the rules alone, over all amounts."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.currencies import ISO_EXPONENTS
from core.money import format_minor, parse_amount
from core.settings_store import SettingInvalid
from payouts import policy
from payouts.policy import PayoutPolicy, Price

AMOUNTS = st.integers(min_value=1, max_value=10**12)
PRICES = st.builds(
    Price,
    fixed_minor=st.integers(min_value=0, max_value=10**6),
    bps=st.integers(min_value=0, max_value=10_000),
)


@given(PRICES, AMOUNTS)
def test_a_fee_is_half_up_and_never_more_than_the_amount(price: Price, amount: int) -> None:
    """A fee is a whole number of minor units, next to the exact one; a half goes up."""
    exact = Fraction(amount * price.bps, 10_000) + price.fixed_minor
    fee = price.of(amount)
    assert 0 <= fee <= amount
    if exact <= amount:
        assert Fraction(-1, 2) < fee - exact <= Fraction(1, 2)
    else:
        assert fee == amount


@given(PRICES, st.integers(min_value=0, max_value=10**12))
def test_most_for_takes_all_that_can_be_paid_and_no_more(price: Price, available: int) -> None:
    """Amount and fee are within what there is, and one unit more would not be."""
    amount = price.most_for(available)
    assert amount + price.of(amount) <= available
    assert amount + 1 + price.of(amount + 1) > available


@given(PRICES, AMOUNTS, AMOUNTS)
def test_a_larger_payout_never_costs_less(price: Price, one: int, other: int) -> None:
    """What `most_for` relies on."""
    assert price.of(min(one, other)) <= price.of(max(one, other))


@given(AMOUNTS, st.sampled_from(sorted(set(ISO_EXPONENTS))))
def test_fees_are_amounts_of_their_currency(amount: int, currency: str) -> None:
    """One per cent of it is written with exactly the decimals of JPY, USD or KWD, and read back."""
    fee = Price(bps=100).of(amount)
    if fee:
        assert parse_amount(format_minor(fee, currency), currency) == fee


@given(AMOUNTS, st.integers(min_value=0, max_value=10**13))
def test_nothing_more_than_what_came_back_is_kept_of_it(returned: int, kept: int) -> None:
    """A return never leaves the seller owing."""
    assert PayoutPolicy(return_price_minor=kept).return_fee_of(returned) == min(returned, kept)


@given(AMOUNTS, st.integers(min_value=0, max_value=10**12), AMOUNTS, AMOUNTS)
def test_limits_hold_at_the_unit(amount: int, today: int, per_payout: int, per_day: int) -> None:
    """Exactly the limit is within it."""
    held = PayoutPolicy(per_payout_minor=per_payout, per_day_minor=per_day)
    broken = held.limit_broken(amount, today_minor=today)
    assert (broken is None) == (amount <= per_payout and amount + today <= per_day)
    assert (broken == "per_payout") == (amount > per_payout)


def test_what_nobody_set_lets_nothing_out_without_a_second_person() -> None:
    """The default: each payout is looked at, costs nothing, and has no limit."""
    held = policy._policy({each.name: each.default for each in policy.SETTINGS}, "EUR")
    assert held == PayoutPolicy() and held.needs_review(1)
    assert held.is_below_minimum(0) and not held.is_below_minimum(1)


def test_a_currency_has_its_own_and_the_others_share_one() -> None:
    """JPY is named, USD is one of the others."""
    values = {each.name: each.default for each in policy.SETTINGS} | {
        "payouts.review_above": {"JPY": 1_000, "*": 5},
        "payouts.fee": {"JPY": {"fixed_minor": 30}, "*": {"bps": 25}},
        "payouts.minimum": {"JPY": 500},
    }
    yen, dollars = policy._policy(values, "JPY"), policy._policy(values, "USD")
    assert (yen.review_above_minor, yen.fee_of(1_000), yen.minimum_minor) == (1_000, 30, 500)
    assert (dollars.review_above_minor, dollars.fee_of(1_000), dollars.minimum_minor) == (5, 3, 1)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        (policy.REVIEW_ABOVE, {"EUR": 5}),
        (policy.REVIEW_ABOVE, {"*": -1}),
        (policy.REVIEW_ABOVE, {"*": True}),
        (policy.FEE, {"EUR": {"bps": 10_001}}),
        (policy.FEE, {"EUR": {"bps": 1.5}}),
        (policy.FEE, {"EUR": {}}),
        (policy.FEE, {"EUR": {"fix": 1}}),
        (policy.FEE, {"EUR": 5}),
        (policy.FEE, {"*": {"fixed_minor": 1}}),
        (policy.MINIMUM, {"EURO": 5}),
        (policy.MINIMUM, {"EUR": 10**16}),
        (policy.LIMITS, {"*": {"per_day_minor": 5}}),
        (policy.LIMITS, {"EUR": {"per_year_minor": 5}}),
        (policy.RETURN_FEE, {"EUR": "5"}),
    ],
)
def test_settings_that_make_no_sense_are_refused(setting: policy.Declared, value: dict[str, object]) -> None:
    """Each with a sentence for people."""
    with pytest.raises(SettingInvalid, match=setting.name):
        setting.validate(value)
