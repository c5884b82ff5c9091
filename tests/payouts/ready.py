"""What it takes before a seller of any shop can be paid out: money, an account, a second person, a bank."""

from random import randrange
from uuid import UUID, uuid4

from django.db import transaction
from stdnum.iban import calc_check_digits

from channels.services import create_channel
from core import clock
from core.ids import public_id
from core.settings_store import put_setting
from ledger.services import open_account
from ledger.templates.entry import Posting, credit, debit, entry
from merchants.selectors import find_seller
from merchants.services import submit_kyc, verify_kyc
from payouts.services import add_destination, verify_destination
from payouts.types import DestinationData
from tests.store import Store
from wallet.services import account_of, post_netted

__all__ = ["add_account", "give", "make_payable", "new_iban"]


def new_iban() -> str:
    """A German account that nobody has."""
    digits = f"{randrange(10**18):018}"
    return f"DE{calc_check_digits('DE00' + digits)}{digits}"


def add_account(
    merchant_id: UUID,
    seller: str,
    *,
    is_default: bool = True,
    is_verified: bool = True,
    iban: str = "",
    connected: str = "",
) -> DestinationData:
    """Add an account in EUR to a seller, which a second person verifies: a new one at a bank,
    unless an IBAN or a connected account is given."""
    details = {"holder_name": seller.title(), "iban": iban or new_iban()}
    if connected:
        details = {"account": connected}
    with transaction.atomic():
        made = add_destination(
            merchant_id=merchant_id,
            seller=seller,
            kind="stripe_account" if connected else "iban",
            currency="EUR",
            country="DE",
            details=details,
            by=f"key_{seller}",
            make_default=is_default,
        )
    if is_verified:
        with transaction.atomic():
            made = verify_destination(
                merchant_id=merchant_id, destination_id=made.id, by="user:olga", reason="a letter of the bank"
            )
    return made


def give(merchant_id: UUID, seller: str, amount_minor: int, *, take_from: str = "opening") -> None:
    """Give a seller EUR, as a migration would (opening balance); what the seller owes is paid first.

    From their own receivable, it is a debt: then the opening balance has it.
    """
    owner, owned = find_seller(merchant_id=merchant_id, reference=seller), {"currency": "EUR"}
    with transaction.atomic():
        opening = open_account(merchant_id=merchant_id, role="opening", **owned)
        role = "seller_available" if take_from == "opening" else take_from
        account = account_of(
            merchant_id=merchant_id, owner_type="seller", owner_id=owner.id, role=role, **owned
        )
        source, sink = (opening, account) if take_from == "opening" else (account, opening)
        draft = entry(
            posting=Posting(merchant_id, "EUR", clock.today()),
            kind="opening_balance",
            source="migration",
            source_ref=uuid4().hex,
            leg="balance",
            legs=[debit(source, amount_minor), credit(sink, amount_minor)],
        )
        post_netted(drafts=[draft])


def make_payable(store: Store, seller: str, *, amount_minor: int) -> DestinationData:
    """Let a seller of the store be paid out in EUR over a bank's file drop, which nothing is sent to here."""
    merchant_id = store.merchant_id
    owner = find_seller(merchant_id=merchant_id, reference=seller)
    with transaction.atomic():
        for step in (submit_kyc, verify_kyc):
            step(merchant_id=merchant_id, seller_id=owner.id, why="test", by="user:test")
        put_setting(
            name="payouts.destination_cool_down_hours",
            value=0,
            actor="user:test",
            reason="test",
            scope=public_id("mer", merchant_id),
        )
        create_channel(
            merchant_id=merchant_id,
            name=f"bank-{uuid4().hex[:8]}",
            provider="sepa",
            secret_key="bk_test_1",
            base_url="http://127.0.0.1:9",
            debtor={"name": "Acme", "iban": new_iban(), "bic": "MARKDEF1XXX"},
            capabilities={"payouts": {"kinds": ["iban"], "currencies": ["EUR"], "transport": "http"}},
        )
    give(merchant_id, seller, amount_minor)
    return add_account(merchant_id, seller)
