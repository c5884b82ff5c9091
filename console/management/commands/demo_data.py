"""manage.py demo_data: a test merchant with two sellers, wired to the sandbox; once is enough."""

import json
import secrets
from datetime import time
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from channels.selectors import channel_by_name
from channels.services import create_channel
from core import clock
from core.ids import public_id
from core.roles import FINANCE_CHECKER, FINANCE_MAKER
from core.settings_store import put_setting
from core.transactions import at_edge
from events.services import create_endpoint
from merchants.services import create_api_key, create_merchant, create_seller, submit_kyc, verify_kyc
from payouts.services import add_destination, put_schedule, verify_destination
from reconciliation.services import create_source
from reconciliation.types import SourceSettings

ACTOR = "system:demo"
CHANNEL = "demo-stripe"
BANK = "demo-bank"
FILES = "demo-sepa"
# What sellers are paid from, and what the provider pays into.
BANK_ACCOUNT = "PAYABLES-USD"
# Account, name, commission, settlement delay, payout schedule, account at the bank: Bob does not wait.
SELLERS: tuple[tuple[str, str, int, int, dict[str, Any], str], ...] = (
    ("ann-books", "Ann's Books", 1000, 7, {"interval": "weekly", "weekday": 5}, "100200301"),
    ("bob-bikes", "Bob's Bikes", 800, 0, {"interval": "daily"}, "100200302"),
)
# Above 200.00 USD a second person must say yes; nobody waits for an account of the demo to cool down.
SETTINGS: tuple[tuple[str, Any], ...] = (
    ("payouts.destination_cool_down_hours", 0),
    ("payouts.review_above", {"USD": 20_000, "*": 0}),
    ("payouts.fee", {"USD": {"fixed_minor": 25}}),
)
PEOPLE = (("maker", FINANCE_MAKER), ("checker", FINANCE_CHECKER))


class Command(BaseCommand):
    """Only for development: it refuses to run without DEBUG."""

    help = "Create the demo merchant, its sellers, its channel to the sandbox and an admin login."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the sandbox is, and where to write what only this command knows."""
        parser.add_argument("--sandbox-url", required=True)
        parser.add_argument("--file", default=str(settings.BASE_DIR / "var" / "demo.json"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Create what is missing and write the secrets, which are shown only once, to the file."""
        if not settings.DEBUG:
            raise CommandError("demo data is for development: set DEBUG=True")
        place = Path(options["file"])
        if place.exists():
            self.stdout.write("the demo data is there already")
            return
        facts = at_edge(_create)(options["sandbox_url"])
        facts |= _operator()
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch(mode=0o600)
        place.write_text(json.dumps(facts, indent=2) + "\n")
        self.stdout.write("the demo data was created")


def _create(sandbox_url: str) -> dict[str, str]:
    merchant = create_merchant(name="Demo store", mode="test")
    key = create_api_key(merchant_id=merchant.id, name="demo store")
    for name, value in SETTINGS:
        put_setting(
            name=name, value=value, scope=public_id("mer", merchant.id), actor=ACTOR, reason="demonstration"
        )
    for account, name, bps, delay, schedule, number in SELLERS:
        seller = create_seller(
            merchant_id=merchant.id,
            seller_account=account,
            name=name,
            country="US",
            commission_bps=bps,
            tax_bps=2000,
            settlement_delay_days=delay,
            payout_schedule=schedule,
            by=ACTOR,
        )
        submit_kyc(merchant_id=merchant.id, seller_id=seller.id, why="demo", by=ACTOR)
        verify_kyc(merchant_id=merchant.id, seller_id=seller.id, why="demo", by=ACTOR)
        _pay_to(merchant.id, seller.seller_account, name, number)
    put_schedule(
        merchant_id=merchant.id,
        timezone="UTC",
        cut_off=time(23, 59),
        calendar="EVERY_DAY",
        is_enabled=True,
        by=ACTOR,
        reason="demonstration",
    )
    lines = _open_lines(merchant.id, sandbox_url)
    _expect_files(merchant.id)
    endpoint = create_endpoint(merchant_id=merchant.id, url=f"{sandbox_url}/store/webhooks")
    return {
        "merchant": public_id("mer", merchant.id),
        "api_key": key.secret,
        "webhook_secret": endpoint.secret,
        "store_url": f"{sandbox_url}/store/",
        **lines,
    }


