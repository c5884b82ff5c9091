"""The capture template: for all inputs nothing is lost, made or negative (P2, P5)."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ledger.templates.capture import CaptureAccounts, CapturedOrder, Share, Terms, capture_entry, split

MERCHANT, CHARGE = UUID(int=1), UUID(int=2)
ACCOUNTS = CaptureAccounts(psp_clearing=1, commission=2, tax_payable=3)
amounts = st.integers(1, 10**15)
terms = st.builds(
    Terms,
    commission_bps=st.integers(0, 10_000),
    commission_fixed_minor=st.integers(0, 10**6),
    tax_bps=st.integers(0, 10_000),
)
orders = st.lists(st.tuples(st.integers(10, 14), amounts, terms), min_size=1, max_size=12)


def half_up(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@given(amount=st.integers(0, 10**15), terms=terms)
def test_the_parts_add_up_and_none_is_negative(amount: int, terms: Terms) -> None:
    share = split(amount_minor=amount, terms=terms)
    parts = (share.seller_net_minor, share.commission_minor, share.tax_minor)
    assert sum(parts) == amount
    assert min(parts) >= 0


@given(amount=amounts, terms=terms)
def test_the_parts_are_those_of_the_rule(amount: int, terms: Terms) -> None:
    """The rule in decimal arithmetic, written from its text: an oracle that shares no line with split."""
    with localcontext(prec=60):
        commission = half_up(Decimal(amount) * terms.commission_bps / 10_000) + terms.commission_fixed_minor
        gross = min(amount, commission)
        rate = Decimal(terms.tax_bps) / 10_000
        tax = half_up(gross * rate / (1 + rate))
    assert split(amount_minor=amount, terms=terms) == Share(amount - gross, gross - tax, tax)


def test_known_splits() -> None:
    """100.00 USD and 100 JPY at 10 % with 20 % tax inside; 1.234 KWD; a commission above the amount."""
    known = [
        (10_000, Terms(1000, 30, 2000), Share(8970, 858, 172)),
        (100, Terms(1000, 0, 2000), Share(90, 8, 2)),
        (1_234, Terms(250, 0, 500), Share(1203, 30, 1)),
        (5, Terms(1000, 30, 0), Share(0, 5, 0)),
        (5, Terms(1000, 0, 0), Share(4, 1, 0)),  # half a unit goes up
        (4, Terms(1000, 0, 0), Share(4, 0, 0)),
    ]
    for amount, kept, share in known:
        assert split(amount_minor=amount, terms=kept) == share


@given(orders=orders, currency=st.sampled_from(["USD", "JPY", "KWD", "PTS"]))
def test_the_entry_of_a_capture_adds_up_to_zero(orders: list[tuple[int, int, Terms]], currency: str) -> None:
    captured = [
        CapturedOrder(account, split(amount_minor=minor, terms=kept)) for account, minor, kept in orders
    ]
    entry = capture_entry(
        merchant_id=MERCHANT,
        charge_id=CHARGE,
        currency=currency,
        effective_date=date(2026, 3, 1),
        accounts=ACCOUNTS,
        orders=captured,
    )
    clearing, *credits = entry.lines
    assert sum(line.amount_minor for line in entry.lines) == 0
    assert clearing.amount_minor == sum(minor for _, minor, _ in orders)
    assert (clearing.account_id, clearing.clearing_key) == (1, str(CHARGE))
    assert all(line.amount_minor < 0 and line.clearing_key is None for line in credits)
    assert {line.currency for line in entry.lines} == {currency}
    assert len({line.account_id for line in entry.lines}) == len(entry.lines)
    for account in {account for account, _, _ in orders}:
        owed = sum(one.share.seller_net_minor for one in captured if one.seller_pending_account == account)
        assert -sum(line.amount_minor for line in credits if line.account_id == account) == owed
