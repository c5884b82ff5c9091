"""Channels: whose they are, what may change, and what nobody sees."""

import gc
import weakref
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from channels import client
from channels.client import client_for
from channels.errors import ChannelExists, InvalidChannel, UnsupportedProvider
from channels.rows import line_by_id
from channels.selectors import channel_by_name, debtor_of, enabled_channels, get_channel
from channels.services import (
    create_channel,
    record_calls,
    set_base_url,
    set_enabled,
    set_secret_key,
)
from channels.types import CallRecord
from core import clock
from core.errors import NotFound
from core.history import Changes
from core.ids import uuid7
from core.models import AuditRecord
from tests.channels.lines import keep_calls, open_channel, open_merchant

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def sql(text: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchall() if cursor.description else []


def evidence(**changes: Any) -> CallRecord:
    channel = open_channel()
    record = CallRecord(
        channel_id=channel.id,
        merchant_id=channel.merchant_id,
        kind="confirm",
        request_digest=bytes(32),
        bytes_sent=None,
        http_status=None,
        body=b"",
        error="",
        duration_ms=1,
        request_id="",
        psp_request_id="",
        at=clock.now(),
    )
    return replace(record, **changes)


def test_a_channel_is_found_by_id_by_name_and_by_merchant() -> None:
    channel = open_channel(name="first-line", capabilities={"payment_methods": ["card"]})
    assert get_channel(channel_id=channel.id) == channel == channel_by_name(name="first-line")
    assert enabled_channels(merchant_id=channel.merchant_id) == [channel]
    assert enabled_channels(merchant_id=open_merchant()) == []
    with pytest.raises(NotFound):
        get_channel(channel_id=uuid7())
    with pytest.raises(NotFound):
        channel_by_name(name="second-line")


def test_a_channel_has_the_mode_of_its_merchant() -> None:
    channel = open_channel(merchant_id=open_merchant("live"))
    assert channel.mode == "live"
    with pytest.raises(DatabaseError), transaction.atomic():
        sql("UPDATE channels_channel SET mode = 'test' WHERE id = %s", channel.id)


@pytest.mark.parametrize(
    "base_url",
    [
        "ftp://psp.example",
        "https://psp.example/v1",
        "https://user@psp.example",
        "https://psp.example?x=1",
        "https://",
        "psp.example",
        "https://psp.example\n",
        "https://psp.exämple",
        "https://[::1",
    ],
)
def test_a_base_url_is_a_server_and_nothing_more(base_url: str) -> None:
    with pytest.raises(InvalidChannel) as refusal:
        open_channel(base_url=base_url)
    assert refusal.value.param == "base_url"


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8300", "https://psp.example/", "http://[::1]:80"])
def test_a_test_channel_may_lead_elsewhere(base_url: str) -> None:
    assert line_by_id(open_channel(base_url=base_url).id).base_url == base_url.rstrip("/")


def test_a_live_channel_calls_its_provider_and_nobody_else() -> None:
    merchant_id = open_merchant("live")
    with pytest.raises(InvalidChannel):
        open_channel(merchant_id=merchant_id, base_url="http://127.0.0.1:1")
    channel = open_channel(merchant_id=merchant_id)
    with transaction.atomic(), pytest.raises(InvalidChannel):
        set_base_url(channel_id=channel.id, base_url="http://127.0.0.1:1", actor="user:1")
    with pytest.raises(DatabaseError, match="live_has_no_base_url"), transaction.atomic():
        sql("UPDATE channels_channel SET base_url = 'http://127.0.0.1:1' WHERE id = %s", channel.id)


DEBTOR = {"name": "Bazaar GmbH", "iban": "DE02 1203 0000 0000 2020 51", "bic": "BYLADEM1001"}


def test_a_bank_pays_from_an_account_that_nothing_else_shows() -> None:
    channel = open_channel(provider="sepa", secret_key="", webhook_secret="", debtor=DEBTOR)
    debtor = debtor_of(channel_id=channel.id)
    assert (debtor.name, debtor.iban, debtor.bic) == ("Bazaar GmbH", "DE02120300000000202051", "BYLADEM1001")
    for shown in (repr(debtor), repr(channel), str(sql("SELECT * FROM channels_channel"))):
        assert "202051" not in shown
    assert all("202051" not in str(row.detail) for row in AuditRecord.objects.all())
    with pytest.raises(NotFound):
        debtor_of(channel_id=open_channel().id)


@pytest.mark.parametrize(
    ("debtor", "param"),
    [
        (None, "debtor"),
        ({**DEBTOR, "street": "High St"}, "debtor"),
        ({**DEBTOR, "name": " "}, "debtor.name"),
        ({**DEBTOR, "name": "x" * 71}, "debtor.name"),
        ({**DEBTOR, "iban": "DE02120300000000202052"}, "debtor.iban"),
        ({**DEBTOR, "bic": "byladem1001"}, "debtor.bic"),
    ],
)
def test_an_account_that_cannot_pay(debtor: dict[str, str] | None, param: str) -> None:
    with pytest.raises(InvalidChannel) as refusal:
        open_channel(provider="sepa", debtor=debtor)
    assert refusal.value.param == param


def test_only_a_bank_pays_from_an_account_and_needs_no_key_for_a_folder() -> None:
    for options in (
        {"debtor": DEBTOR},
        {"provider": "sepa", "debtor": DEBTOR, "secret_key": "", "base_url": "http://127.0.0.1:1"},
    ):
        with pytest.raises(InvalidChannel):
            open_channel(**options)
    folder = open_channel(provider="sepa", debtor=DEBTOR, secret_key="")
    with pytest.raises(UnsupportedProvider):
        client_for(line_by_id(folder.id))


def test_a_name_is_taken_once_in_the_installation() -> None:
    open_channel(name="main")
    with pytest.raises(ChannelExists):
        open_channel(name="main")


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"name": "Main"}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"max_in_flight": 0}, "max_in_flight"),
        ({"max_in_flight": 257}, "max_in_flight"),
        ({"secret_key": ""}, "secret_key"),
        ({"ca_pem": "no certificate"}, "ca_pem"),
    ],
)
def test_a_channel_that_cannot_work_is_refused(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidChannel) as refusal:
        open_channel(**changes)
    assert refusal.value.param == param


