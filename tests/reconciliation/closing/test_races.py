"""Several people at one day, and postings that come while it is signed."""

from contextlib import suppress
from functools import partial

import pytest

from core.audits import run_audits
from core.models import Approval
from ledger.errors import PeriodClosed
from ledger.selectors import closed_periods, day_positions
from reconciliation.closing.audits import INVARIANTS
from reconciliation.errors import DayChanged, DayNotPrepared
from reconciliation.models import DayClose
from tests.racing import race
from tests.reconciliation.closing.conftest import DAY, Closer

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def closer(transactional_db: None) -> Closer:
    found = Closer()
    found.ready()
    return found


def test_of_many_signatures_one_counts(closer: Closer) -> None:
    """Also when many prepare at once: there is one day, one request, one period."""
    prepared = race([partial(closer.prepare, by=f"user:{n}") for n in range(3)])
    assert [each.status for each in prepared] == ["PREPARED"] * 3
    assert DayClose.objects.filter(merchant_id=closer.merchant_id).count() == 1
    waiting = Approval.objects.filter(merchant_id=closer.merchant_id, status="PENDING")
    assert [each.maker for each in waiting] == [closer.row().prepared_by]
    signed = []

    def sign() -> None:
        with suppress(DayNotPrepared):
            signed.append(closer.sign(by="user:checker"))

    assert race([sign] * 3) == [None] * 3
    assert len(signed) == 1
    assert len(closed_periods(merchant_id=closer.merchant_id)) == 1


def test_a_posting_beside_the_signature_is_in_the_figures_or_refused(closer: Closer) -> None:
    """Whichever comes first: a day is never closed with other figures than its books."""
    closer.prepare()
    said = []

    def sign() -> None:
        try:
            closer.sign()
            said.append("signed")
        except DayChanged:
            said.append("changed")

    def post() -> None:
        try:
            closer.put("bank_fee", 1)
            said.append("posted")
        except PeriodClosed:
            said.append("refused")

    assert race([sign, post]) == [None, None]
    assert sorted(said) in (["changed", "posted"], ["refused", "signed"])
    if "changed" in said:
        closer.prepare()
        closer.sign()
    booked = {
        each.role: str(each.closing_minor) for each in day_positions(merchant_id=closer.merchant_id, day=DAY)
    }
    shown = {each["role"]: each["closing_minor"] for each in closer.row().figures["books"]["positions"]}
    assert shown == booked
    found = run_audits(names=[each.name for each in INVARIANTS], store=False)
    assert found.is_clean, [(each.name, each.sample) for each in found.violated]
