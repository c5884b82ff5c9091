"""PostgreSQL itself refuses payouts that nobody approved, and destinations that change."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from djmoney.money import Money

from core import clock
from core.approvals import approve, request_approval
from core.canonical import digest
from core.ids import uuid7
from merchants.services import create_seller
from payouts.models import Destination, Payout
from tests.channels.lines import open_channel
from wallet.services import open_wallet

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
INSTRUCTION = {"amount": "10.00", "currency": "EUR", "account": "…0130"}


def run(sql: str, *params: object) -> None:
    """One statement in a transaction of its own, as the application."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


@transaction.atomic
def payout() -> Payout:
    """A payout that waits for a person, asked for by user:1."""
    channel = open_channel()
    seller = create_seller(
        merchant_id=channel.merchant_id, seller_account="s1", name="S", country="DE", by="user:1"
    )
    wallet_id = open_wallet(
        merchant_id=channel.merchant_id, owner_type="seller", owner_id=seller.id, currency="EUR", kind="cash"
    )
    shared = {"merchant_id": channel.merchant_id, "seller_id": seller.id}
    now = clock.now()
    stamps = {"created_at": now, "updated_at": now}
    where = Destination.objects.create(
        **shared,
        **stamps,
        kind="iban",
        country="DE",
        currency="EUR",
        details={"iban": "DE89370400440532013000"},
        last4="3000",
        fingerprint=b"f" * 32,
        added_by="user:1",
        usable_from=now,
    )
    return Payout.objects.create(
        **shared,
        **stamps,
        wallet_id=wallet_id,
        destination=where,
        channel_id=channel.id,
        amount=Money(10, "EUR"),
        amount_minor=1000,
        origin="console",
        execute_on=now.date(),
        requested_by="user:1",
    )


@transaction.atomic
def say_yes(row: Payout, *, checker: str = "user:2", action: str = "payout.approve") -> bytes:
    """A second person's yes to INSTRUCTION."""
    asked = request_approval(
        subject=f"payout:{row.id}",
        action=action,
        instruction=INSTRUCTION,
        maker="user:1",
        expires_in=timedelta(hours=1),
        merchant_id=row.merchant_id,
    )
    approve(approval_id=asked.id, checker=checker, instruction_now=INSTRUCTION)
    return digest(INSTRUCTION)


APPROVE = (
    "UPDATE payouts_payout SET status = 'APPROVED', approved_by = %s, instruction_digest = %s WHERE id = %s"
)


def test_a_second_persons_yes_to_this_instruction_lets_it_go_i30() -> None:
    """I30, A-E7: the control: with the yes, and only with it, the same statement is taken."""
    row = payout()
    with pytest.raises(DatabaseError, match="was not approved by a second person"):
        run(APPROVE, "user:2", digest(INSTRUCTION), row.id)
    said = say_yes(row)
    with pytest.raises(DatabaseError, match="was not approved by a second person"):
        run(APPROVE, "user:3", said, row.id)
    with pytest.raises(DatabaseError, match="was not approved by a second person"):
        run(APPROVE, "user:2", digest({**INSTRUCTION, "amount": "99.00"}), row.id)
    run(APPROVE, "user:2", said, row.id)


def test_a_yes_to_something_else_is_none() -> None:
    row = payout()
    said = say_yes(row, action="payout.return")
    with pytest.raises(DatabaseError, match="was not approved by a second person"):
        run(APPROVE, "user:2", said, row.id)


def test_who_asked_cannot_say_yes_i30() -> None:
    """I30, A-E7: whoever writes the row, and the approval too."""
    row = payout()
    say_yes(row)
    with pytest.raises(DatabaseError, match=r"core_approval|maker"):
        run("UPDATE core_approval SET checker = maker WHERE subject = %s", f"payout:{row.id}")
    with pytest.raises(DatabaseError, match=r"payouts_payout_second_person|was not approved"):
        run(APPROVE, "user:1", digest(INSTRUCTION), row.id)


@pytest.mark.parametrize(
    "column", ["amount_minor = 99", "requested_by = 'user:9'", "wallet_id = gen_random_uuid()"]
)
def test_what_a_payout_pays_is_fixed(column: str) -> None:
    row = payout()
    with pytest.raises(DatabaseError, match="append-only but for"):
        run(f"UPDATE payouts_payout SET {column} WHERE id = %s", row.id)


@pytest.mark.parametrize("column", ["currency = 'USD'", r"fingerprint = '\x00'", "usable_from = now()"])
def test_another_account_is_another_destination(column: str) -> None:
    row = payout()
    with pytest.raises(DatabaseError, match="append-only but for"):
        run(f"UPDATE payouts_destination SET {column} WHERE id = %s", row.destination_id)


def test_a_destination_is_verified_by_somebody_else() -> None:
    row = payout()
    with pytest.raises(DatabaseError, match="payouts_destination_second_person"):
        run(
            "UPDATE payouts_destination SET status = 'VERIFIED', verified_by = 'user:1' WHERE id = %s",
            row.destination_id,
        )


def test_nobody_is_paid_to_where_another_merchants_seller_is_i29() -> None:
    """I29: wallet and destination are of the merchant that pays."""
    row, other = payout(), payout()
    with pytest.raises(DatabaseError, match="payouts_payout_destination_fk"):
        run("UPDATE payouts_payout SET destination_id = %s WHERE id = %s", other.destination_id, row.id)
    with pytest.raises(DatabaseError, match="payouts_payout_wallet_fk"):
        stranger = Payout.objects.get(pk=row.id)
        stranger.pk, stranger.wallet_id = uuid7(), other.wallet_id
        stranger.save(force_insert=True)
