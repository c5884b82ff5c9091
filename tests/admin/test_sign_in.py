"""Nobody who can move money enters with a password alone (A-E11, A-E12)."""

import base64
import re
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from core.models import AuditRecord
from core.roles import MONEY_ROLES, ROLES
from tests.admin.people import PASSWORD, code, console, device, give_password, person
from tests.racing import race

pytestmark = pytest.mark.django_db
INSIDE = "/admin/core/case/"


def half_way(name: str, *roles: str, **columns: Any) -> tuple[Client, TOTPDevice]:
    """A client that gave the right password and no code."""
    app = device(person(name, *roles, **columns))
    client = Client()
    assert give_password(client, name).status_code == 302
    return client, app


def give_code(client: Client, digits: str) -> Any:
    return client.post("/admin/code/", {"code": digits})


def test_strangers_are_sent_to_the_door() -> None:
    response = Client().get(INSIDE)
    assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={INSIDE}")


@pytest.mark.parametrize("role", [*sorted(MONEY_ROLES), "superuser"])
def test_a_password_alone_does_not_open(role: str) -> None:
    """A-E12: neither for the money roles nor for superusers, whichever page they try."""
    superuser = role == "superuser"
    client, _ = half_way("ada", *([] if superuser else [role]), is_superuser=superuser)
    for page in ("/admin/", INSIDE, "/admin/core/user/", "/admin/password_change/", "/admin/search/?s=x"):
        assert client.get(page).status_code == 302, page
    door = client.get(INSIDE, follow=True)
    assert door.request["PATH_INFO"] == "/admin/code/"
    assert client.post("/admin/core/deadletter/x/replay/").status_code == 302


@pytest.mark.parametrize("role", sorted(set(ROLES) - MONEY_ROLES))
def test_readers_need_no_code_unless_they_have_an_app(role: str) -> None:
    reader = person("rita", role)
    client = Client()
    give_password(client, "rita")
    assert client.get(INSIDE).status_code == 200
    device(reader)
    assert client.get(INSIDE).status_code == 302


def test_the_door_without_an_address_leads_to_the_console() -> None:
    """Who keeps /admin/login/ as a bookmark."""
    person("sam", "support")
    answer = give_password(Client(), "sam")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


def test_password_then_code() -> None:
    client, app = half_way("ada", "operator")
    response = client.post("/admin/code/", {"code": code(app.key), "next": INSIDE})
    assert (response.status_code, response["Location"]) == (302, INSIDE)
    assert client.get(INSIDE).status_code == 200


def test_people_type_the_gap_that_the_app_shows() -> None:
    client, app = half_way("ada", "operator")
    digits = code(app.key)
    assert give_code(client, f"{digits[:3]} {digits[3:]}").status_code == 302


def test_a_code_works_once() -> None:
    """A-E12: somebody who looked over the shoulder comes too late."""
    client, app = half_way("ada", "operator")
    digits = code(app.key)
    assert give_code(client, digits).status_code == 302
    thief = Client()
    give_password(thief, "ada")
    assert give_code(thief, digits).status_code == 403
    assert thief.get(INSIDE).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_a_code_works_once_even_at_the_same_moment() -> None:
    app = device(person("ada", "operator"))
    clients = [Client() for _ in range(5)]
    for client in clients:
        give_password(client, "ada")
    digits = code(app.key)
    answers = race([lambda c=client: give_code(c, digits).status_code for client in clients])
    assert sorted(answers) == [302, 403, 403, 403, 403]


def test_wrong_codes_are_slowed_down() -> None:
    client, app = half_way("ada", "operator")
    assert b"wrong or was used already" in give_code(client, "000000").content
    answer = give_code(client, code(app.key))
    assert (answer.status_code, b"Too many wrong codes" in answer.content) == (403, True)
    assert give_code(client, "12345").status_code == 403


