"""The payouts of a made-up month as rows, as they are when all is told: by COPY, past the guards."""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Model

from payouts.models import Payout as PayoutRow
from payouts.models import PayoutAttempt, PayoutBatch
from tests.database import owner_connection
from tests.months import Month, Payout
from tests.payouts.conftest import Payer

__all__ = ["send_payouts"]


def send_payouts(payer: Payer, made: Month) -> list[Payout]:
    """Write the payouts of a month as ones that ann was sent; return them."""
    events = [each for each in made.events() if isinstance(each, Payout)]
    came_back = {each.payout.reference for each in made.returns()}
    at = events[0].at
    channel, place = payer.channel.id, payer.places["ann"].id
    seller, wallet = payer.sellers["ann"], payer.wallet().id
    names = {each.batch or each.reference: each for each in reversed(events)}
    batches = {
        name: PayoutBatch(
            merchant_id=payer.merchant_id, channel_id=channel, currency="EUR", execute_on=each.at.date(),
            reference=name, status="CLOSED", created_at=at, updated_at=at,
        )
        for name, each in names.items()
    }  # fmt: skip
    payouts, sendings = [], []
    for number, each in enumerate(events):
        status = "RETURNED" if each.reference in came_back else "PAID"
        payout = PayoutRow(
            merchant_id=payer.merchant_id, seller_id=seller, wallet_id=wallet, destination_id=place,
            channel_id=channel, amount=each.amount_minor // 100, amount_currency="EUR",
            amount_minor=each.amount_minor, origin="schedule", status=status, execute_on=each.at.date(),
            requested_by="system", auto_approved_by_policy=True, instruction_digest=b"\0" * 32,
            created_at=each.at, updated_at=each.at, sent_at=each.at,
        )  # fmt: skip
        payouts.append(payout)
        sendings.append(
            PayoutAttempt(
                merchant_id=payer.merchant_id, payout_id=payout.id,
                batch_id=batches[each.batch or each.reference].id, position=number, reference=each.reference,
                instruction_digest=b"\0" * 32, status=status, sent_at=each.at, created_at=each.at,
                updated_at=each.at,
            )
        )  # fmt: skip
    with owner_connection() as owner, owner.cursor() as cursor:
        for rows in (list(batches.values()), payouts, sendings):
            table = rows[0]._meta.db_table
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            _copy(cursor, rows)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    return events


def _copy(cursor: Any, rows: Iterable[Model]) -> None:
    rows = list(rows)
    fields = rows[0]._meta.concrete_fields
    columns = ", ".join(field.column for field in fields)
    with cursor.copy(f"COPY {rows[0]._meta.db_table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(
                [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
            )