def test_a_provider_without_an_adapter_is_refused() -> None:
    with transaction.atomic(), pytest.raises(UnsupportedProvider):
        create_channel(merchant_id=open_merchant(), name="a", provider="acme", secret_key="k")


def test_credentials_are_neither_shown_nor_stored_in_the_clear() -> None:
    channel = open_channel(secret_key="sk_test_very_secret")
    assert "very_secret" not in repr(channel) + repr(line_by_id(channel.id))
    (stored,) = sql("SELECT credentials FROM channels_channel WHERE id = %s", channel.id)[0]
    assert b"very_secret" not in bytes(stored)


def test_what_identifies_a_channel_does_not_change() -> None:
    channel = open_channel()
    for column in ("name = 'other'", "provider = 'other'", f"merchant_id = '{open_merchant()}'"):
        with pytest.raises(DatabaseError), transaction.atomic():
            sql(f"UPDATE channels_channel SET {column} WHERE id = %s", channel.id)
    with pytest.raises(DatabaseError), transaction.atomic():
        sql("DELETE FROM channels_channel WHERE id = %s", channel.id)


def test_switching_off_is_seen_and_recorded() -> None:
    channel = open_channel()
    assert get_channel(channel_id=channel.id).is_enabled
    with transaction.atomic():
        set_enabled(channel_id=channel.id, enabled=False, actor="user:7", reason="declines everything")
    assert not get_channel(channel_id=channel.id).is_enabled
    assert enabled_channels(merchant_id=channel.merchant_id) == []
    record = AuditRecord.objects.filter(subject=f"channel:{channel.name}").latest("seq")
    assert (record.actor, record.action, record.reason) == (
        "user:7",
        "channel.disable",
        "declines everything",
    )


def test_services_need_a_transaction() -> None:
    channel = open_channel()
    with pytest.raises(RuntimeError, match="inside a transaction"):
        set_enabled(channel_id=channel.id, enabled=False, actor="user:7", reason="x")
    with pytest.raises(RuntimeError, match="inside a transaction"):
        record_calls(calls=[], changes=Changes())


def test_a_client_is_made_once_per_version_of_the_credentials() -> None:
    channel = open_channel()
    first = client_for(line_by_id(channel.id))
    assert client_for(line_by_id(channel.id)) is first
    with transaction.atomic():
        set_secret_key(channel_id=channel.id, secret_key="sk_test_next", actor="user:1")
    assert line_by_id(channel.id).credentials["secret_key"] == "sk_test_next"
    assert client_for(line_by_id(channel.id)) is not first


def test_a_process_keeps_the_clients_that_it_uses_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each holds connections open: a process that calls for many merchants has an end."""
    monkeypatch.setattr(client, "_MOST", 2)
    monkeypatch.setattr(client, "_clients", type(client._clients)())
    lines = [line_by_id(open_channel(name=f"psp-{number}").id) for number in range(3)]
    first, second = client_for(lines[0]), client_for(lines[1])
    assert client_for(lines[0]) is first
    client_for(lines[2])
    assert client_for(lines[0]) is first, "it was used after the second one"
    gone = weakref.ref(second)
    del second
    gc.collect()
    assert gone() is None, "nothing holds what was let go"
    assert len(client._clients) == 2


def test_evidence_only_grows() -> None:
    record = evidence()
    with transaction.atomic():
        keep_calls(calls=[record], operation_id=uuid7())
    for statement in ("UPDATE channels_pspcall SET body = ''", "DELETE FROM channels_pspcall"):
        with pytest.raises(DatabaseError), transaction.atomic():
            sql(statement)


def test_evidence_only_grows_for_the_owner_too(owner_sql: Any) -> None:
    for statement in ("UPDATE channels_pspcall SET body = ''", "TRUNCATE channels_pspcall"):
        with pytest.raises(psycopg.Error, match="append-only"):
            owner_sql(statement)


def test_evidence_belongs_to_the_merchant_of_its_channel() -> None:
    record = evidence(merchant_id=open_merchant())
    with pytest.raises(DatabaseError), transaction.atomic():
        keep_calls(calls=[record])
        sql("SET CONSTRAINTS ALL IMMEDIATE")
