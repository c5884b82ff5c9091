"""manage.py demo_day: the parts of `make demo-day` that no API has; for a world of its own only."""

import json
import sys
import traceback
from collections.abc import Mapping
from datetime import date, time
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from channels.selectors import channel_by_name
from console.management.commands.demo_data import BANK
from core import clock
from core.ids import parse_public_id, public_id
from core.settings_store import put_setting
from core.transactions import at_edge
from ledger.selectors import movement_totals, trial_balance
from merchants.selectors import list_sellers
from merchants.services import ensure_buyer, submit_kyc, verify_kyc
from merchants.types import SellerData
from payouts.selectors import list_destinations
from payouts.services import place_block, verify_destination
from reconciliation.selectors import breaks_at_desk, day_at_desk
from reconciliation.services import create_source
from reconciliation.types import SourceSettings
from wallet.services import grant_credit
from wallet.types import GrantRequest

ACTOR, OTHER = "system:demo", "user:demo"
MOST = 100
# Their accounts at the bank reach what the provider pays out; dollars have theirs by demo_data.
CURRENCIES = ("EUR", "JPY", "KWD")
# Money at the provider and at the bank, and on the way between them.
ROLES = ("psp_clearing", "psp_settlement_in_transit", "bank", "payouts_in_transit", "refunds_in_transit")


class Command(BaseCommand):
    """Only for development: it refuses to run without DEBUG and TEST_HOOKS."""

    help = "Prepare the world of `make demo-day`, or print how it stands as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and for whom."""
        parser.add_argument("what", choices=["prepare", "day", "books", "listen"])
        parser.add_argument("merchant", help="the merchant's id: mer_…")
        parser.add_argument("--day", type=date.fromisoformat, help="the day that is to be closed")
        parser.add_argument("--grant", action="append", default=[], metavar="BUYER:KIND:AMOUNT")
        parser.add_argument("--block", default="", metavar="SELLER", help="who is not paid out")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and print JSON."""
        if not settings.DEBUG or not settings.TEST_HOOKS:
            raise CommandError("it is for the world of `make demo-day`: DEBUG and TEST_HOOKS")
        merchant_id = parse_public_id(options["merchant"], "mer")
        if merchant_id is None:
            raise CommandError("a merchant's id looks like mer_01j…")
        if options["what"] == "listen":
            self._listen(merchant_id)
            return
        self.stdout.write(json.dumps(_answer(merchant_id, options["what"], options)))

    def _listen(self, merchant_id: UUID) -> None:
        """Answer one JSON object a line until there are no more: starting anew each time costs seconds."""
        for line in sys.stdin:
            asked = json.loads(line)
            try:
                answer = {"answer": _answer(merchant_id, asked["what"], asked)}
            except Exception:
                answer = {"error": traceback.format_exc()}
            self.stdout.write(json.dumps(answer))
            self.stdout.flush()


def _answer(merchant_id: UUID, what: str, options: Mapping[str, Any]) -> Any:
    if what == "prepare":
        return at_edge(_prepare)(merchant_id, options["grant"], options["block"])
    if what == "day":
        day = options["day"]
        return _day(merchant_id, date.fromisoformat(day) if isinstance(day, str) else day or clock.today())
    return _books(merchant_id)


def _prepare(merchant_id: UUID, grants: list[str], blocked: str) -> dict[str, Any]:
    """Say yes to the sellers and their accounts, as two people; open accounts at the bank; give credit."""
    sellers = list_sellers(merchant_id=merchant_id, limit=MOST).items
    for seller in sellers:
        _verify(merchant_id, seller)
        if seller.seller_account == blocked:
            place_block(
                merchant_id=merchant_id,
                seller_id=seller.id,
                source="finance",
                reason="papers are missing",
                by=OTHER,
            )
    for currency in CURRENCIES:
        _expect_statements(merchant_id, currency)
    scope = public_id("mer", merchant_id)
    for name, value in (("wallet.points_worth", {"USD": 100}), ("wallet.grant_alone_up_to_minor", 10**9)):
        put_setting(name=name, value=value, scope=scope, actor=ACTOR, reason="demonstration")
    for each in grants:
        _give(merchant_id, *each.split(":"))
    return {"sellers": len(sellers), "grants": len(grants)}


def _verify(merchant_id: UUID, seller: SellerData) -> None:
    if seller.kyc_status == "UNVERIFIED":
        submit_kyc(merchant_id=merchant_id, seller_id=seller.id, why="demo", by=ACTOR)
        verify_kyc(merchant_id=merchant_id, seller_id=seller.id, why="demo", by=OTHER)
    for place in list_destinations(merchant_id=merchant_id, seller_id=seller.id, limit=MOST).items:
        if place.status == "UNVERIFIED":
            verify_destination(
                merchant_id=merchant_id, destination_id=place.id, by=OTHER, reason="an account of the demo"
            )


def _expect_statements(merchant_id: UUID, currency: str) -> None:
    create_source(
        merchant_id=merchant_id,
        name=f"bank-{currency.lower()}",
        settings=SourceSettings(
            kind="bank",
            provider="sandbox",
            channel_id=channel_by_name(name=BANK).id,
            account=f"PAYABLES-{currency}",
            currency=currency,
            format="camt.053",
            fetcher="bank",
            time_zone="UTC",
            calendar="EVERY_DAY",
            expected_after=1,
            expected_by=time(12),
            begins_on=clock.today(),
            encoding="utf-8",
        ),
        by=ACTOR,
        reason="demonstration",
    )


def _give(merchant_id: UUID, buyer: str, kind: str, amount: str) -> None:
    ensure_buyer(merchant_id=merchant_id, buyer_account=buyer)
    grant_credit(
        grant_id=uuid5(NAMESPACE_URL, f"{merchant_id}/{buyer}/{kind}"),
        request=GrantRequest(merchant_id, buyer, kind, int(amount), "USD", "a present of the demo"),
        by=OTHER,
    )


def _day(merchant_id: UUID, day: date) -> dict[str, Any]:
    """What stands in the way of closing a day, and the breaks that are open."""
    desk = day_at_desk(merchant_id=merchant_id, day=day)
    return {
        "status": desk.close.status,
        "obstacles": [[each.code, each.says, each.subject] for each in desk.obstacles],
        "breaks": _breaks(merchant_id),
    }


def _breaks(merchant_id: UUID) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = breaks_at_desk(merchant_id=merchant_id, queue="all", after=after, limit=MOST)
        found += [
            {
                "id": each.public_id,
                "class": each.break_class,
                "category": each.category,
                "status": each.status,
                "currency": each.currency,
                "amount_minor": each.amount_minor,
                "summary": each.summary,
            }
            for each in page.rows
        ]
        after = page.after
        if after is None:
            return found


def _books(merchant_id: UUID) -> dict[str, Any]:
    """The movements of the roles that others have books about, and all balances by currency and role."""
    balances: dict[str, dict[str, int]] = {}
    for account in trial_balance(merchant_id=merchant_id):
        of_currency = balances.setdefault(account.currency, {})
        of_currency[account.role] = of_currency.get(account.role, 0) + account.balance_minor
    moved = movement_totals(merchant_id=merchant_id, roles=ROLES)
    return {
        "balances": balances,
        "movements": [[each.currency, each.role, each.kind, each.amount_minor] for each in moved],
        "breaks": _breaks(merchant_id),
    }
