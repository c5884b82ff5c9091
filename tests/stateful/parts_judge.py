"""Whether books, wallets and rows are what the facts of one charge make them; read behind the services."""

from collections import Counter
from functools import cache

from core.audits import registered, run_audits
from payments.models import PaymentEvent
from tests.stateful.cast import rows
from tests.stateful.parts_model import Facts
from tests.stateful.parts_world import World

__all__ = ["Judge", "no_audit_finds_anything"]

_CLEARING = """
    SELECT account.role, line.clearing_key, sum(line.amount_minor)
    FROM ledger_journalline AS line JOIN ledger_account AS account ON account.id = line.account_id
    WHERE line.merchant_id = %s AND line.clearing_key IS NOT NULL
    GROUP BY 1, 2 HAVING sum(line.amount_minor) <> 0
"""
_BALANCES = """
    SELECT account.role, account.owner, sum(line.amount_minor)
    FROM ledger_journalline AS line JOIN ledger_account AS account ON account.id = line.account_id
    WHERE line.merchant_id = %s GROUP BY 1, 2 HAVING sum(line.amount_minor) <> 0
"""
_WALLETS = """
    SELECT owner_id, pending_minor, available_minor, held_minor, receivable_minor FROM wallet_wallet
    WHERE merchant_id = %s
"""
_HOLDS = """
    SELECT wallet.owner_id, hold.purpose, sum(hold.amount_minor)
    FROM wallet_hold AS hold JOIN wallet_wallet AS wallet ON wallet.id = hold.wallet_id
    WHERE hold.merchant_id = %s AND hold.state = 'OPEN' GROUP BY 1, 2
"""
_ORDERS = """
    SELECT captured_minor, refund_reserved_minor, refunded_minor, dispute_reserved_minor,
        excess_returned_minor
    FROM payments_paymentorder WHERE checkout_id = %s ORDER BY position
"""
# What rows say of who gave what: of each order, in refunds and in disputes, by their states.
_GIVEN = """
    SELECT line.order_id, 'refund', refund.id::text, refund.status, line.seller_minor, line.commission_minor,
        line.tax_minor
    FROM payments_refundline AS line JOIN payments_refund AS refund ON refund.id = line.refund_id
    WHERE line.merchant_id = %s
    UNION ALL
    SELECT line.order_id, 'dispute', dispute.psp_reference, dispute.status, line.seller_minor,
        line.commission_minor, line.tax_minor
    FROM payments_disputeline AS line JOIN payments_dispute AS dispute ON dispute.id = line.dispute_id
    WHERE line.merchant_id = %s
"""
_CLOSED = ("customer_overpayment", "dispute_receivable", "refunds_in_transit", "seller_pending")
Parts = tuple[int, int, int]


