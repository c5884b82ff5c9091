"""Sources, files and statements in the console: who may, what the pages say, and what they do."""

import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import clock
from core.ids import public_id
from core.models import AuditRecord
from core.transactions import at_edge
from reconciliation.models import BankStatement, SettlementFile, SettlementSource
from reconciliation.services import receive_file, watch_files
from reconciliation.states import FILE_OPEN
from reconciliation.types import SourceData
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.channels.lines import open_merchant
from tests.reconciliation.setup import activity, camt, set_up, stage

pytestmark = pytest.mark.django_db

SOURCES = "/admin/reconciliation/settlementsource/"
FILES = "/admin/reconciliation/settlementfile/"
STATEMENTS = "/admin/reconciliation/bankstatement/"
DAY = date(2026, 11, 2)


@pytest.fixture
def merchant_id(db: None, hooks: Path) -> UUID:
    """Whose sources they are."""
    return open_merchant()


@pytest.fixture
def source(merchant_id: UUID) -> SourceData:
    """Reports that people bring, since three days ago."""
    return set_up(merchant_id, name="stripe", begins_on=clock.today() - timedelta(days=3))


def receive(
    source: SourceData, body: bytes, *, day: date | None = DAY, name: str = "report.csv"
) -> SettlementFile:
    """Bring a file and read it to its end."""
    received = receive_file(
        source_id=source.id, name=name, body=io.BytesIO(body), origin="upload", by="system",
        asked_from=day, asked_to=day,
    )  # fmt: skip
    stage()
    return SettlementFile.objects.get(pk=received.file_id)


def page_of(row: Any) -> str:
    """Where a row is shown."""
    return f"/admin/reconciliation/{row._meta.model_name}/{row.pk}/change/"


def wish(merchant_id: UUID, **changes: str) -> dict[str, str]:
    """The form of a source, filled in."""
    values = {
        "merchant": public_id("mer", merchant_id), "name": "adyen", "format": "stripe.balance_activity",
        "encoding": "", "fetcher": "upload", "channel": "", "provider": "Stripe", "account": "",
        "currency": "eur", "time_zone": "Europe/Berlin", "calendar": "TARGET2", "expected_after": "1",
        "expected_by": "12:00", "begins_on": "2026-11-02", "reason": "new contract",
    }  # fmt: skip
    return values | changes


def test_sources_are_set_up_by_whoever_may(merchant_id: UUID) -> None:
    """With a reason; what the service refuses is said beside its field."""
    operator, maker = console(person("ola", "operator")), console(person("mia", "finance_maker"))
    assert "Add the first source" in text(operator.get(SOURCES))
    assert maker.get(f"{SOURCES}new/").status_code == 403
    assert maker.post(f"{SOURCES}new/", wish(merchant_id)).status_code == 403
    refused = operator.post(f"{SOURCES}new/", wish(merchant_id, time_zone="Europe/Nowhere"))
    assert "Name a time zone" in text(refused) and not SettlementSource.objects.exists()
    assert operator.post(f"{SOURCES}new/", wish(merchant_id)).status_code == 302
    row = SettlementSource.objects.get()
    assert (row.kind, row.provider, row.currency, row.encoding) == ("psp", "stripe", "EUR", "utf-8")
    page = text(maker.get(page_of(row)))
    for said in ("Europe/Berlin", "TARGET2", "People upload it", "1 business day later at 12:00"):
        assert said in page
    assert f"{SOURCES}{row.pk}/put/" not in maker.get(page_of(row)).content.decode()

    changed = wish(merchant_id, expected_by="18:00", reason="the provider is slow")
    assert operator.post(f"{SOURCES}{row.pk}/put/", changed).status_code == 302
    assert maker.post(f"{SOURCES}{row.pk}/disable/", {"reason": "x"}).status_code == 403
    assert operator.post(f"{SOURCES}{row.pk}/disable/", {"reason": "contract ended"}).status_code == 302
    row.refresh_from_db()
    assert (str(row.expected_by), row.is_enabled) == ("18:00:00", False)
    assert "Disabled" in text(maker.get(SOURCES))
    trail = AuditRecord.objects.filter(subject=public_id("src", row.pk)).order_by("seq")
    assert [each.reason for each in trail] == ["new contract", "the provider is slow", "contract ended"]


