"""What charges a buyer's kept method is shown to nobody: not in answers, logs, evidence or a stolen dump."""

import logging
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from channels.models import PspCall
from core.field_rotation import encrypted_models
from core.fields import DecryptionFailed
from core.models import StatusChange
from payments.models import PaymentMethodToken, PspCustomer, PspOperation
from tests.database import as_owner
from tests.payments.conftest import Shop
from tests.payments.test_saved_methods import delete, save, with_saved

pytestmark = pytest.mark.usefixtures("hooks")


def dump() -> str:
    """Every row of every table as text, and every binary value also as what its bytes say."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            " AND table_type = 'BASE TABLE'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        text = []
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            text += [_shown(cell) for row in cursor.fetchall() for cell in row]
    return "\n".join(text)


def _shown(cell: Any) -> str:
    return bytes(cell).decode("latin-1") if isinstance(cell, bytes | memoryview) else str(cell)


def test_nothing_tells_the_token_or_the_customer_a_h13(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """A-H13: paid, refused, paid again, gone and refused again; then everything is looked through."""
    caplog.set_level(logging.DEBUG)
    kept = save(shop)["id"]
    row = PaymentMethodToken.objects.get()
    secrets = (row.psp_token, PspCustomer.objects.get().reference)
    shop.arm("http_500", operation="payment_intents.confirm")
    said = [shop.pay(with_saved(shop, kept))]
    shop.later(20)
    client = shop.provider.client(shop.account_key).v1
    client.payment_methods.detach(row.psp_token)
    said += [shop.pay(with_saved(shop, kept)), delete(shop, kept).content]
    shop.work()
    said += [shop.store.get(f"/v1/payments/{said[1]['payment_orders'][0]['id']}").json()]
    assert said[1]["status"] == "failed"
    assert PspOperation.objects.filter(status="DECLINED").exclude(error="").exists()
    assert PspCall.objects.filter(kind="attach").exists() and StatusChange.objects.exists()
    caplog.handler.flush()
    ours = [each.getMessage() for each in caplog.records if each.name not in ("urllib3.connectionpool",)]
    everything = {"database": dump(), "answers": str(said), "logs": "\n".join(ours)}
    found = [
        (place, secret[:4]) for place, text in everything.items() for secret in secrets if secret in text
    ]
    assert found == []


@pytest.mark.parametrize(("model", "column"), [(PaymentMethodToken, "psp_token"), (PspCustomer, "reference")])
def test_a_ciphertext_moved_to_another_row_does_not_open_a_h13(shop: Shop, model: Any, column: str) -> None:
    """A-H13: who can write the database cannot make one buyer pay with another's card."""
    save(shop, buyer="b-1")
    save(shop, buyer="b-2")
    mine, other = model.objects.order_by("id")
    assert getattr(mine, column) != getattr(other, column)
    table = model._meta.db_table
    as_owner(
        f"ALTER TABLE {table} DISABLE TRIGGER USER; UPDATE {table} SET {column} ="
        f" (SELECT {column} FROM {table} WHERE id = '{mine.pk}') WHERE id = '{other.pk}';"
        f" ALTER TABLE {table} ENABLE TRIGGER USER"
    )
    with pytest.raises(DecryptionFailed, match=str(other.pk)):
        getattr(model.objects.get(pk=other.pk), column)
    assert model in encrypted_models()


@pytest.mark.parametrize(
    "change",
    [
        "buyer_id = gen_random_uuid()",
        "merchant_id = gen_random_uuid()",
        "last4 = '0000'",
        "psp_token_digest = '\\x00'",
        "deleted_at = NULL",
        "deleted_at = now()",
    ],
)
def test_a_method_stays_what_it_is_and_is_deleted_once(shop: Shop, change: str) -> None:
    delete(shop, save(shop)["id"])
    shop.work()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE payments_paymentmethodtoken SET {change}")
