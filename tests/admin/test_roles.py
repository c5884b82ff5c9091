"""Roles × pages × actions: the console does what config/roles.toml says, as each role (A-E3, A-E9)."""

import inspect
import logging
import sys
from collections.abc import Collection, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.template.response import TemplateResponse
from django.test import Client

from console.role_table import Area, Roles, role_table
from core.roles import ROLES
from tests.admin.furnished import furnish
from tests.admin.people import console, person
from tests.admin.routes import Route, routes

pytestmark = pytest.mark.django_db

# The door and what every page loads: for whoever has got in, whatever the role.
_OPEN = {
    "admin:index",
    "admin:app_list",
    "admin:search",
    "admin:jsi18n",
    "admin:login",
    "admin:logout",
    "admin:code",
    "admin:enrol",
    "admin:password_change",
    "admin:password_change_done",
}
# What Django brings along and nothing here uses: it answers nobody.
_DEAD = {"admin:autocomplete", "admin:view_on_site"}
_AUDIT_TRAIL = "/admin/core/auditrecord/"


@pytest.fixture
def furnished(db: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """The console with one of everything; without the page of traceback that each refusal logs."""
    settings.INLINE_REGISTRATIONS = 0
    furnish(monkeypatch)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def by_name() -> dict[str, Route]:
    """Every page of the console by the name of its route."""
    return {each.name: each for each in routes()}


def view_module(route: Route) -> Any:
    """The module that the view behind a page is in."""
    return sys.modules[inspect.unwrap(route.view).__module__]


def test_every_page_is_in_the_table() -> None:
    """A page that nobody has thought about is no page: it is added to config/roles.toml first."""
    found = by_name()
    told = [name for area in role_table() for name in (*area.pages, *area.forms, *area.sends)]
    models = [f"admin:{area.model.replace('.', '_')}" for area in role_table() if area.model]
    closed = {f"{model}_{verb}" for model in models for verb in ("add", "delete", "history")}
    assert set(found) == {*told, *closed, *_OPEN, *_DEAD}


def test_every_button_of_a_desk_is_in_the_table() -> None:
    """The buttons of a desk are the keys of its rights, and each has a line in the table."""
    found = by_name()
    told: dict[Any, set[str]] = {}
    for area in role_table():
        for name in area.pages if not area.model else ():
            told.setdefault(view_module(found[name]), set())
        if area.buttons:
            told[view_module(found[area.pages[-1]])].update(area.buttons)
    desks = {view_module(each) for each in found.values() if each.name.startswith("console:")}
    for module in desks:
        rights = getattr(module, "_NEEDS", {})
        reads = 'POST.get("action"' in inspect.getsource(module)
        assert rights or not reads, f"{module.__name__} reads a button and names no rights"
        assert set(rights) == told.get(module, set()), module.__name__


class Walker:
    """Somebody who goes through the console and tells what was not as the table has it."""

    def __init__(self, role: str, pages: dict[str, Route], rendered: set[str]) -> None:
        self.role, self.pages, self.rendered = role, pages, rendered
        self.client = console(person(f"the-{role}", *((role,) if role in ROLES else ROLES)))
        self.client.raise_request_exception = False
        self.wrong: list[str] = []

    def walk(self, area: Area) -> None:
        """Look at every page of an area, send every form, press every button."""
        for name in area.pages:
            self.try_("GET", name, area.see)
        for name, roles in area.forms.items():
            self.try_("GET", name, roles)
            self.try_("POST", name, roles)
        for name, roles in area.sends.items():
            self.try_("POST", name, roles)
        for button, roles in area.buttons.items():
            self.try_("POST", area.pages[-1], roles, action=button)

    def try_(self, method: str, name: str, roles: Roles, **sent: str) -> None:
        """Ask once: who may must be answered, who may not must get 403 and change nothing."""
        may = self.role in roles
        status, changed = self._once(method, name, sent, is_shown=may and method == "GET")
        if not (status in _GOOD if may else (status, changed) == (403, [])):
            self._note("may" if may else "may not", method, name, sent, status, changed)

    def send_nothing(self, name: str) -> None:
        """Send an empty form to a page that only shows: whatever it answers, nothing changes."""
        status, changed = self._once("POST", name, {}, is_shown=False)
        if status >= 500 or changed:
            self._note("changes nothing by", "POST", name, {}, status, changed)

    def _note(self, what: str, method: str, name: str, sent: Any, status: int, changed: list[str]) -> None:
        self.wrong.append(f"{self.role} {what} {method} {name} {sent or ''}: {status}, changed {changed}")

    def _once(self, method: str, name: str, sent: dict[str, str], *, is_shown: bool) -> tuple[int, list[str]]:
        """Ask, and take back what came of it; return the status and the tables that were changed."""
        before, point = written(), transaction.savepoint()
        answer = self._ask(method, name, sent, is_shown=is_shown)
        touched = [table for table, rows in written().items() if rows != before.get(table, 0)]
        after = content(touched)
        transaction.savepoint_rollback(point)
        changed = [table for table, found in content(touched).items() if found != after[table]]
        is_sent_away = answer.status_code == 302 and "/login/" in answer.headers["Location"]
        return (401 if is_sent_away else answer.status_code), changed

    def _ask(self, method: str, name: str, sent: dict[str, str], *, is_shown: bool) -> Any:
        # To render a page once is enough: what differs between roles is decided before that.
        with pytest.MonkeyPatch.context() as patch:
            if not is_shown or name in self.rendered:
                patch.setattr(TemplateResponse, "rendered_content", "")
            else:
                self.rendered.add(name)
            address = self.pages[name].address()
            answer = self.client.post(address, sent) if method == "POST" else self.client.get(address)
            if answer.streaming:
                b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        return answer


# 404: there is nothing to press the button for.
_GOOD = (200, 302, 404, 422)


def written() -> dict[str, int]:
    """How many rows of each table this transaction has written, those taken back included; sessions aside."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables"
            " WHERE schemaname = 'public' AND relname <> 'django_session'"
            " AND n_tup_ins + n_tup_upd + n_tup_del > 0"
        )
        return dict(cursor.fetchall())


def content(tables: Collection[str]) -> dict[str, Any]:
    """What these tables hold: rows, and their content as one number."""
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT count(*), sum(hashtextextended(t::text, 0)) FROM "{table}" t')
            found[table] = cursor.fetchone()
    return found


def test_every_role_does_what_the_table_says_and_nothing_else(furnished: None) -> None:
    """Who may, is answered; who may not, gets 403 and changes nothing; no page fails for anybody."""
    pages, rendered, wrong = by_name(), set[str](), []
    for role in ROLES:
        walker = Walker(role, pages, rendered)
        for area in role_table():
            walker.walk(area)
        wrong += walker.wrong
    assert not wrong, "\n" + "\n".join(wrong)


def test_not_even_all_roles_together_add_or_delete(furnished: None) -> None:
    """A-E8, A-E9: Django's own pages for that are closed, and sending a page that shows changes nothing."""
    pages = by_name()
    walker = Walker("everybody", pages, set(pages))
    nobody: Roles = frozenset()
    for area in role_table():
        if area.model:
            base = f"admin:{area.model.replace('.', '_')}"
            for verb in ("add", "delete", "change"):
                walker.try_("POST", f"{base}_{verb}", nobody, post="yes")
            if area.see:
                assert walker.client.get(pages[f"{base}_history"].address()).url == _AUDIT_TRAIL
        for name in area.pages:
            walker.send_nothing(name)
    assert not walker.wrong, "\n" + "\n".join(walker.wrong)


def test_without_a_sign_in_there_is_only_the_door(furnished: None) -> None:
    client = Client()
    for route in routes():
        if route.name not in _OPEN:
            answer = client.get(route.address())
            assert answer.status_code == 302 and "/login/" in answer.headers["Location"], route.name


def test_the_walk_notices(furnished: None) -> None:
    """The control: a table that says otherwise is contradicted, in both directions."""
    pages = by_name()
    walker = Walker("support", pages, set(pages))
    walker.try_("GET", "admin:core_setting_changelist", frozenset(["support"]))
    walker.try_("GET", "admin:core_case_changelist", frozenset())
    assert len(walker.wrong) == 2


def test_the_page_of_the_manual_is_current() -> None:
    call_command("document_roles", check=True)
