"""The console shows; it changes only through services, for those who may (A-E8, A-E9, A-E10, A-H14)."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import cases, clock, dead_letters
from core.admin_base import ReadOnlyAdmin
from core.admin_site import site
from core.audit_trail import record_audit
from core.audits import run_audits
from core.models import AuditRecord, Case, DeadLetter, User
from core.transactions import at_edge
from tests.admin.people import PASSWORD, code, console, device, person

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/core/deadletter/"


@at_edge
def bury(number: int = 0, error: str = "410 Gone") -> DeadLetter:
    return dead_letters.bury(queue="deliveries", subject=f"evt_{number:03d}", error=error, attempts=9)


@pytest.fixture
def superuser() -> User:
    return person("root", is_superuser=True)


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    subjects: list[str] = []
    monkeypatch.setattr(dead_letters, "_REPLAYS", {"deliveries": lambda row: subjects.append(row.subject)})
    return subjects


def page(row: DeadLetter, name: str = "change") -> str:
    return reverse(f"admin:core_deadletter_{name}", args=[row.pk])


def pages() -> list[Any]:
    return [admin for model, admin in site._registry.items() if model is not User]


def test_no_page_has_a_side_door() -> None:
    """A-E9: every page is read-only, whatever an app registers."""
    assert pages()
    for admin in site._registry.values():
        assert isinstance(admin, ReadOnlyAdmin), admin
        assert not admin.list_editable
        assert not admin.raw_id_fields
        assert admin.actions is None
        assert all(each.permission and each.says for each in admin.service_actions)


def test_even_a_superuser_cannot_edit(superuser: User) -> None:
    """A-E8, A-E9: add, change and delete are refused on every registered page."""
    client = console(superuser)
    at_edge(record_audit)(actor="system", action="x.y", subject="z")
    bury()
    run_audits()
    for admin in pages():
        base = f"admin:{admin.opts.app_label}_{admin.opts.model_name}"
        assert client.post(reverse(f"{base}_add"), {}).status_code == 403, base
        key = admin.model._default_manager.values_list("pk", flat=True).first() or clock.now().year
        for verb in ("change", "delete"):
            answer = client.post(reverse(f"{base}_{verb}", args=[key]), {"reason": "x", "post": "yes"})
            assert answer.status_code in (302, 403), (base, verb)
        listing = client.post(
            reverse(f"{base}_changelist"), {"action": "delete_selected", "_selected_action": key}
        )
        assert listing.status_code in (200, 302, 403)
    assert (AuditRecord.objects.count(), DeadLetter.objects.get().status) == (1, "OPEN")


@pytest.mark.parametrize("sql", ["UPDATE {} SET actor = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", ["core_auditrecord", "core_statuschange", "core_setting"])
def test_the_database_refuses_as_well(sql: str, table: str) -> None:
    """A-E8, A-H14."""
    at_edge(record_audit)(actor="system", action="x.y", subject="z")
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(sql.format(table))


def test_nobody_writes_the_audit_trail_around_its_function() -> None:
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(
            "INSERT INTO core_auditrecord"
            " (seq, actor, action, subject, reason, detail, request_id, recorded_at)"
            " VALUES (1, 'x', 'x', 'x', '', '{}', '', now())"
        )


def test_an_operator_replays_with_a_reason(replayed: list[str]) -> None:
    operator, row = person("ola", "operator"), bury()
    client = console(operator)
    assert b"Replay" in client.get(page(row)).content
    assert client.get(page(row, "replay")).status_code == 200
    assert client.post(page(row, "replay"), {"reason": "  "}).status_code == 200
    assert (replayed, DeadLetter.objects.get().status) == ([], "OPEN"), "looking and empty reasons do nothing"

    answer = client.post(page(row, "replay"), {"reason": "the store is back"}, follow=True)
    assert b"The work is due again." in answer.content
    assert (replayed, DeadLetter.objects.get().status) == (["evt_000"], "REPLAYED")
    record = AuditRecord.objects.get()
    assert (record.actor, record.reason) == (f"user:{operator.pk}", "the store is back")
    assert record.request_id

    late = client.post(page(row, "drop"), {"reason": "again"}, follow=True)
    assert b"nothing was changed" in late.content
    assert DeadLetter.objects.get().status == "REPLAYED"


@pytest.mark.parametrize("role", ["auditor", "finance_maker", "finance_checker"])
def test_readers_see_and_cannot_act(role: str, replayed: list[str]) -> None:
    """A-E3: also when they know the address of the button."""
    client, row = console(person("rita", role)), bury()
    shown = client.get(page(row))
    assert shown.status_code == 200
    assert page(row, "drop").encode() not in shown.content
    for name in ("replay", "drop"):
        assert client.get(page(row, name)).status_code == 403
        assert client.post(page(row, name), {"reason": "x"}).status_code == 403
    assert (replayed, DeadLetter.objects.get().status) == ([], "OPEN")


@pytest.mark.parametrize("role", ["support", "risk"])
def test_pages_beyond_a_role_are_closed(role: str) -> None:
    client = console(person("sam", role))
    closed = [LIST, "/admin/core/auditrecord/", "/admin/core/user/", page(bury())]
    assert {client.get(url).status_code for url in closed} == {403}
    menu = client.get("/admin/").content.decode()
    assert "Dead letters" not in menu
    assert "Cases" in menu


def test_a_button_needs_the_token_of_its_page(replayed: list[str]) -> None:
    """A-E10: another site cannot press it."""
    row = bury()
    client = console(person("ola", "operator"), enforce_csrf_checks=True)
    assert client.post(page(row, "drop"), {"reason": "x"}).status_code == 403
    assert DeadLetter.objects.get().status == "OPEN"
    form = client.get(page(row, "drop")).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert token
    answer = client.post(page(row, "drop"), {"reason": "x", "csrfmiddlewaretoken": token[1]})
    assert (answer.status_code, DeadLetter.objects.get().status) == (302, "DROPPED")


def shown(client: Client, url: str) -> tuple[list[str], str]:
    """Return the subjects on a page of the list, and the page."""
    html = client.get(url).content.decode()
    found = re.findall(r"evt_\d{3}", html)
    return list(dict.fromkeys(found)), html


def link(html: str, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', html)
    return LIST + found[1].replace("&amp;", "&") if found else None


def test_pages_follow_each_other_without_gap_or_repeat() -> None:
    client = console(person("ola", "operator"))
    rows = [bury(number).subject for number in range(60)][::-1]
    first, html = shown(client, LIST)
    assert (first, link(html, "prev")) == (rows[:25], None)
    older = link(html, "next")
    assert older
    bury(999)  # A row that arrives meanwhile moves nothing.
    second, html = shown(client, older)
    assert second == rows[25:50]
    newer = link(html, "prev")
    last, html = shown(client, str(link(html, "next")))
    assert (last, link(html, "next")) == (rows[50:], None)
    assert newer
    assert shown(client, newer)[0] == rows[:25]
    assert "older_than" not in str(re.findall(r'href="\?[^"]*status__exact[^"]*"', html))
    assert client.get(LIST + "?older_than=nonsense").status_code == 302


def queries(client: Client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in captured]


LISTS = [
    "alertnotice",
    "deadletter",
    "case",
    "approval",
    "jobrun",
    "auditrecord",
    "setting",
    "statuschange",
    "auditrun",
]


@pytest.mark.parametrize("name", LISTS)
def test_lists_neither_count_nor_skip(name: str) -> None:
    client = console(person("ola", "operator"))
    bury()
    for sql in queries(
        client,
        f"/admin/core/{name}/?older_than=01a1fbf8-fe44-7ce1-98f9-65fbbf63db00"
        if name in ("alertnotice", "deadletter", "case", "approval", "jobrun", "setting", "auditrun")
        else f"/admin/core/{name}/?older_than=1000000",
    ):
        assert "COUNT(" not in sql
        assert "OFFSET" not in sql


def test_a_full_page_costs_as_many_queries_as_a_short_one() -> None:
    client = console(person("ola", "operator"))
    owners = [person(f"owner{number}") for number in range(5)]

    @at_edge
    def open_and_assign(number: int) -> Case:
        case = cases.open_case(kind="k", subject=f"s{number}", summary="x", due_in=timedelta(hours=1))
        return cases.assign_case(case_id=case.pk, owner=f"user:{owners[number % 5].pk}", by="system")

    open_and_assign(0)
    few = len(queries(client, "/admin/core/case/"))
    for number in range(1, 30):
        open_and_assign(number)
    many = queries(client, "/admin/core/case/")
    assert len(many) == few
    # Session, user, device, groups' permissions, own permissions, rows, names, and the session's new age.
    assert len(many) <= 12, many


def test_what_others_wrote_is_shown_as_text() -> None:
    client = console(person("ola", "operator"))
    row = bury(error="<script>alert(1)</script>")
    for url in (LIST, page(row), page(row, "drop")):
        assert b"<script>alert(1)" not in client.get(url).content


@pytest.fixture
def root(superuser: User) -> Client:
    return console(superuser)


def test_only_superusers_manage_people(root: Client) -> None:
    operator = person("ola", "operator")
    client = console(operator)
    for url in ("/admin/core/user/", "/admin/core/user/add/", f"/admin/core/user/{operator.pk}/change/"):
        assert client.get(url).status_code == 403
        assert root.get(url).status_code == 200


def test_people_are_added_with_an_audit_record_and_never_as_superusers(root: Client) -> None:
    """A-E4: a field that the form does not show is not taken from the request."""
    form = {
        "username": "new",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "usable_password": "true",
        "is_staff": "on",
        "is_superuser": "on",
        "user_permissions": "1",
    }
    assert root.post("/admin/core/user/add/", form).status_code == 302
    new = User.objects.get(username="new")
    assert (new.is_superuser, new.is_staff, new.user_permissions.count()) == (False, True, 0)
    assert AuditRecord.objects.get().action == "user.add"


def test_removing_an_app_needs_a_fresh_code(superuser: User, root: Client) -> None:
    """A-E12: step-up."""
    ada = person("ada", "operator")
    device(ada)
    url = reverse("admin:core_user_remove_device", args=[ada.pk])
    own = superuser.totpdevice_set.get()
    assert root.post(url, {"reason": "lost phone"}).status_code == 200
    assert ada.totpdevice_set.exists()
    assert root.post(url, {"reason": "lost phone", "code": code(own.key)}).status_code == 302
    assert not ada.totpdevice_set.exists()
    assert AuditRecord.objects.get().action == "sign_in_device.remove"
    assert root.get(url).status_code == 302, "there is no app left to remove"


def every_page(make: Callable[[], Client]) -> list[str]:
    client = make()
    row = bury()
    urls = ["/admin/", LIST, page(row), page(row, "drop"), *(f"/admin/core/{name}/" for name in LISTS)]
    return [client.get(url).content.decode() for url in urls]


def test_pages_load_nothing_from_elsewhere() -> None:
    for html in every_page(lambda: console(person("ola", "operator"))):
        loaded = re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="([^"]+)"', html)
        assert loaded
        assert all(url.startswith(("/", "data:")) and not url.startswith("//") for url in loaded), loaded


def test_the_overview_counts_what_waits() -> None:
    client = console(person("ola", "operator"))
    assert "Nobody waits for a second person." in client.get("/admin/").content.decode()
    bury()
    at_edge(cases.open_case)(kind="k", subject="s1", summary="x", due_in=timedelta(hours=1))
    html = client.get("/admin/").content.decode()
    assert "Replay or drop each of them." in html
    links = re.findall(r'href="(/admin/core/\w+/\?status[^"]+)"', html)
    assert len(links) == 2
    for url in links:
        listing = client.get(url)
        assert (listing.status_code, len(listing.context["cl"].result_list)) == (200, 1)
