"""API keys in the console: issued, replaced, revoked, signed with; with a reason and by the right role."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from core import clock
from core.ids import public_id
from core.models import AuditRecord
from merchants.models import ApiKey, SigningKey
from merchants.scopes import PRESETS, SCOPES
from merchants.services import authenticate
from tests.admin.people import code, console, device, person
from tests.admin.test_risk_desk import text
from tests.merchants.signer import Request, Signer, new_signer, pem, private_key
from tests.store import Store, open_store

pytestmark = pytest.mark.django_db
KEYS = "/admin/merchants/apikey/"
SIGNING = "/admin/merchants/signingkey/"


@pytest.fixture
def store(db: None) -> Store:
    return open_store()


class Desk:
    """An operator whose authenticator app shows a new code for every form."""

    def __init__(self) -> None:
        user = person("olga", "operator")
        self.app = device(user)
        self.client = console(user)
        self.steps = 0

    def send(self, url: str, **form: Any) -> Any:
        """Post a form with a reason and a fresh code."""
        # A code counts once: the app's clock begins anew for each.
        self.app.refresh_from_db()
        self.app.last_t, self.app.throttling_failure_count = -1, 0
        self.app.save()
        return self.client.post(url, {"reason": "for the shop", "code": code(self.app.key), **form})


@pytest.fixture
def desk(db: None) -> Desk:
    return Desk()


def issued(answer: Any) -> str:
    """The secret on the page, the only place where it ever is."""
    found = re.search(r"sk_test_\w{10}_[\w-]{32}", answer.content.decode())
    assert found, text(answer)
    return found[0]


def form(store: Store, **other: Any) -> dict[str, Any]:
    merchant = public_id("mer", store.merchant_id)
    return {"merchant": merchant, "name": "nightly report", "preset": "read only", **other}


def test_a_key_is_issued_and_its_secret_shown_once(store: Store, desk: Desk) -> None:
    answer = desk.send(f"{KEYS}issue/", **form(store))
    secret = issued(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    identity = authenticate(secret=secret)
    assert identity and identity.scopes == PRESETS["read only"]
    row = ApiKey.objects.get(name="nightly report")
    for url in (KEYS, f"{KEYS}{row.pk}/change/", "/admin/core/auditrecord/"):
        page = desk.client.get(url)
        assert page.status_code == 200 and secret[-32:] not in page.content.decode()
    assert "read only" in text(desk.client.get(KEYS))
    record = AuditRecord.objects.get(action="api_key.issue", subject=row.public_id, reason="for the shop")
    assert record.actor.startswith("user:") and record.detail["scopes"] == sorted(PRESETS["read only"])
    assert secret[-32:] not in str(record.detail)


def test_what_is_filled_in_wrong_is_said_and_nothing_is_issued(store: Store, desk: Desk) -> None:
    moment = (clock.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"preset": ""}, "one of both"),
        ({"ticked": ["payments:read"]}, "one of both"),
        ({"preset": "", "ticked": ["payments:destroy"]}, "not one of the available choices"),
        ({"must_sign": "on"}, "needs a public key"),
        ({"public_key": "nonsense"}, "not PEM"),
        ({"expires_at": moment}, "would never be valid"),
        ({"reason": ""}, "This field is required"),
        ({"code": "000000"}, "This code is wrong"),
        ({"merchant": public_id("mer", store.key_id)}, "not one of the available choices"),
    ]
    for other, says in wrong:
        assert says in text(desk.send(f"{KEYS}issue/", **form(store, **other))), other
    assert ApiKey.objects.count() == 1
    chosen = form(store, preset="", ticked=["payments:read", "refunds:read"])
    identity = authenticate(secret=issued(desk.send(f"{KEYS}issue/", **chosen)))
    assert identity and identity.scopes == {"payments:read", "refunds:read"}


def test_a_key_is_replaced_with_overlap_and_revoked(store: Store, desk: Desk) -> None:
    page = f"{KEYS}{store.key_id}/"
    assert "Replace with overlap" in text(desk.client.get(f"{page}change/"))
    new = issued(desk.send(f"{page}rotate/", hours="2"))
    old = ApiKey.objects.get(pk=store.key_id)
    assert old.expires_at and clock.now() < old.expires_at <= clock.now() + timedelta(hours=2)
    assert authenticate(secret=new) and authenticate(secret=store.secret)
    assert "Expiring" in text(desk.client.get(f"{page}change/"))
    assert desk.client.post(f"{page}revoke/", {"reason": "leaked"}).status_code == 302
    assert authenticate(secret=store.secret) is None and authenticate(secret=new)
    assert "Revoked" in text(desk.client.get(f"{page}change/"))
    assert "revoked or expired" in text(desk.send(f"{page}rotate/", hours="2"))
    actions = AuditRecord.objects.filter(subject=old.public_id).order_by("seq")
    assert list(actions.values_list("action", "reason")) == [
        ("api_key.issue", ""),
        ("api_key.rotate", "for the shop"),
        ("api_key.revoke", "leaked"),
    ]


def test_signing_keys_are_added_and_revoked(store: Store, desk: Desk) -> None:
    signer = new_signer(store)
    page = f"{KEYS}{signer.key_id}/"
    added = desk.send(f"{page}sign/", public_key=pem(private_key("next")))
    assert added.url == f"{page}change/"
    row = SigningKey.objects.get(public_key=pem(private_key("next")).strip())
    assert row.serial in text(desk.client.get(added.url))
    again = desk.send(f"{page}sign/", public_key=pem(private_key("next")))
    assert "this public key already" in text(again)
    following = Signer(signer.merchant_id, signer.key_id, signer.secret, row.serial, private_key("next"))
    assert following.send(Request()).status_code == signer.send(Request()).status_code == 200
    assert row.serial in text(desk.client.get(SIGNING))
    assert desk.client.post(f"{SIGNING}{row.pk}/revoke/", {"reason": "lost"}).status_code == 302
    assert following.send(Request()).status_code == 401
    assert AuditRecord.objects.get(action="signing_key.revoke").reason == "lost"


def test_every_state_of_a_key_is_shown(store: Store, desk: Desk) -> None:
    assert "Active" in text(desk.client.get(KEYS))
    later = (clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    secret = issued(desk.send(f"{KEYS}issue/", **form(store, not_before=later)))
    assert authenticate(secret=secret) is None
    ApiKey.objects.filter(pk=store.key_id).update(expires_at=clock.now())
    shown = text(desk.client.get(KEYS))
    assert "Not yet valid" in shown and "Expired" in shown
    prefix = ApiKey.objects.get(pk=store.key_id).prefix
    found = text(desk.client.get(f"{KEYS}?q={prefix}"))
    assert prefix in found and "nightly report" not in found


def test_only_operators_change_keys_a_e3(store: Store) -> None:
    """A-E3: an auditor sees every key and changes none; other roles do not even see them."""
    signer = new_signer(store)
    row = SigningKey.objects.get()
    shown = [KEYS, f"{KEYS}{store.key_id}/change/", SIGNING, f"{SIGNING}{row.pk}/change/"]
    sent = [f"{KEYS}issue/", f"{SIGNING}{row.pk}/revoke/"]
    sent += [f"{KEYS}{signer.key_id}/{name}/" for name in ("rotate", "sign", "revoke")]
    auditor = console(person("aud", "auditor"))
    assert {auditor.get(url).status_code for url in shown} == {200}
    assert "Revoke" not in text(auditor.get(shown[1])) and "Issue a key" not in text(auditor.get(KEYS))
    others: list[Client] = [
        console(person(role, role)) for role in ("support", "risk", "finance_maker", "finance_checker")
    ]
    for client in others:
        assert {client.get(url).status_code for url in shown} == {403}
    for client in (auditor, *others):
        for url in sent:
            assert client.get(url).status_code == 403, url
            assert client.post(url, form(store, reason="x", code="1", hours="0")).status_code == 403, url
    assert ApiKey.objects.count() == 2 and not SigningKey.objects.exclude(revoked_at=None)
    assert len(SCOPES) == len(ApiKey.objects.get(pk=store.key_id).scopes)
    assert console(person("op", "operator")).get(f"{KEYS}nonsense/rotate/").status_code == 404


def test_a_reload_never_shows_the_secret_again(store: Store, desk: Desk) -> None:
    """A browser that sends the form again, goes back or asks for the address gets no secret."""
    answer = desk.send(f"{KEYS}issue/", **form(store))
    secret = issued(answer)
    assert answer.status_code == 200 and "no-store" in answer.headers["Cache-Control"]
    # The form is sent again as it was, with its code: a code counts once.
    again = desk.client.post(f"{KEYS}issue/", {"reason": "for the shop", "code": "000000", **form(store)})
    assert "sk_test_" not in again.content.decode().replace("sk_test_ or", "")
    assert ApiKey.objects.filter(name="nightly report").count() == 1
    row = ApiKey.objects.get(name="nightly report")
    for url in (f"{KEYS}issue/", KEYS, f"{KEYS}{row.pk}/change/", f"{KEYS}{row.pk}/rotate/", "/admin/"):
        assert secret[-32:] not in desk.client.get(url).content.decode(), url
    assert secret[-32:] not in str(dict(desk.client.session))


def test_the_same_page_sent_twice_issues_one_key(store: Store, desk: Desk) -> None:
    """The one-time code of the first sending is used up, so a double click makes no second key."""
    desk.app.refresh_from_db()
    sent = {"reason": "for the shop", "code": code(desk.app.key), **form(store)}
    first = desk.client.post(f"{KEYS}issue/", sent)
    second = desk.client.post(f"{KEYS}issue/", sent)
    assert issued(first) and "wrong or was used already" in text(second)
    assert ApiKey.objects.filter(name="nightly report").count() == 1
