from datetime import timedelta

import pytest

from core import cases
from core.errors import DomainError
from core.models import AuditRecord, Case, StatusChange
from core.transactions import at_edge
from tests.racing import race

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@at_edge
def open_one(kind: str = "unknown_outcome", subject: str = "op_1") -> Case:
    return cases.open_case(
        kind=kind,
        subject=subject,
        summary="The provider did not answer.",
        due_in=timedelta(hours=4),
        value_minor=10000,
        currency="USD",
    )


def test_one_open_case_per_kind_and_subject() -> None:
    first = open_one()
    assert open_one().pk == first.pk
    assert open_one(subject="op_2").pk != first.pk
    assert open_one(kind="late_capture").pk != first.pk
    at_edge(cases.close_case)(case_id=first.pk, resolution="It was captured.", by="user:1")
    assert open_one().pk != first.pk
    assert StatusChange.objects.filter(subject_id=first.pk).count() == 2


def test_many_open_it_at_once() -> None:
    results = race([open_one] * 8)
    assert {case.pk for case in results} == {Case.objects.get().pk}
    assert StatusChange.objects.count() == 1


def test_the_way_of_a_case() -> None:
    case = open_one()
    at_edge(cases.assign_case)(case_id=case.pk, owner="user:1", by="user:9")
    at_edge(cases.assign_case)(case_id=case.pk, owner="user:2", by="user:9")
    assert Case.objects.get().owner == "user:2"
    at_edge(cases.release_case)(case_id=case.pk, by="user:2", reason="on leave")
    assert (Case.objects.get().status, Case.objects.get().owner) == ("OPEN", "")
    at_edge(cases.close_case)(case_id=case.pk, resolution="Explained.", by="user:1")
    closed = Case.objects.get()
    assert (closed.status, closed.resolution) == ("CLOSED", "Explained.")
    assert closed.closed_at is not None
    actions = list(AuditRecord.objects.order_by("seq").values_list("action", flat=True))
    assert actions == ["case.assign", "case.assign", "case.release", "case.close"]


def test_a_closed_case_stays_closed() -> None:
    case = open_one()
    at_edge(cases.close_case)(case_id=case.pk, resolution="Explained.", by="user:1")
    for call, arguments in (
        (cases.assign_case, {"owner": "user:1"}),
        (cases.release_case, {"reason": "x"}),
        (cases.close_case, {"resolution": "x"}),
    ):
        with pytest.raises(cases.CaseClosed):
            at_edge(call)(case_id=case.pk, by="user:1", **arguments)


def test_closing_needs_an_explanation() -> None:
    case = open_one()
    with pytest.raises(DomainError, match="reason_required"):
        at_edge(cases.close_case)(case_id=case.pk, resolution=" ", by="user:1")
    assert Case.objects.get().status == "OPEN"