def test_the_session_id_changes_at_both_steps() -> None:
    """A-E11: a session id from before is worthless after."""
    app = device(person("ada", "operator"))
    client = Client()
    client.get("/admin/login/")
    ids = [client.session.session_key]
    give_password(client, "ada")
    ids.append(client.session.session_key)
    give_code(client, code(app.key))
    ids.append(client.session.session_key)
    assert len(set(ids)) == 3
    old = Client()
    old.cookies["sessionid"] = ids[1]
    assert old.get(INSIDE)["Location"].startswith("/admin/login/")


def test_losing_a_role_or_the_account_works_at_once() -> None:
    """A-E11."""
    ada = person("ada", "operator")
    client = console(ada)
    assert client.get("/admin/core/deadletter/").status_code == 200
    ada.groups.clear()
    assert client.get("/admin/core/deadletter/").status_code == 403
    ada.is_active = False
    ada.save()
    assert client.get("/admin/").status_code == 302


def test_enrolment() -> None:
    ada = person("ada", "operator")
    client = Client()
    give_password(client, "ada")
    page = client.get(INSIDE, follow=True)
    assert page.request["PATH_INFO"] == "/admin/enrol/"
    assert not TOTPDevice.objects.exists(), "looking adds nothing"
    shown = re.search(r'class="mono secret[^"]*">([A-Z2-7 ]+)<', page.content.decode())
    assert shown
    secret = base64.b32decode(shown[1].replace(" ", "")).hex()
    assert b"data:image/svg+xml;base64," in page.content

    assert client.post("/admin/enrol/", {"code": "000000"}).status_code == 403
    assert not TOTPDevice.objects.exists()
    digits = code(secret)
    assert client.post("/admin/enrol/", {"code": digits, "next": INSIDE})["Location"] == INSIDE
    assert client.get(INSIDE).status_code == 200
    assert AuditRecord.objects.get().action == "sign_in_device.add"

    again = Client()
    give_password(again, "ada")
    assert give_code(again, digits).status_code == 403, "the code of the enrolment is used up"
    assert again.get("/admin/enrol/")["Location"].startswith("/admin/code/"), "no second app"
    assert again.post("/admin/enrol/", {"code": code(secret)})["Location"].startswith("/admin/code/")
    assert TOTPDevice.objects.filter(user=ada).count() == 1


def test_five_wrong_passwords_lock_the_name_for_the_address() -> None:
    person("ada", "auditor")
    person("eve", "auditor")
    client = Client()
    answers = [give_password(client, "ada", "wrong").status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]
    # A header that anybody can send is no other address (A-E13).
    spoofed = give_password(client, "ada", PASSWORD, HTTP_X_FORWARDED_FOR="10.9.9.9")
    assert spoofed.status_code == 429
    assert b"Locked for a while" in spoofed.content
    assert give_password(client, "ada", PASSWORD, REMOTE_ADDR="10.0.0.8").status_code == 302
    assert give_password(Client(), "eve", PASSWORD).status_code == 302


def test_sign_in_is_counted_in_the_database_while_redis_is_away(settings: Any) -> None:
    """Nobody gets more tries because Redis is gone; and behind our own proxy each caller has its own."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": settings.REDIS_URL}}
    settings.TRUSTED_PROXIES = 1
    person("ada", "auditor")
    client, here = Client(), {"HTTP_X_FORWARDED_FOR": "made.up, 203.0.113.5"}
    answers = [give_password(client, "ada", "wrong", **here).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]
    assert give_password(Client(), "ada", PASSWORD, **here).status_code == 429
    assert AccessAttempt.objects.get().ip_address == "203.0.113.5"
    elsewhere = give_password(client, "ada", PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.5, 203.0.113.6")
    assert elsewhere.status_code == 302


@pytest.mark.parametrize("elsewhere", ["//evil.example/", "https://evil.example/", "javascript:alert(1)"])
def test_nobody_is_sent_to_another_site(elsewhere: str) -> None:
    client, app = half_way("ada", "operator")
    response = client.post("/admin/code/", {"code": code(app.key), "next": elsewhere})
    assert response["Location"] == "/admin/"


def test_a_foreign_device_does_not_open() -> None:
    """The code of one's own app does not open somebody else's session."""
    client, _ = half_way("ada", "operator")
    other = device(person("bob", "operator"))
    assert give_code(client, code(other.key)).status_code == 403
