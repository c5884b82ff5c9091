"""A worker's connections: given back after each task, in a pool that stays."""

from types import SimpleNamespace
from typing import Any

import pytest
from celery.fixups import django as of_celery
from django.db import connection

from config.celery import app
from config.worker_connections import KeepsThePool

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
_of_celery: Any = of_celery


@pytest.mark.parametrize(
    ("kind", "stays"),
    [(KeepsThePool, True), (_of_celery.DjangoWorkerFixup, False)],
    ids=["ours", "control: Celery's own"],
)
def test_a_task_leaves_no_connection_and_the_pool(kind: Any, stays: bool) -> None:
    database: Any = connection
    fixup, sender = kind(app), SimpleNamespace(request=SimpleNamespace(is_eager=False))
    fixup.worker = SimpleNamespace(pool_cls="prefork")
    database.ensure_connection()
    pool = database.pool
    fixup.on_task_postrun(sender)
    assert database.connection is None
    assert (database.pool is pool, pool.closed) == (stays, not stays)


def test_the_worker_has_ours() -> None:
    assert [type(each.worker_fixup) for each in app._fixups] == [KeepsThePool]
