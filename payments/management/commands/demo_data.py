"""manage.py demo_data: a test merchant with two sellers, wired to the sandbox; once is enough."""

import json
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from channels.services import create_channel
from core.ids import public_id
from core.transactions import at_edge
from events.services import create_endpoint
from merchants.services import create_api_key, create_merchant, create_seller, submit_kyc, verify_kyc

ACTOR = "system:demo"
CHANNEL = "demo-stripe"
SELLERS = (("ann-books", "Ann's Books", 1000), ("bob-bikes", "Bob's Bikes", 800))


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
    for account, name, bps in SELLERS:
        seller = create_seller(
            merchant_id=merchant.id,
            seller_account=account,
            name=name,
            country="US",
            commission_bps=bps,
            tax_bps=2000,
            by=ACTOR,
        )
        submit_kyc(merchant_id=merchant.id, seller_id=seller.id, why="demo", by=ACTOR)
        verify_kyc(merchant_id=merchant.id, seller_id=seller.id, why="demo", by=ACTOR)
    psp_key, psp_secret = f"sk_test_{secrets.token_hex(16)}", f"whsec_{secrets.token_hex(16)}"
    create_channel(
        merchant_id=merchant.id,
        name=CHANNEL,
        provider="stripe",
        secret_key=psp_key,
        webhook_secret=psp_secret,
        base_url=sandbox_url,
        max_in_flight=8,
        actor=ACTOR,
    )
    endpoint = create_endpoint(merchant_id=merchant.id, url=f"{sandbox_url}/store/webhooks")
    return {
        "merchant": public_id("mer", merchant.id),
        "api_key": key.secret,
        "webhook_secret": endpoint.secret,
        "store_url": f"{sandbox_url}/store/",
        "psp_channel": CHANNEL,
        "psp_key": psp_key,
        "psp_webhook_secret": psp_secret,
    }


def _operator() -> dict[str, str]:
    """An administrator whose authenticator secret is known, so that scripts can sign in."""
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
    return facts