def test_the_page_of_a_source_shows_its_days(source: SourceData) -> None:
    """What is late, what was refused, what counts, and what was said."""
    yesterday = clock.today() - timedelta(days=1)
    receive(source, activity(yesterday), day=yesterday, name="good.csv")
    before = yesterday - timedelta(days=1)
    receive(source, activity(before).replace(b"10.00,0.00", b"10.00,0.01"), day=before, name="bad.csv")
    clock.move(seconds=86_400)
    at_edge(watch_files)()
    page = text(console(person("ada", "auditor")).get(page_of(SettlementSource.objects.get())))
    for said in ("good.csv", "bad.csv", "Counts", "Refused", "late", "Not over", str(yesterday)):
        assert said in page
    assert "the file of" in page and "is not there" in page


def test_files_are_found_by_what_they_are_about(source: SourceData) -> None:
    """Filters, and a search by day, digest, id and name; nobody counts rows."""
    file = receive(source, activity(DAY))
    auditor = console(person("ada", "auditor"))
    with CaptureQueriesContext(connection) as queries:
        assert "report.csv" in text(auditor.get(FILES))
    assert not [each for each in queries if "COUNT(*)" in each["sql"].upper()]
    for term in ("2026-11-02", bytes(file.sha256).hex(), file.public_id, "report.csv"):
        assert "report.csv" in text(auditor.get(FILES, {"q": term})), term
    for term in ("2026-11-03", "report", "stl_x"):
        assert page_of(file) not in auditor.get(FILES, {"q": term}).content.decode(), term
    shown = {"status": "PUBLISHED", "source": str(source.id), "since": "24"}
    assert "report.csv" in text(auditor.get(FILES, shown))
    for other in ({"status": "REFUSED"}, {"source": str(file.pk)}):
        assert page_of(file) not in auditor.get(FILES, shown | other).content.decode()


def test_the_page_of_a_file_shows_its_figures_and_lines(source: SourceData) -> None:
    """Page by page, by a key; found by a whole reference."""
    file = receive(source, activity(DAY, [f"{number}.00" for number in range(1, 121)]))
    auditor = console(person("ada", "auditor"))
    first = auditor.get(page_of(file))
    page = text(first)
    for said in ("Published", "120", "2026-11-02", "7,260.00 USD", "ch_11020"):
        assert said in page, said
    assert "ch_1102119" not in page and "?after=51" in first.content.decode()
    second = auditor.get(page_of(file), {"after": "101"})
    assert "ch_1102119" in text(second) and "after=" not in second.content.decode()
    found = text(auditor.get(page_of(file), {"q": "ch_1102119"}))
    assert "ch_1102119" in found and "ch_11020 " not in found
    assert "No line has this reference" in text(auditor.get(page_of(file), {"q": "ch_"}))
    for odd in ("x", "-1", "9" * 30, "²"):
        assert auditor.get(page_of(file), {"after": odd}).status_code == 200


def test_a_refused_file_shows_the_record_it_was_refused_for(source: SourceData) -> None:
    body = activity(DAY, ["1.00", "2.00", "3.00"]).replace(b"2.00,0.00,2.00", b"2.00,0.01,2.00")
    file = receive(source, body)
    page = text(console(person("ada", "auditor")).get(page_of(file)))
    for said in (
        "Refused",
        "line 3",
        "line_does_not_add_up",
        "txn_11021,2026-11-02 10:00:00,usd,2.00,0.01,2.00",
    ):
        assert said in page, said
    assert "ch_11020" not in page, "nothing of it is shown as if it counted"


