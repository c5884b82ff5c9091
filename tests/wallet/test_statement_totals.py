"""What a seller's statement says its movements were for, and what they are called outside."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.ids import public_id, uuid7
from ledger.services import open_account
from ledger.templates.entry import Posting, credit
from ledger.templates.payouts import payout_rejection_entry, payout_return_credit_entry
from ledger.templates.registry import JOURNALS
from tests.ledger.books import DAY, Books, rows
from tests.store import open_store
from tests.wallet.test_statement_pdf import text_of
from wallet.purposes import PURPOSES
from wallet.selectors import seller_accounts_of, statement, wallets_of
from wallet.services import cancel_hold, confirm_hold, post_netted
from wallet.statement_kinds import _KINDS, CATEGORIES, category_of
from wallet.types import Statement

pytestmark = pytest.mark.django_db(transaction=True)
SINCE, UNTIL = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["earn", "cancel", "send", "reject", "return", "owe", "net"]),
        st.integers(2, 500),
        st.integers(0, 2),
    ),
    max_size=8,
)


class Payouts:
    """Payouts of one seller, by the services and templates that the product posts them with."""

    def __init__(self, books: Books) -> None:
        self.books = books
        shared = {"merchant_id": books.merchant_id, "currency": books.currency}
        with transaction.atomic():
            self.transit = open_account(role="payouts_in_transit", provider="sepa", **shared)
            self.returns = open_account(role="payout_returns", provider="sepa", **shared)
            self.fee = open_account(role="payout_fee", **shared)
        books.account("seller_available")
        mine = wallets_of(merchant_id=books.merchant_id, owner_type="seller", owner_id=books.seller)
        self.wallet_id = mine[0].id

    def earn(self, minor: int, fee: int) -> None:
        """A sale; here it may be spent at once."""
        books = self.books
        lines = [
            books.line(books.clearing, minor),
            books.line(books.account("seller_available"), -minor),
        ]
        with transaction.atomic():
            post_netted(
                drafts=[books.draft(*lines, kind="payment_captured", source="charge", ref=str(uuid7()))]
            )

    def owe(self, minor: int, fee: int) -> None:
        """A refund of what the seller does not have."""
        draft, _ = self.books.move("seller_receivable", "clearing", minor)
        lines = [self.books.line(line.account_id, line.amount_minor) for line in draft.lines]
        with transaction.atomic():
            post_netted(
                drafts=[self.books.draft(*lines, kind="refund_accepted", source="refund", ref=str(uuid7()))]
            )

    def cancel(self, minor: int, fee: int) -> UUID:
        """Asked for and taken back."""
        payout_id = self._hold(minor, fee)
        with transaction.atomic():
            cancel_hold(
                merchant_id=self.books.merchant_id,
                wallet_id=self.wallet_id,
                purpose="payout",
                subject=str(payout_id),
            )
        return payout_id

    def send(self, minor: int, fee: int) -> UUID:
        """Asked for and sent."""
        payout_id = self._hold(minor, fee)
        legs = [credit(self.transit, minor, key=payout_id), credit(self.fee, fee)]
        with transaction.atomic():
            confirm_hold(
                merchant_id=self.books.merchant_id,
                purpose="payout",
                subject=str(payout_id),
                settled_minor=minor + fee,
                legs=legs,
            )
        return payout_id

    def reject(self, minor: int, fee: int) -> UUID:
        """Sent and refused by the bank: all of it comes back, the fee too."""
        payout_id = self.send(minor, fee)
        draft = payout_rejection_entry(
            payouts_in_transit=self.transit,
            payout_fee=self.fee,
            payout_id=payout_id,
            amount_minor=minor,
            fee_minor=fee,
            **self._common(),
        )
        with transaction.atomic():
            post_netted(drafts=[draft])
        return payout_id

    def bring_back(self, minor: int, fee: int, kept: int = 1) -> UUID:
        """Paid and returned, less a fee."""
        payout_id = self.send(minor, fee)
        draft = payout_return_credit_entry(
            payout_returns=self.returns,
            payout_fee=self.fee,
            return_id=f"{public_id('po', payout_id).replace('_', '')}-1",
            amount_minor=minor,
            fee_minor=kept,
            **self._common(),
        )
        with transaction.atomic():
            post_netted(drafts=[draft])
        return payout_id

    def statement(self) -> Statement:
        """All that ever moved."""
        return statement(
            merchant_id=self.books.merchant_id, wallet_id=self.wallet_id, since=SINCE, until=UNTIL
        )

    def available(self) -> int:
        """What may be paid out."""
        return self.books.wallet()["available"]

    def _hold(self, minor: int, fee: int) -> UUID:
        payout_id = uuid7()
        self.books.hold(minor + fee, subject=str(payout_id))
        return payout_id

    def _common(self) -> dict[str, Any]:
        seller = seller_accounts_of(merchant_id=self.books.merchant_id, wallet_id=self.wallet_id)
        return {"posting": Posting(self.books.merchant_id, self.books.currency, DAY), "seller": seller}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=15)
@given(STEPS)
def test_opening_and_totals_are_closing_whatever_happened(steps: list[tuple[str, int, int]]) -> None:
    """W: what the seller gained and lost is all there is, and each part is what the steps say."""
    it = Payouts(Books())
    expected = dict.fromkeys(CATEGORIES, 0)
    for step, minor, fee in steps:
        if step in ("cancel", "send", "reject", "return") and it.available() < minor + fee:
            continue
        if step == "earn":
            it.earn(minor, fee)
            expected["earnings"] += minor
        elif step == "owe":
            it.owe(minor, fee)
            expected["refunds"] -= minor
        elif step == "cancel":
            it.cancel(minor, fee)
        elif step == "send":
            it.send(minor, fee)
            expected["payouts"] -= minor
            expected["fees"] -= fee
        elif step == "reject":
            it.reject(minor, fee)
        elif step == "return":
            it.bring_back(minor, fee)
            expected["payouts"] -= minor
            expected["returns"] += minor
            expected["fees"] -= fee + 1
    found = it.statement()
    assert found.totals == expected
    assert found.opening_minor + sum(found.totals.values()) == found.closing_minor
    wallet = it.books.wallet()
    assert found.closing_minor == sum(wallet.values()) - 2 * wallet["receivable"]


def test_payouts_are_named_in_every_form() -> None:
    """JSON, CSV and PDF say po_… beside the payout, and the bank's reference beside its return."""
    store = open_store()
    body = {"seller_account": "ann", "name": "Ann", "country": "DE"}
    assert store.post("/v1/sellers", body).status_code == 201
    ((seller_id,),) = rows("SELECT id FROM merchants_seller")
    it = Payouts(Books(merchant_id=store.merchant_id, seller=seller_id))
    it.earn(10_000, 0)
    sent = public_id("po", it.bring_back(5_000, 100, kept=200))
    url = f"/v1/wallets/{public_id('wal', it.wallet_id)}"
    times = {"created_gte": "2000-01-01T00:00:00Z", "created_lt": "2100-01-01T00:00:00Z"}

    said = json.loads(store.get(f"{url}/statement", **times).content)
    told = {(line["what"], line["reference"]) for line in said["lines"]}
    bank = f"{sent.replace('_', '')}-1"
    assert told >= {("payout_requested", sent), ("payout_sent", sent), ("payout_return_credited", bank)}
    assert said["totals"] == {
        "earnings": "100.00",
        "refunds": "0.00",
        "disputes": "0.00",
        "fees": "-3.00",
        "payouts": "-50.00",
        "returns": "50.00",
        "other": "0.00",
    }
    newest = json.loads(store.get(f"{url}/operations", limit="1").content)["data"][0]
    assert (newest["what"], newest["reference"]) == ("payout_return_credited", bank)

    text = store.get(f"{url}/statement", format="csv", **times).content.decode()
    cells = list(csv.DictReader(io.StringIO(text)))
    assert {(row["what"], row["reference"]) for row in cells if row["entry"]} == told
    totals = {row["what"]: row["amount"] for row in cells if row["account"] == "total"}
    assert totals == said["totals"]
    assert [row["balance"] for row in cells if row["bucket"] == "all" and row["balance"]] == ["0.00", "97.00"]

    pages = text_of(store.get(f"{url}/statement", format="pdf", **times).content)
    assert f"payout sent · {sent}" in pages[0] and f"payout return credited · {bank}" in pages[0]
    lines = pages[0].splitlines()
    for name in CATEGORIES:
        assert lines[lines.index(name.capitalize()) + 1] == said["totals"][name]


def test_every_kind_that_has_a_category_exists() -> None:
    """A kind that is renamed in the books would be `other` from then on."""
    exist = {journal.kind for journal in JOURNALS.values()}
    for purpose in PURPOSES.values():
        exist |= {purpose.tried, purpose.confirmed, purpose.canceled}
    # Beside another journal: refunds of what a balance paid.
    assert {kind for kinds in _KINDS.values() for kind in kinds} - exist <= {"refund_to_balance"}
    assert category_of("debt_written_off") == "other"
