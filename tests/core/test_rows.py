"""Rows sent together: the same values as Django's, in order, all or nothing, and never a stale look."""

import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from djmoney.models.fields import CurrencyField, MoneyField
from djmoney.money import Money

import core.pipelines
import core.rows
from core.fsm import ConcurrentTransition
from core.models import IdempotencyRecord, StatusChange
from core.row_values import preparers
from core.rows import Batch, Query, columns_of, insert_new, new_row, read_rows, read_together
from payments.models import Charge, ChargeLine
from tests.store import open_store
from tests.waiting import eventually

pytestmark = pytest.mark.database

MODELS = [model for model in apps.get_models() if model._meta.managed and not model._meta.proxy]


def sample(field: Any) -> Any:
    """A value such as the field's own code would meet."""
    while field.is_relation:
        field = field.target_field
    if isinstance(field, MoneyField):
        return Money("12.30", "EUR")
    for kind, value in (
        (models.UUIDField, UUID(int=7)),
        (models.BooleanField, True),
        (models.BinaryField, b"\x00\xff"),
        (models.DateTimeField, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (models.DateField, date(2026, 1, 2)),
        (models.DecimalField, Decimal("1.5")),
        (models.IntegerField, 41),
        (models.CharField, "text"),
        (models.TextField, "text"),
        (models.JSONField, {"a": [1, None]}),
    ):
        if isinstance(field, kind):
            return value
    return None


@pytest.mark.parametrize("value", ["sample", "none"])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_column_gets_what_the_orm_would_send(model: Any, value: str) -> None:
    row = model()
    for field in model._meta.concrete_fields:
        row.__dict__[field.attname] = sample(field) if value == "sample" else None
    for is_new in (True, False):
        for field in model._meta.concrete_fields:
            if getattr(field, "auto_now", False) or (is_new and getattr(field, "auto_now_add", False)):
                continue
            if type(field).__module__ == "core.fields":
                continue  # Sealed under a fresh nonce each time; it takes the long way.
            expected = field.get_db_prep_save(field.pre_save(row, add=is_new), connection)
            got = preparers(model, is_new=is_new)[field.attname](row, connection)
            assert type(got) is type(expected) or (type(expected).__name__, type(got)) == ("Binary", bytes)
            if type(expected).__name__ not in ("Binary", "Jsonb"):
                assert got == expected, field


def test_a_naive_time_and_a_wrong_type_take_the_long_way() -> None:
    prepared = preparers(Charge)
    with pytest.warns(RuntimeWarning, match="naive"):
        prepared["created_at"](Charge(created_at=datetime(2026, 1, 1)), connection)  # noqa: DTZ001
    assert prepared["merchant_id"](Charge(merchant_id=str(UUID(int=7))), connection) == UUID(int=7)


def change(subject: UUID, state: str = "A") -> StatusChange:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return StatusChange(
        subject_type="test.row", subject_id=subject, from_state="", to_state=state, reason="", actor="test",
        occurred_at=now, recorded_at=now,
    )  # fmt: skip


def record(merchant_id: UUID, key: str) -> IdempotencyRecord:
    return IdempotencyRecord(
        merchant_id=merchant_id, key=key, fingerprint=b"f" * 32, status=200, body=b"{}",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def test_a_new_row_is_what_the_model_would_make() -> None:
    columns: dict[str, Any] = {"id": UUID(int=1), "merchant_id": UUID(int=2), "order_id": UUID(int=3)}
    row, usual = new_row(ChargeLine, **columns), ChargeLine(**columns)
    names = [field.attname for field in ChargeLine._meta.concrete_fields]
    assert [getattr(row, name) for name in names] == [getattr(usual, name) for name in names]
    assert row == usual and row._state.adding and row.live is True
    assert new_row(ChargeLine).id != new_row(ChargeLine).id, "defaults are made for each row"
    with pytest.raises(TypeError, match="speed"):
        new_row(ChargeLine, **columns, speed=1)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_row_that_is_read_is_what_the_orm_would_make(model: Any) -> None:
    names = [field.attname for field in model._meta.concrete_fields]
    values = []
    for field in model._meta.concrete_fields:
        value = "EUR" if isinstance(field, CurrencyField) else sample(field)
        values.append(value.amount if isinstance(value, Money) else value)
    row, usual = core.rows._stored(model, names, values, "default"), model.from_db("default", names, values)
    assert [getattr(row, name) for name in names] == [getattr(usual, name) for name in names]
    assert (row._state.adding, row._state.db) == (usual._state.adding, usual._state.db) == (False, "default")
    assert row.__dict__.keys() == usual.__dict__.keys()
    kept = "_ConcurrentTransitionMixin__initial_states"
    assert row.__dict__.get(kept) == usual.__dict__.get(kept)


@pytest.mark.django_db(transaction=True)
def test_statements_of_the_path_have_a_plan_that_is_kept() -> None:
    """Django switches that off unless the settings say otherwise, and then nothing else shows it."""
    with transaction.atomic():
        for _ in range(2):
            insert_new(record(open_store().merchant_id, "k"))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s",
                ['INSERT INTO "core_idempotencyrecord"%'],
            )
            assert cursor.fetchone()[0] >= 1


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_sent_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each flush is a system call and wakes the server: there is one for BEGIN and one for the rest."""
    sent: list[int] = []
    send = core.pipelines.send
    monkeypatch.setattr(core.pipelines, "send", lambda pgconn: sent.append(1) or send(pgconn))
    batch = Batch()
    for state in "ABCD":
        batch.insert([change(uuid4(), state)])
    with transaction.atomic():
        batch.send()
    assert len(sent) == 2


@pytest.mark.django_db(transaction=True)
def test_a_batch_keeps_its_order_and_is_sent_once() -> None:
    subject, batch = uuid4(), Batch()
    for state in "ABCD":
        batch.insert([change(subject, state)])
    with transaction.atomic():
        batch.send()
        batch.send()
    kept = StatusChange.objects.filter(subject_id=subject).order_by("id").values_list("to_state", flat=True)
    assert list(kept) == list("ABCD")


@pytest.mark.django_db(transaction=True)
def test_the_first_refusal_is_raised_by_its_name_and_nothing_is_kept() -> None:
    merchant_id, subject, batch = open_store().merchant_id, uuid4(), Batch()
    batch.insert([change(subject)])
    batch.insert([record(merchant_id, "k")])
    batch.insert([record(merchant_id, "k")])
    batch.run("SELECT 1 / 0", [])
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        batch.send()
    cause: Any = refused.value.__cause__
    assert cause.diag.table_name == "core_idempotencyrecord"
    assert not StatusChange.objects.filter(subject_id=subject).exists()
    assert not IdempotencyRecord.objects.filter(merchant_id=merchant_id).exists()


@pytest.mark.django_db(transaction=True)
def test_an_update_that_meets_another_state_is_refused() -> None:
    merchant_id = open_store().merchant_id
    row = record(merchant_id, "k")
    with transaction.atomic():
        assert insert_new(row)
    batch = Batch()
    row.status = 201
    lost = ConcurrentTransition("changed meanwhile")
    batch.update(row, names=["status"], only_if={"status": 299}, lost=lost)
    batch.insert([change(uuid4())])
    with pytest.raises(ConcurrentTransition, match="meanwhile"), transaction.atomic():
        batch.send()
    assert StatusChange.objects.filter(subject_type="test.row").count() == 0


@pytest.mark.django_db(transaction=True)
def test_the_values_of_a_batch_are_those_of_the_moment() -> None:
    merchant_id = open_store().merchant_id
    row, batch = record(merchant_id, "k"), Batch()
    batch.insert([row])
    row.status = 500
    with transaction.atomic():
        batch.send()
    assert IdempotencyRecord.objects.get(merchant_id=merchant_id).status == 200


@pytest.mark.django_db(transaction=True)
def test_one_of_many_inserts_a_new_row() -> None:
    """F-C2: the others wait for its commit and are told that theirs is known."""
    merchant_id = open_store().merchant_id
    inserted: list[bool] = []
    together = threading.Barrier(8, timeout=20)

    def insert() -> None:
        together.wait()
        with transaction.atomic():
            inserted.append(insert_new(record(merchant_id, "k")))
        connection.close()

    threads = [threading.Thread(target=insert) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(inserted) == [False] * 7 + [True]


ROW = f"SELECT {columns_of(IdempotencyRecord, 'r')} FROM core_idempotencyrecord r WHERE r.merchant_id = %s"
LOCKED = f"{ROW} AND r.key = 'lock' FOR UPDATE"
GUARDED = f"{ROW} AND r.key = 'guarded'"


def seen_after_waiting(read: Any) -> int:
    """What `read` sees of the guarded row when the lock is given back only after it was changed."""
    merchant_id = open_store().merchant_id
    with transaction.atomic():
        insert_new(record(merchant_id, "lock"))
        insert_new(record(merchant_id, "guarded"))
    seen: list[int] = []
    with transaction.atomic():
        read_rows(sql=LOCKED, params=[merchant_id], models=[IdempotencyRecord])
        waiter = threading.Thread(target=lambda: seen.append(read(merchant_id)))
        waiter.start()
        eventually(_somebody_waits)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE core_idempotencyrecord SET status = 299 WHERE merchant_id = %s AND key = 'guarded'",
                [merchant_id],
            )
    waiter.join()
    return seen[0]


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_what_is_read_together_is_read_after_the_lock() -> None:
    def read(merchant_id: UUID) -> int:
        with transaction.atomic():
            _, guarded = read_together(
                Query(LOCKED, [merchant_id], [IdempotencyRecord]),
                Query(GUARDED, [merchant_id], [IdempotencyRecord]),
            )
        connection.close()
        return int(guarded[0][0].status)

    assert seen_after_waiting(read) == 299


@pytest.mark.django_db(transaction=True)
def test_control_one_statement_reads_what_was_before_the_lock() -> None:
    def read(merchant_id: UUID) -> int:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT g.status FROM core_idempotencyrecord r JOIN core_idempotencyrecord g"
                " ON g.merchant_id = r.merchant_id AND g.key = 'guarded'"
                " WHERE r.merchant_id = %s AND r.key = 'lock' FOR UPDATE OF r",
                [merchant_id],
            )
            status = int(cursor.fetchone()[0])
        connection.close()
        return status

    assert seen_after_waiting(read) == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ends_with_flush", [False, True], ids=["ours", "control: a flush behind it"])
def test_a_process_that_stands_still_after_a_pipeline_loses_its_locks(
    ends_with_flush: bool,
) -> None:
    """F-A2: the server ends a transaction in which nothing happens, also after a pipeline.

    The driver's own pipeline may send a flush behind its last word, and that stops the server's clock.
    """
    settings = connection.settings_dict
    still = psycopg.connect(
        host=settings["HOST"], port=settings["PORT"], dbname=settings["NAME"],
        user=settings["USER"], password=settings["PASSWORD"],
        options="-c idle_in_transaction_session_timeout=1000",
    )  # fmt: skip
    try:
        with core.rows.pipeline(still):
            for _ in range(3):
                psycopg.Cursor(still).execute("SELECT pg_advisory_xact_lock(%s::int)", [41])
        if ends_with_flush:
            still.pgconn.send_flush_request()
            still.pgconn.flush()

        def is_free() -> bool:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_xact_lock(41)")
                return bool(cursor.fetchone()[0])

        def has_stood_still() -> bool:
            """By the server's clock, much longer than it lets a transaction stand."""
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT clock_timestamp() - state_change > interval '2500 milliseconds'"
                    " FROM pg_stat_activity WHERE pid = %s",
                    [still.info.backend_pid],
                )
                return bool(cursor.fetchone()[0])

        if ends_with_flush:
            eventually(has_stood_still, within=10)
            assert not is_free()
        else:
            assert eventually(is_free, within=10)
    finally:
        still.close()
