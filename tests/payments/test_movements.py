"""The view of movements: the read contract of pay-in for set-based work."""

from uuid import uuid4

import pytest
from django.db import connection

from payments.selectors import MOVEMENTS

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_a_movement_is_looked_up_by_an_index() -> None:
    """Conditions reach every part of the view: a line's reference finds its movement without reading all."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            f"EXPLAIN SELECT subject_id, amount_minor FROM {MOVEMENTS}"
            " WHERE merchant_id = %s AND channel_id = %s AND reference = ANY(%s)",
            [uuid4(), uuid4(), ["pi_1", "re_1"]],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Subquery Scan on payments_movement" not in plan
    assert plan.count("psp_reference)::text = ANY") >= 6, plan
    # What happened when is read only for those who ask.
    assert "core_statuschange" not in plan
