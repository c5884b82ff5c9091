"""A list as a file: exactly what its filters leave, whole and harmless, streamed, and never unseen."""

import csv
import io
import re
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from threading import BoundedSemaphore
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import cases, dead_letters, export_stream
from core.admin_site import site
from core.audit_trail import user_actor
from core.export_stream import PORTION
from core.ids import public_id
from core.models import AuditRecord, Case, DeadLetter, StatusChange, User
from core.transactions import at_edge
from tests.admin.people import code, console, device, person
from tests.lists.filling import fill
from tests.lists.pages import list_url
from tests.lists.shapes import GROUPS, open_cast

pytestmark = pytest.mark.django_db(transaction=True)
LETTERS, CASES, CHANGES = "/admin/core/deadletter/", "/admin/core/case/", "/admin/core/statuschange/"
FORMULAS = ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "＝1", "|calc", "%1"]


@at_edge
def bury(number: int, error: str = "410 Gone") -> DeadLetter:
    return dead_letters.bury(queue="deliveries", subject=f"evt_{number:03d}", error=error, attempts=9)


def take(client: Client, url: str, query: str = "", **form: str) -> Any:
    """Ask for the file of a list as the query narrows it."""
    return client.post(f"{url}export/{query}", {"reason": "for the auditors", **form})


