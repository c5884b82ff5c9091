"""Refunds of any mix of wallets, in any sizes and order: nothing is lost or made, and the last closes all."""

from uuid import UUID, uuid4

from hypothesis import assume, given
from hypothesis import strategies as st

from payments.engine.refunds.wallets import Lot, PaidPart, PartBack, divide_among_wallets
from payments.errors import RefundNotInWholePoints
from payments.models import OrderShare, Refund, RefundLine
from tests.payments.conftest import Shop
from tests.payments.purses import open_purse
from tests.payments.refunding import ask
from tests.stateful.effort import examples
from wallet.models import Grant


def applied(parts: list[PaidPart], given_back: list[PartBack]) -> list[PaidPart]:
    """The parts as they are when a refund has given that back."""
    back = {(each.part_id, each.grant_id): each for each in given_back}
    assert len(back) == len(given_back) and all(
        each.amount_minor > 0 < each.units_minor for each in given_back
    )
    found = []
    for part in parts:
        lots = []
        for lot in part.lots:
            got = back.get((part.part_id, lot.grant_id))
            units, value = (got.units_minor, got.amount_minor) if got else (0, 0)
            lots.append(
                Lot(
                    lot.grant_id,
                    lot.units_minor,
                    lot.value_minor,
                    lot.units_back + units,
                    lot.value_back + value,
                )
            )
        now = sum(each.amount_minor for each in given_back if each.part_id == part.part_id)
        found.append(PaidPart(part.part_id, part.amount_minor, part.amount_back + now, tuple(lots)))
    return found


def check(parts: list[PaidPart]) -> None:
    for part in parts:
        assert 0 <= part.amount_back <= part.amount_minor
        for lot in part.lots:
            assert 0 <= lot.units_back <= lot.units_minor and 0 <= lot.value_back <= lot.value_minor
            assert (lot.units_back == lot.units_minor) == (lot.value_back == lot.value_minor)
            # Never further from their worth than half a unit of money and half a point together.
            far = abs(lot.units_back * lot.value_minor - lot.value_back * lot.units_minor)
            assert far <= max(lot.units_minor, lot.value_minor)
        if part.lots:
            assert sum(lot.value_back for lot in part.lots) == part.amount_back


_LOTS = st.lists(st.tuples(st.integers(1, 3_000), st.integers(1, 3_000)), min_size=0, max_size=3)


@st.composite
def _paid(draw: st.DrawFn) -> list[PaidPart]:
    """What up to three wallets paid, in any order."""
    lots = tuple(Lot(UUID(int=n), units, value) for n, (units, value) in enumerate(draw(_LOTS)))
    parts = [PaidPart(uuid4(), amount, 0) for amount in draw(st.lists(st.integers(1, 10_000), max_size=2))]
    if lots:
        parts.append(PaidPart(uuid4(), sum(lot.value_minor for lot in lots), 0, lots))
    assume(parts)
    return draw(st.permutations(parts))


@given(parts=_paid(), cuts=st.lists(st.floats(0, 1), max_size=8))
def test_any_refunds_close_every_wallet_p2(parts: list[PaidPart], cuts: list[float]) -> None:
    """P2: each refund adds up, no wallet gets more than it paid, points are whole, and the last closes all.

    What points alone cannot make up is refused, and changes nothing about the others.
    """
    whole = sum(part.amount_minor for part in parts)
    edges = [0, *sorted(int(cut * whole) for cut in cuts), whole]
    done = 0
    for edge in edges[1:]:
        want = edge - done
        if not want:
            continue
        try:
            given_back = divide_among_wallets(parts=parts, amount_minor=want)
        except RefundNotInWholePoints:
            assert want < whole - done, "all that is left is always whole"
            assert any(lot.units_minor < lot.value_minor for part in parts for lot in part.lots)
            continue
        assert sum(each.amount_minor for each in given_back) == want
        parts = applied(parts, given_back)
        check(parts)
        done += want
    assert done == whole
    assert all(part.amount_back == part.amount_minor for part in parts)


@given(parts=_paid(), cut=st.floats(0.01, 0.99))
def test_each_kind_gives_its_share(parts: list[PaidPart], cut: float) -> None:
    """The rule: no kind is ahead of what it paid by more than rounding, where points are worth little."""
    assume(all(lot.units_minor >= lot.value_minor for part in parts for lot in part.lots))
    whole = sum(part.amount_minor for part in parts)
    amount = max(int(whole * cut), 1)
    for part in applied(parts, divide_among_wallets(parts=parts, amount_minor=amount)):
        assert abs(part.amount_back * whole - part.amount_minor * amount) < 2 * whole


def test_any_refunds_of_any_mix_of_wallets(counter: Shop) -> None:
    """W7, W7b, W7c, P2, I12: through the API; in the end everybody has what they had before the payment."""

    @examples(few=8, many=300)
    @given(
        has=st.tuples(st.integers(1, 20_00), st.integers(1, 20_00), st.integers(1, 500), st.integers(1, 400)),
        rate=st.integers(1, 500),
        kinds=st.permutations(["cash", "bonus", "points"]),
        percent=st.integers(1, 100),
        sizes=st.lists(st.integers(1, 60), max_size=4),
        spends=st.booleans(),
    )
    def run(
        has: tuple[int, int, int, int],
        rate: int,
        kinds: list[str],
        percent: int,
        sizes: list[int],
        spends: bool,
    ) -> None:
        purse = open_purse(counter, cash=has[0], rate=rate)
        for kind, amount in zip(("bonus", "points", "points"), has[1:], strict=True):
            purse.give(kind, amount)
        had = [purse.left(kind) for kind in kinds]
        worth = has[0] + has[1] + sum(-(-points * rate // 100) for points in has[2:])
        price = max(worth * percent // 100, 1)
        order = counter.order(_text(price))
        answer = counter.store.post("/v1/payments", purse.body(order, wallet_kinds=kinds), key=purse.buyer)
        assume(answer.status_code == 201)  # Points of several cents may not come to the price.
        for size in sizes:
            assert ask(counter, order, _text(max(price * size // 100, 1))).status_code in (201, 422)
        if spends and purse.left()[0]:
            # What came back is money like any other.
            again = counter.order(_text(purse.left()[0]))
            assert counter.accept(purse.body(again))["status"] == "succeeded"
            assert ask(counter, again).status_code == 201
        assert ask(counter, order).status_code in (201, 422)
        assert [purse.left(kind) for kind in kinds] == had
        _closed(order["payment_order_id"])

    run()


def _text(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


def _closed(payment_order_id: str) -> None:
    share = OrderShare.objects.get(order__payment_order_id=payment_order_id)
    lines = RefundLine.objects.filter(order_id=share.order_id)
    sums = [sum(getattr(line, f"{part}_minor") for line in lines) for part in ("seller", "commission", "tax")]
    assert sums == [share.seller_net_minor, share.commission_minor, share.tax_minor]
    assert not Grant.objects.exclude(used_minor=0, used_value_minor=0).exists()
    assert not Refund.objects.exclude(status="SUCCESS").exists()
