"""The audit trail in the console: found by who, what, object and time; with its object and its seal."""

import re
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from core.admin_places import place_of
from core.audit_seals import advance_audit_fence, seal_audit_trail
from core.audit_trail import record_audit, user_actor
from core.ids import public_id, uuid7
from core.models import AuditRecord, User
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)
TRAIL = "/admin/core/auditrecord/"
EVIL = "<script>alert(1)</script>"
SELLER = public_id("sel", uuid7())


@transaction.atomic
def record(actor: str = "system", action: str = "case.close", subject: str = "case_1", **other: Any) -> int:
    return record_audit(actor=actor, action=action, subject=subject, **other)


@pytest.fixture
def mia(db: None) -> User:
    return person("mia", "finance_maker")


@pytest.fixture
def auditor(db: None) -> Client:
    return console(person("ada", "auditor"))


def listed(client: Client, **query: str) -> set[str]:
    """The reasons on the list: each line of these tests has one of its own."""
    answer = client.get(TRAIL, query)
    assert answer.status_code == 200
    return set(re.findall(r"because-\w+", answer.content.decode()))


def test_it_is_narrowed_by_who_what_object_and_time(auditor: Client, mia: User) -> None:
    by_mia = user_actor(mia)
    record(by_mia, "payout.approve", "po_1", reason="because-a")
    record(by_mia, "case.close", "case_1", reason="because-b")
    record("key:17", "case.close", "case_2", reason="because-c")
    record("system", "case.open", SELLER, reason="because-d")
    assert listed(auditor) == {f"because-{each}" for each in "abcd"}
    assert listed(auditor, actor=by_mia) == {"because-a", "because-b"}
    assert listed(auditor, actor="system") == {"because-d"}
    assert listed(auditor, action="case.close") == {"because-b", "because-c"}
    assert listed(auditor, actor=by_mia, action="case.close") == {"because-b"}
    assert listed(auditor, q="po_1") == {"because-a"}
    assert listed(auditor, q="mia") == {"because-a", "because-b"}
    assert listed(auditor, q="key:17") == {"because-c"}
    assert listed(auditor, q="nobody") == set()
    page = auditor.get(TRAIL).content.decode()
    assert all(f"action={each}" in page for each in ("payout.approve", "case.close", "case.open"))
    assert "mia" in page


def test_a_line_shows_before_and_after_its_object_and_its_seal(auditor: Client, mia: User) -> None:
    detail = {"before": {"tax_bps": 1900, "days": 7}, "after": {"tax_bps": 2000, "days": 7}, "said": EVIL}
    number = record(user_actor(mia), "seller_terms.change", SELLER, reason=EVIL, detail=detail)
    place = f"{TRAIL}{number}/change/"
    page = auditor.get(place)
    shown = text(page)
    for words in ("mia", "seller_terms.change", SELLER, "1900", "2000 (changed)", "Not sealed yet", "7 7"):
        assert words in shown, words
    html = page.content.decode()
    assert EVIL not in html and place_of(SELLER) in html
    eventually(lambda: advance_audit_fence() >= number)
    assert seal_audit_trail() >= 1
    shown = text(auditor.get(place))
    assert "Sealed" in shown and "block 1" in shown and re.search(r"\b[0-9a-f]{64}\b", shown)


def test_where_objects_are_shown() -> None:
    key = uuid7()
    assert place_of(public_id("po", key)) == f"/admin/desks/payouts/{public_id('po', key)}/"
    assert place_of(public_id("sel", key)) == f"/admin/merchants/seller/{key}/change/"
    assert place_of(f"user:{key}") == f"/admin/core/user/{key}/change/"
    for nothing in ("", "case", "po_1", "core.setting:x", f"nobody_{public_id('po', key)}", "user:"):
        assert place_of(nothing) == "", nothing


def test_nothing_is_sent_there(auditor: Client) -> None:
    number = record(reason="because-a")
    assert auditor.post(f"{TRAIL}{number}/change/", {"reason": "other"}).status_code == 403
    assert AuditRecord.objects.get(seq=number).reason == "because-a"
    assert console(person("sam", "support")).get(TRAIL).status_code == 403


@pytest.mark.parametrize("query", ["actor = 'user:1'", "action = 'x.y'", "subject = 'po_1'"])
def test_each_way_of_looking_has_its_index(query: str, db: None) -> None:
    """A rare name is found in ten million lines without reading them."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN SELECT * FROM core_auditrecord WHERE {query} ORDER BY seq DESC LIMIT 26")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Sort" not in plan and "Index Cond" in plan, plan