def rows_of(answer: Any) -> list[dict[str, str]]:
    """Read the whole file."""
    assert answer.status_code == 200 and answer.streaming, answer.content
    text = b"".join(answer.streaming_content).decode()
    answer.close()
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that another test left open takes no room from this one."""
    monkeypatch.setattr(export_stream, "_slots", BoundedSemaphore(2))


@pytest.fixture
def auditor() -> Client:
    """Reads everything; has no authenticator app, so that no code is asked for."""
    client = Client()
    client.force_login(person("ada", "auditor"), backend="django.contrib.auth.backends.ModelBackend")
    return client


def shown(client: Client, url: str) -> list[str]:
    """The subjects on all pages of a list."""
    found: list[str] = []
    while True:
        html = client.get(url).content.decode()
        found += dict.fromkeys(re.findall(r"evt_\d{3}", html))
        older = re.search(r'rel="next" href="([^"]+)"', html)
        if older is None:
            return found
        url = LETTERS + older[1].replace("&amp;", "&")


@pytest.mark.parametrize(
    "query", ["", "?status__exact=OPEN", "?q=evt_007", "?q=deliveries&status__exact=DROPPED"]
)
def test_the_file_has_the_rows_of_all_pages_of_the_list(auditor: Client, query: str) -> None:
    letters = [bury(number) for number in range(60)]
    for letter in letters[::3]:
        at_edge(dead_letters.drop)(dead_letter_id=letter.pk, actor="system", reason="gone")
    page = auditor.get(LETTERS + query).content.decode()
    assert f'href="{LETTERS}export/{query.replace("&", "&amp;")}"' in page
    expected = shown(auditor, LETTERS + query)
    assert expected, "a filter that leaves nothing proves nothing"
    assert [row["subject"] for row in rows_of(take(auditor, LETTERS, query))] == expected


def test_nothing_in_a_file_is_a_formula_and_nothing_is_lost_a_f4(auditor: Client) -> None:
    """A-F4: texts that begin as formulas stand behind an apostrophe; amounts below zero stay numbers."""
    for number, error in enumerate(FORMULAS):
        bury(number, error)
    errors = [row["error"] for row in rows_of(take(auditor, LETTERS))]
    assert errors == [f"'{error}" for error in reversed(FORMULAS)]
    values = [("EUR", -1230, "-12.30"), ("JPY", -5, "-5"), ("KWD", 1, "0.001")]
    for currency, minor, _written in values:
        at_edge(cases.open_case)(
            kind="k", subject=currency, summary="a,\n\"b\"", due_in=timedelta(hours=1),
            value_minor=minor, currency=currency,
        )  # fmt: skip
    found = {row["subject"]: row for row in rows_of(take(auditor, CASES))}
    for currency, _minor, written in values:
        assert (found[currency]["value_at_risk"], found[currency]["currency"]) == (written, currency)
        assert found[currency]["summary"] == 'a,\n"b"'
    assert found["EUR"]["case"] == public_id("case", Case.objects.get(subject="EUR").pk)


@pytest.mark.parametrize(
    ("url", "query"),
    [
        (LETTERS, "?status__exact=OPEN&nonsense=1"),
        (LETTERS, "?error__nonsense=4"),
        ("/admin/events/inboxwork/", "?inbox__raw__contains=4"),
        (LETTERS, "?status__exac=OPEN"),
        ("/admin/core/jobrun/", "?business_date__gte=yesterday"),
        ("/admin/payments/paymentorder/", "?since=99999"),
        ("/admin/payments/paymentorder/", "?status=PAID"),
        ("/admin/payments/paymentevent/", "?merchant=mer_nobody"),
        ("/admin/events/webhookdelivery/", "?state=FAILED"),
        ("/admin/ledger/account/", "?role__exact=liab&currency__regex=."),
    ],
)
def test_a_filter_that_the_list_does_not_know_is_refused(auditor: Client, url: str, query: str) -> None:
    """The list forgives it and shows everything; a file with everything would look like the filtered one."""
    assert take(auditor, url, query).status_code == 400
    assert not AuditRecord.objects.exists()


def test_who_took_what_is_in_the_audit_trail(auditor: Client) -> None:
    """At the beginning what was asked for, at the end how much of it was read. A look leaves nothing."""
    for number in range(3):
        bury(number)
    query = "?status__exact=OPEN&q=evt_001"
    assert auditor.get(f"{LETTERS}export/{query}").status_code == 200
    assert auditor.post(f"{LETTERS}export/{query}", {"reason": " "}).status_code == 200
    assert not AuditRecord.objects.exists()
    rows_of(take(auditor, LETTERS, query))
    began, ended = AuditRecord.objects.order_by("seq")
    ada = user_actor(User.objects.get())
    assert (began.actor, began.action, began.subject) == (ada, "list.export", "core.deadletter")
    assert (began.reason, began.detail) == (
        "for the auditors",
        {"filters": {"status__exact": "OPEN", "q": "evt_001"}},
    )
    assert (ended.actor, ended.action) == (ada, "list.exported")
    assert ended.detail == {"rows": 1, "is_whole": True, "export": began.seq}
    rows_of(take(auditor, LETTERS, "?q=4111111111111111"))
    assert "4111111111111111" not in str(list(AuditRecord.objects.values_list("detail", flat=True)))


def test_a_reader_who_leaves_is_noticed_and_makes_room(auditor: Client) -> None:
    """Two files at once; a third waits. A file that nobody reads to its end is not called whole."""
    bury(1)
    first, second = take(auditor, LETTERS), take(auditor, LETTERS)
    assert first.streaming and second.streaming
    third = take(auditor, LETTERS)
    assert not third.streaming and b"Other files are being written" in third.content
    next(iter(first.streaming_content))
    first.close()
    assert AuditRecord.objects.get(action="list.exported").detail["is_whole"] is False
    rows_of(take(auditor, LETTERS))
    second.close()


def test_only_those_who_may_take_lists_out() -> None:
    """The right to look is not enough, and the right to take out is not the right to look."""
    bury(1)
    for role, may in (("support", False), ("risk", False), ("operator", False), ("finance_maker", True)):
        client = console(person(role, role))
        listing = client.get(CASES)
        assert (b"/admin/core/case/export/" in listing.content) is may, role
        assert client.get(f"{CASES}export/").status_code == (200 if may else 403), role
        assert may or take(client, CASES).status_code == 403, role
    assert (
        take(console(User.objects.get(username="finance_maker")), "/admin/core/auditrecord/").status_code
        == 403
    )
    assert not AuditRecord.objects.exists()


def test_a_fresh_code_is_asked_for_a_e12() -> None:
    """A-E12: an open session of somebody with an app is not enough to take a list out."""
    bury(1)
    user = person("mia", "finance_maker")
    app = device(user)
    client = console(user)
    refused = take(client, LETTERS, code="000000")
    assert not refused.streaming and b"code is wrong" in refused.content
    app.refresh_from_db()
    app.throttle_reset()
    assert len(rows_of(take(client, LETTERS, code=code(app.key)))) == 1


@pytest.fixture
def many() -> int:
    """More rows than any portion."""
    cast = open_cast("user:ada")
    fill([shape for shape in GROUPS["histories"] if shape.model is StatusChange], 20_000, words=cast.words)
    return StatusChange.objects.count()


def test_a_long_file_costs_no_memory_and_begins_at_once(auditor: Client, many: int) -> None:
    answer = take(auditor, CHANGES)
    pieces: Iterator[bytes] = iter(answer.streaming_content)
    with CaptureQueriesContext(connection) as queries:
        assert next(pieces).startswith(b"id,recorded_at")
    assert not len(queries), "the header does not wait for the first rows"
    tracemalloc.start()
    try:
        early = peak_of(pieces, portions=3)
        late = peak_of(pieces, portions=many // PORTION)
    finally:
        tracemalloc.stop()
    assert late < 1.5 * early, (early, late)
    answer.close()
    assert AuditRecord.objects.get(action="list.exported").detail["rows"] == many


def peak_of(pieces: Iterator[bytes], *, portions: int) -> int:
    """Read so many portions; the most memory that this took at once."""
    tracemalloc.reset_peak()
    for _number, _piece in zip(range(portions), pieces, strict=False):
        pass
    return tracemalloc.get_traced_memory()[1]


def test_a_portion_is_a_few_short_queries_by_key(auditor: Client) -> None:
    """However many rows: no transaction stays open, nothing is skipped and counted."""
    cast = open_cast("user:ada")
    fill(GROUPS["payments"], 3 * PORTION, words=cast.words)
    for url in ("/admin/payments/paymentorder/", "/admin/payments/paymentevent/"):
        answer = take(auditor, url)
        with CaptureQueriesContext(connection) as queries:
            found = rows_of(answer)
        selects = [each["sql"] for each in queries if each["sql"].startswith("SELECT")]
        assert len(found) == 3 * PORTION and len({tuple(row.values()) for row in found}) == 3 * PORTION
        assert len(selects) <= 4 * 4, selects
        assert not [sql for sql in selects if "OFFSET" in sql or "COUNT(" in sql]
    totals = {row["totals"] for row in found}
    assert all(re.fullmatch(r"\d+\.\d\d (USD|EUR)", each) for each in totals), totals


@pytest.mark.parametrize("group", GROUPS)
def test_every_column_of_every_list_can_be_written(auditor: Client, group: str) -> None:
    cast = open_cast(user_actor(User.objects.get(username="ada")))
    fill(GROUPS[group], 1000, words=cast.words)
    for shape in GROUPS[group]:
        if shape.model not in site._registry:
            continue
        expected = shape.model._default_manager.count()
        found = rows_of(take(auditor, list_url(shape.model)))
        # The file of the audit trail begins with the line about itself.
        assert found and len(found) == expected + (shape.model is AuditRecord), shape.model
        names = [each.name for each in site._registry[shape.model].export_columns]
        assert list(found[0]) == names


def test_every_list_gives_a_file() -> None:
    """People are the exception: they are managed one by one."""
    for model, admin in site._registry.items():
        names = [each.name for each in admin.export_columns]
        assert bool(names) is (model is not User), model
        assert len(names) == len(set(names)), model
        assert not {"details", "token", "secret", "secrets", "raw", "buyer_info"} & set(names), model