def test_a_refused_file_is_read_again_by_whoever_may(source: SourceData) -> None:
    """With a reason; it contradicts itself still, so that it is refused again."""
    file = receive(source, activity(DAY).replace(b"10.00,0.00", b"10.00,0.01"))
    maker, auditor = console(person("mia", "finance_maker")), console(person("ada", "auditor"))
    url = f"{FILES}{file.pk}/again/"
    assert url in maker.get(page_of(file)).content.decode()
    assert url not in auditor.get(page_of(file)).content.decode()
    assert auditor.post(url, {"reason": "x"}).status_code == 403
    assert maker.post(url, {"reason": "the source was wrong"}).status_code == 302
    file.refresh_from_db()
    assert file.status in FILE_OPEN
    stage()
    file.refresh_from_db()
    assert file.status == "REFUSED"


def test_versions_are_shown_with_what_differs(source: SourceData) -> None:
    """F-H3: the line that is other, the one that is new, the one that is gone."""
    old = receive(source, activity(DAY, ["1.00", "2.00", "3.00"]), name="first.csv")
    lines = activity(DAY, ["1.00", "9.00", "3.00", "4.00"]).decode().splitlines()
    new = receive(source, "\n".join([*lines[:3], lines[4], ""]).encode(), name="second.csv")
    auditor = console(person("ada", "auditor"))
    page = text(auditor.get(page_of(new)))
    for said in (
        "Versions of this document",
        "first.csv",
        "Superseded",
        "What differs",
        "New",
        "Gone",
        "Other",
    ):
        assert said in page, said
    assert page_of(old) in auditor.get(page_of(new)).content.decode()


def test_a_file_is_uploaded_by_whoever_may(source: SourceData) -> None:
    """It leads to the file's page, which loads itself again until it is read; the same file is known."""
    maker, auditor = console(person("mia", "finance_maker")), console(person("ada", "auditor"))
    assert auditor.get(f"{FILES}upload/").status_code == 403

    def send(who: Client, **changes: Any) -> Any:
        file = SimpleUploadedFile("november.csv", activity(DAY), content_type="text/csv")
        values = {
            "source": str(source.id),
            "file": file,
            "asked_from": "2026-11-02",
            "asked_to": "2026-11-02",
        }
        return who.post(f"{FILES}upload/", values | changes)

    assert send(auditor).status_code == 403 and not SettlementFile.objects.exists()
    assert "Say both days or none" in text(send(maker, asked_to=""))
    assert "The end comes after the beginning" in text(send(maker, asked_to="2026-11-01"))
    assert 'enctype="multipart/form-data"' in maker.get(f"{FILES}upload/").content.decode()
    sent = send(maker)
    file = SettlementFile.objects.get()
    assert sent.status_code == 302 and sent.headers["Location"] == page_of(file)
    page = maker.get(page_of(file))
    assert 'http-equiv="refresh"' in page.content.decode() and "loads itself again" in text(page)
    stage()
    assert 'http-equiv="refresh"' not in maker.get(page_of(file)).content.decode()
    again = maker.get(send(maker).headers["Location"])
    assert "This very file was received before" in again.content.decode()
    assert SettlementFile.objects.count() == 1
    [first, second] = AuditRecord.objects.filter(action="settlement_file.upload").order_by("seq")
    assert (first.detail["is_new"], second.detail["is_new"]) == (True, False)


def test_a_file_is_taken_out_as_it_came(source: SourceData) -> None:
    """Byte for byte, streamed, as a download and nothing else; who took it is in the audit trail."""
    body = activity(DAY)
    file = receive(source, body, name='a"b\r\n.csv')
    auditor = console(person("ada", "auditor"))
    url = f"{FILES}{file.pk}/download/"
    assert auditor.get(url).status_code == 403
    assert Client().post(url).status_code == 302
    assert console(person("eve")).post(url).status_code in (302, 403)
    answer = auditor.post(url)
    assert b"".join(answer.streaming_content) == body
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert (
        answer.headers["Content-Disposition"].startswith("attachment")
        and "\n" not in answer.headers["Content-Disposition"]
    )
    [told] = AuditRecord.objects.filter(action="settlement_file.download")
    assert told.subject == file.public_id


