from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from core import clock, settings_store
from core.errors import DomainError
from core.models import AuditRecord, Setting
from core.settings_store import Declared, SettingInvalid, declare, get_setting, get_settings, put_setting
from core.transactions import at_edge
from tests.racing import race

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
NAME = "payouts.approval_limit_minor"
BY = {"actor": "user:1", "reason": "new policy"}


def positive(value: int) -> None:
    if value < 0:
        raise ValueError("it cannot be negative.")


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings_store, "_DECLARED", {})
    declare(
        Declared(name=NAME, says="Payouts above this need two people.", kind=int, default=100, check=positive)
    )
    yield


@at_edge
def put(value: Any, **more: Any) -> Setting:
    return put_setting(name=NAME, value=value, **(BY | more))


def test_default_then_common_then_scope() -> None:
    assert get_setting(name=NAME, scope="mer_1") == 100
    put(200)
    assert get_setting(name=NAME, scope="mer_1") == 200
    put(300, scope="mer_1")
    assert (get_setting(name=NAME, scope="mer_1"), get_setting(name=NAME)) == (300, 200)


def test_several_are_read_each_by_its_own_precedence() -> None:
    declare(*(Declared(name=f"limits.{each}", says="A limit.", kind=int, default=1) for each in "ab"))
    put(300, scope="mer_1")
    put(200)
    at_edge(put_setting)(name="limits.a", value=2, **BY)
    names = [NAME, "limits.a", "limits.b"]
    assert get_settings(names=names, scope="mer_1") == {NAME: 300, "limits.a": 2, "limits.b": 1}
    assert get_settings(names=names) == {NAME: 200, "limits.a": 2, "limits.b": 1}


def test_a_change_holds_from_its_date_and_the_past_stays(hooks: Path) -> None:
    put(200)
    before = clock.now()
    put(500, effective_at=before + timedelta(days=1))
    assert get_setting(name=NAME) == 200
    clock.move(seconds=86401)
    assert get_setting(name=NAME) == 500
    assert get_setting(name=NAME, at=before) == 200
    assert list(Setting.objects.order_by("version").values_list("version", flat=True)) == [1, 2]


def test_a_change_is_audited() -> None:
    put(200)
    record = AuditRecord.objects.get()
    assert (record.action, record.subject, record.actor) == ("setting.put", NAME, "user:1")
    assert (record.detail["from"], record.detail["to"]) == (100, 200)


@pytest.mark.parametrize("value", ["200", True, 1.5, None, -1])
def test_wrong_values_are_refused(value: Any) -> None:
    with pytest.raises(SettingInvalid):
        put(value)
    assert not Setting.objects.exists()


def test_refusals() -> None:
    with pytest.raises(SettingInvalid, match="past"):
        put(1, effective_at=clock.now() - timedelta(seconds=1))
    with pytest.raises(DomainError, match="reason_required"):
        put(1, reason="")
    with pytest.raises(settings_store.SettingUnknown):
        get_setting(name="nonsense")
    with pytest.raises(ValueError, match="two settings"):
        declare(Declared(name=NAME, says="", kind=str, default=""))
    with pytest.raises(SettingInvalid):
        declare(Declared(name="x", says="", kind=int, default="not a number"))


def test_simultaneous_changes_get_versions_of_their_own() -> None:
    results = race([lambda n=n: put(n) for n in range(6)])
    stored = [each for each in results if isinstance(each, Setting)]
    assert stored
    assert all(isinstance(each, Setting | settings_store.SettingChangedMeanwhile) for each in results)
    assert sorted(row.version for row in stored) == list(range(1, len(stored) + 1))
    assert AuditRecord.objects.count() == len(stored)


@pytest.mark.parametrize("sql", ["UPDATE core_setting SET value = '1'", "DELETE FROM core_setting"])
def test_versions_cannot_be_rewritten(sql: str) -> None:
    put(200)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(sql)
