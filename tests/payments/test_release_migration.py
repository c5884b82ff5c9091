"""What was captured before there were releases is planned by the migration as a capture plans it."""

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tests.database import owner_connection
from tests.merchants.test_key_migration import run, steps
from tests.payments.captured import capture, share_of
from tests.payments.conftest import Shop

RELEASE = ("payments", "0012_release")
_COLUMNS = "release_on, proof_needed, captured_at, matures_at, due_at"


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_old_shares_get_their_plan(open_counter: Shop) -> None:
    (order,) = capture(open_counter, open_counter.order("100.00"))
    share = share_of(order)
    loader = MigrationLoader(connection)
    connection.close()
    with owner_connection() as owner:
        run(owner, steps(loader, RELEASE, backwards=True))
        run(owner, steps(loader, RELEASE, backwards=False))
        (found,) = owner.execute(f"SELECT {_COLUMNS} FROM payments_ordershare").fetchall()
        owner.rollback()
    assert found[:2] == ("delay", "captured")
    assert abs((found[2] - share.captured_at).total_seconds()) < 5
    assert (found[3], found[4]) == (share.matures_at, share.due_at)