def _pay_to(merchant_id: UUID, seller: str, holder: str, number: str) -> None:
    added = add_destination(
        merchant_id=merchant_id,
        seller=seller,
        kind="us_account",
        country="US",
        currency="USD",
        details={
            "holder_name": holder,
            "routing_number": "110000000",
            "account_number": number,
            "account_type": "checking",
        },
        by=ACTOR,
    )
    verify_destination(
        merchant_id=merchant_id, destination_id=added.id, by="user:demo", reason="an account of the demo"
    )


def _open_lines(merchant_id: UUID, sandbox_url: str) -> dict[str, str]:
    """The provider that takes money in, the one that pays sellers, and a bank that takes files."""
    psp_key, psp_secret = f"sk_test_{secrets.token_hex(16)}", f"whsec_{secrets.token_hex(16)}"
    bank_key, bank_secret = f"bk_test_{secrets.token_hex(16)}", f"whsec_{secrets.token_hex(16)}"
    common: dict[str, Any] = {"merchant_id": merchant_id, "base_url": sandbox_url, "actor": ACTOR}
    create_channel(
        name=CHANNEL,
        provider="stripe",
        secret_key=psp_key,
        webhook_secret=psp_secret,
        max_in_flight=8,
        **common,
    )
    create_channel(
        name=BANK,
        provider="sandbox",
        secret_key=bank_key,
        webhook_secret=bank_secret,
        capabilities={"payouts": {"kinds": ["us_account"], "currencies": ["USD"]}},
        **common,
    )
    create_channel(
        name=FILES,
        provider="sepa",
        secret_key=bank_key,
        capabilities={"payouts": {"kinds": ["iban"], "currencies": ["EUR"], "transport": "http"}},
        debtor={"name": "Demo store", "iban": "DE89370400440532013000", "bic": "COBADEFFXXX"},
        **common,
    )
    return {
        "psp_channel": CHANNEL,
        "psp_key": psp_key,
        "psp_webhook_secret": psp_secret,
        "bank_channel": BANK,
        "bank_key": bank_key,
        "bank_webhook_secret": bank_secret,
    }


def _expect_files(merchant_id: UUID) -> None:
    """The provider's report of every day, and the statement of the account that its payouts reach."""
    common: dict[str, Any] = {
        "time_zone": "UTC",
        "calendar": "EVERY_DAY",
        "expected_after": 1,
        "expected_by": time(12),
        "begins_on": clock.today(),
        "encoding": "utf-8",
    }
    sources = {
        "stripe": SourceSettings(
            kind="psp",
            provider="stripe",
            channel_id=channel_by_name(name=CHANNEL).id,
            account="",
            currency="",
            format="stripe.payout_reconciliation",
            fetcher="stripe",
            **common,
        ),
        "bank": SourceSettings(
            kind="bank",
            provider="sandbox",
            channel_id=channel_by_name(name=BANK).id,
            account=BANK_ACCOUNT,
            currency="USD",
            format="camt.053",
            fetcher="bank",
            **common,
        ),
    }
    for name, settings_ in sources.items():
        create_source(
            merchant_id=merchant_id, name=name, settings=settings_, by=ACTOR, reason="demonstration"
        )


def _operator() -> dict[str, str]:
    """People whose authenticator secret is known, so that scripts can sign in.

    An administrator, and for what takes two people one of finance who asks and one who decides.
    """
    facts = {
        "admin_user": "admin",
        "admin_password": secrets.token_urlsafe(15),
        "admin_totp_secret": secrets.token_hex(20),
    }
    call_command(
        "create_operator",
        username=facts["admin_user"],
        password=facts["admin_password"],
        totp_secret=facts["admin_totp_secret"],
        superuser=True,
        verbosity=0,
    )
    for person, role in PEOPLE:
        facts |= {
            f"{person}_user": person,
            f"{person}_password": secrets.token_urlsafe(15),
            f"{person}_totp_secret": secrets.token_hex(20),
        }
        call_command(
            "create_operator",
            username=person,
            password=facts[f"{person}_password"],
            totp_secret=facts[f"{person}_totp_secret"],
            role=[role],
            verbosity=0,
        )
    return facts