def test_two_people_let_a_held_statement_count(merchant_id: UUID) -> None:
    """One asks with a reason, another one agrees; who asked cannot agree."""
    bank = set_up(merchant_id, name="bank", kind="bank", provider="sepa", format="camt.053", begins_on=DAY)
    first = receive(bank, camt(1, DAY, "100.00", "110.00", "10.00"), day=None, name="1.xml")
    assert first.status == "PUBLISHED", first.refusal
    receive(bank, camt(3, DAY + timedelta(days=2), "150.00", "155.00", "5.00"), day=None, name="3.xml")
    held = BankStatement.objects.get(status="HELD")
    auditor, maker = console(person("ada", "auditor")), console(person("mia", "finance_maker"))
    checker = console(person("carl", "finance_checker"))
    page = text(auditor.get(page_of(held)))
    for said in ("Held", held.held_because, "155.00 EUR", "E2E3", "STRIPE PAYOUT", "DE89370400440532013000"):
        assert said in page, said
    assert "Held" in text(auditor.get(STATEMENTS, {"status": "HELD", "q": "DE89 3704 0044 0532 0130 00"}))
    url = f"{STATEMENTS}{held.pk}/release/"
    assert url not in auditor.get(page_of(held)).content.decode()
    assert auditor.get(url).status_code == 403
    assert maker.post(url, {"action": "approve", "reason": ""}).status_code == 404
    assert "Say why" in text(maker.post(url, {"action": "ask", "reason": " "}))
    assert maker.post(url, {"action": "ask", "reason": "the bank was closed"}).status_code == 302
    assert maker.get(url).status_code == 403, "whoever may only ask does not decide"
    shown = checker.get(url)
    assert "the bank was closed" in text(shown) and "mia" in text(shown)
    approval = shown.context["waiting"].pk
    assert "Say why" in text(checker.post(url, {"action": "reject", "approval": approval, "reason": ""}))
    assert checker.post(url, {"action": "approve", "approval": approval, "reason": ""}).status_code == 302
    held.refresh_from_db()
    assert held.status == "LIVE"
    assert checker.get(url).status_code == 200 and "Let it count all the same" not in text(
        auditor.get(page_of(held))
    )


def test_whoever_asked_does_not_agree(merchant_id: UUID) -> None:
    bank = set_up(merchant_id, name="bank", kind="bank", provider="sepa", format="camt.053", begins_on=DAY)
    receive(bank, camt(1, DAY, "100.00", "110.00", "10.00"), day=None, name="1.xml")
    receive(bank, camt(3, DAY + timedelta(days=2), "150.00", "155.00", "5.00"), day=None, name="3.xml")
    held = BankStatement.objects.get(status="HELD")
    checker = console(person("carl", "finance_checker"))
    url = f"{STATEMENTS}{held.pk}/release/"
    assert checker.post(url, {"action": "ask", "reason": "I know why"}).status_code == 302
    approval = checker.get(url).context["waiting"].pk
    refused = checker.post(url, {"action": "approve", "approval": approval, "reason": ""})
    assert refused.status_code == 200
    held.refresh_from_db()
    assert held.status == "HELD"


def test_the_first_page_counts_what_is_late_refused_and_held(source: SourceData) -> None:
    clock.move(seconds=86_400)
    at_edge(watch_files)()
    receive(source, activity(DAY).replace(b"10.00,0.00", b"10.00,0.01"))
    page = text(console(person("ada", "auditor")).get("/admin/"))
    for said in ("Late settlement files", "Days that cannot be proved yet", "Refused settlement files",
                 "Nothing of them counts until good ones come", "Held bank statements"):  # fmt: skip
        assert said in page, said


@pytest.mark.parametrize("url", [SOURCES, FILES, STATEMENTS])
def test_lists_are_for_those_who_may_look(url: str, source: SourceData) -> None:
    assert console(person("eve")).get(url).status_code == 403
    assert console(person("ada", "auditor")).get(url).status_code == 200
    assert Client().get(url).status_code == 302