class Judge:
    """Compares everything that can be read with everything that is known to have happened."""

    def __init__(self, world: World, facts: Facts) -> None:
        self.world, self.facts = world, facts

    def look(self) -> None:
        """After every step."""
        self._read()
        self._orders()
        for order in range(len(self.facts.sales)):
            self._parts_of(order)
        self._totals()
        self._keys()
        self._checkout()

    def _read(self) -> None:
        merchant = self.world.merchant_id
        balances = rows(_BALANCES, [merchant])
        self.roles: Counter[str] = Counter()
        self.owned: Counter[tuple[str, str]] = Counter()
        for role, owner, minor in balances:
            self.roles[role] += int(minor)
            self.owned[role, str(owner)] += int(minor)
        self.wallets = {str(owner): tuple(buckets) for owner, *buckets in rows(_WALLETS, [merchant])}
        self.holds = Counter(
            {(str(owner), purpose): int(str(minor)) for owner, purpose, minor in rows(_HOLDS, [merchant])}
        )
        places = {order_id: order for order, order_id in enumerate(self.world.order_ids)}
        self.given: dict[int, list[tuple[bool, bool, Parts]]] = {order: [] for order in places.values()}
        for order_id, kind, _name, status, *parts in rows(_GIVEN, [merchant, merchant]):
            if kind == "refund":
                is_given, is_held = status not in ("FAILED", "CANCELED"), False
            else:
                is_given, is_held = status == "LOST", status == "OPEN"
            self.given[places[order_id]].append((is_given, is_held, tuple(parts)))

    def gave(self, order: int) -> Parts:
        """What seller, marketplace and tax have given back of an order."""
        return self._sum(order, given=True)

    def _sum(self, order: int, *, given: bool) -> Parts:
        found = [parts for is_given, is_held, parts in self.given[order] if (is_given if given else is_held)]
        seller, commission, tax = (sum(column) for column in zip(*found, strict=True)) if found else (0, 0, 0)
        return seller, commission, tax

    def _orders(self) -> None:
        """What orders count is what happened to them."""
        found = rows(_ORDERS, [self.world.charge.checkout_id])
        facts = self.facts
        assert [tuple(row) for row in found] == [
            (
                sale.amount,
                facts.of(order, "open", "done"),
                facts.of(order, "done"),
                facts.disputed(order, "open", "lost"),
                facts.excess(order),
            )
            for order, sale in enumerate(facts.sales)
        ]

    def _parts_of(self, order: int) -> None:
        """One order's parts, as wallet and books have them, add up to captured less returned (§3, §7)."""
        facts, owner = self.facts, str(self.world.seller_ids[order])
        pending, available, held, receivable = self.wallets[owner]
        assert min(pending, available, held, receivable) >= 0
        assert not (available and receivable), "what can be spent pays debts first"
        paid_out, waiting = facts.paid_out(order, "sent"), facts.paid_out(order, "open")
        elsewhere = sum(sale.parts[0] for who, sale in facts.others.values() if who == order)
        recharged = sum(each.recharged[order] for each in facts.disputes.values())
        seller = pending + available + held + paid_out - receivable - elsewhere + recharged
        whole, gave = facts.sales[order].parts, self.gave(order)
        commission, tax = whole[1] - gave[1], whole[2] - gave[2]
        assert seller == whole[0] - gave[0]
        assert seller + commission + tax == facts.sales[order].amount - facts.returned(order)
        assert 0 <= commission <= whole[1] and 0 <= tax <= whole[2], "no part gives more than it had"
        assert -facts.excess(order) <= seller <= whole[0]
        # What is held is held for something, and nobody holds what is beyond, but for the excess.
        on_hold = self._sum(order, given=False)[0]
        assert gave[0] + on_hold <= whole[0] + facts.excess(order)
        assert self.owned["seller_dispute_hold", owner] == -on_hold == -self.holds[owner, "dispute"]
        assert self.owned["seller_payout_hold", owner] == -waiting == -self.holds[owner, "payout"]
        assert self.owned["seller_reserve", owner] == -self.holds[owner, "reserve"]
        assert held == on_hold + waiting + self.holds[owner, "reserve"]

    def _totals(self) -> None:
        """The marketplace's own accounts are the sum over the orders."""
        facts, orders = self.facts, range(len(self.facts.sales))
        gave = [self.gave(order) for order in orders]
        sold = [sale.parts for sale in (*facts.sales, *(sale for _, sale in facts.others.values()))]
        fees = sum(each.fees for each in facts.disputes.values())
        recharged = sum(sum(each.recharged) for each in facts.disputes.values())
        expected = {
            "commission": -sum(parts[1] for parts in sold),
            "commission_refunded": sum(parts[1] for parts in gave),
            "tax_payable": sum(parts[2] for parts in gave) - sum(parts[2] for parts in sold),
            "chargeback_fee": fees,
            "chargeback_fee_recovered": -recharged,
            "wallet_available": -sum(
                each.amount for each in facts.refunds.values() if each.state == "done" and not each.to_card
            ),
            "psp_fee": 0,
            "chargeback_loss": 0,
        }
        assert {role: self.roles[role] for role in expected} == expected

    def _keys(self) -> None:
        """Every clearing account, key by key, is what is open; there is no other key."""
        found = rows(_CLEARING, [self.world.merchant_id])
        self.open_now = Counter({(str(role), str(key)): int(str(minor)) for role, key, minor in found})
        assert self.open_now == {name: minor for name, minor in self._open().items() if minor}

    def _open(self) -> Counter[tuple[str, str]]:
        facts, world = self.facts, self.world
        open_now: Counter[tuple[str, str]] = Counter()
        main = "psp_clearing", str(world.charge.id)
        open_now[main] += sum(sale.amount for sale in facts.sales)
        for name, each in facts.refunds.items():
            if each.to_card and each.state == "done":
                open_now[main] -= each.amount
            if each.to_card and each.state == "open":
                open_now["refunds_in_transit", name] -= each.amount
        for name, each in facts.disputes.items():
            open_now[main] -= each.taken + each.fees
            decided = each.amount if each.state == "lost" else 0
            open_now["dispute_receivable", self.dispute_ids()[name]] += each.taken - decided
        for name, (_, minor, state) in facts.payouts.items():
            open_now["payouts_in_transit", name] -= minor if state == "sent" else 0
        for name, (_, sale) in facts.others.items():
            open_now["psp_clearing", name] += sale.amount
        if facts.late_state == "open" and world.old is not None:
            # Booked as an overpayment and asked to be given back at once; the provider has not answered.
            open_now["psp_clearing", str(world.old.id)] += facts.amount
            open_now["refunds_in_transit", facts.late_back] -= facts.amount
        return open_now

    def dispute_ids(self) -> dict[str, str]:
        """Our ids of disputes by the provider's."""
        found = rows(
            "SELECT psp_reference, id FROM payments_dispute WHERE merchant_id = %s", [self.world.merchant_id]
        )
        return {str(name): str(key) for name, key in found}

    def _checkout(self) -> None:
        """`is_payment_done` and `compensated_at` are what the design says that they are."""
        checkout = PaymentEvent.objects.get(pk=self.world.charge.checkout_id)
        seen = checkout.is_payment_done, checkout.compensated_at is not None
        assert seen == (self.facts.is_done, self.facts.is_compensated)

    def is_closed(self) -> None:
        """At the end: each part of each order is at exactly zero, and nothing waits on any account."""
        facts = self.facts
        for order, sale in enumerate(facts.sales):
            seller, commission, tax = self.gave(order)
            assert (commission, tax) == sale.parts[1:], "the marketplace keeps nothing of what went back"
            assert seller == sale.parts[0] + facts.excess(order), "the seller pays what is beyond"
            pending, _, held, _ = self.wallets[str(self.world.seller_ids[order])]
            assert (pending, held) == (0, 0)
        assert not any(self.roles[role] for role in _CLOSED)
        at_psp = sum(facts.excess(order) for order in range(3)) + sum(x.fees for x in facts.disputes.values())
        to_wallets = sum(x.amount for x in facts.refunds.values() if not x.to_card)
        assert self.open_now["psp_clearing", str(self.world.charge.id)] == to_wallets - at_psp


def no_audit_finds_anything() -> None:
    """Every registered query in one statement; the runner is asked for its report where one has rows."""
    if rows(_all_queries(), []):
        report = run_audits(store=False)
        assert report.is_clean, [(each.name, each.sample) for each in report.violated]


@cache
def _all_queries() -> str:
    asked = (f"SELECT '{each.name}' WHERE EXISTS ({each.sql})" for each in registered())
    return " UNION ALL ".join(asked).replace("%", "%%")
