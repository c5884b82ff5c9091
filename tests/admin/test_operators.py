"""People are created on the command line; roles come from migrations."""

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.test import Client

from core.models import AuditRecord, User
from core.roles import ROLES
from tests.admin.people import PASSWORD, code, give_password

pytestmark = pytest.mark.django_db
SECRET = "31323334353637383930" * 2


def create(**options: Any) -> str:
    out = StringIO()
    call_command("create_operator", username="ola", password=PASSWORD, stdout=out, **options)
    return out.getvalue()


def test_the_roles_exist_with_rights_and_no_more() -> None:
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)
    rights = {
        group.name: {p.codename for p in group.permissions.all()}
        for group in Group.objects.prefetch_related("permissions")
    }
    takes_out = "export_lists"
    assert {role for role in ROLES if takes_out in rights[role]} == {
        "finance_maker",
        "finance_checker",
        "auditor",
    }
    may_change = {
        role: {name for name in names if not name.startswith("view_") and name != takes_out}
        for role, names in rights.items()
    }
    assert may_change["auditor"] == may_change["support"] == set()
    at_desk = {"change_case", "change_pspoperation"}
    keys = {f"{verb}_{name}" for verb in ("add", "change") for name in ("apikey", "signingkey")}
    webhooks = {"change_inboxwork", "change_webhookdelivery", "change_webhookendpoint"}
    sources = {f"{verb}_settlementsource" for verb in ("add", "change")}
    assert may_change["operator"] == at_desk | keys | webhooks | sources | {
        "change_deadletter",
        "change_channel",
    }
    money = ("charge", "refund", "dispute", "wallet")
    makes = at_desk | {f"change_{each}" for each in money}
    out = ("destination", "payout", "payoutblock", "payoutschedule")
    makes |= {f"change_{each}" for each in out}
    breaks = ("discrepancy", "breakrule", "dayclose")
    makes |= {"add_settlementfile", "change_bankstatement"} | {f"change_{each}" for each in breaks}
    assert may_change["finance_maker"] == makes | {"add_grant", "add_sellerterms"}
    approves = {
        f"approve_{each}" for each in (*money, *out, *breaks, "grant", "bankstatement", "sellerterms")
    }
    assert may_change["finance_checker"] == makes | approves | {"add_sellerterms"}
    assert may_change["risk"] == {
        "change_case",
        *("add_riskrule", "change_riskrule", "add_riskdryrun"),
        *("add_risklist", "add_risklistentry", "change_risklistentry"),
        "add_riskdecision",
    }
    assert all("user" not in name for names in rights.values() for name in names)


def test_a_script_can_sign_in_with_a_given_secret(settings: Any) -> None:
    settings.DEBUG = True
    assert "ola was created" in create(role=["operator", "finance_maker"], totp_secret=SECRET)
    client = Client()
    give_password(client, "ola")
    assert client.post("/admin/code/", {"code": code(SECRET)}).status_code == 302
    assert client.get("/admin/core/deadletter/").status_code == 200
    assert AuditRecord.objects.get(action="user.create").detail["roles"] == ["operator", "finance_maker"]


def test_secrets_are_not_given_in_production(settings: Any) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="only with DEBUG"):
        create(role=["operator"], totp_secret=SECRET)
    assert not User.objects.exists()


def test_twice_changes_nothing() -> None:
    create(role=["operator"])
    before = User.objects.get().password
    assert "exists already" in create(superuser=True, role=[])
    again = User.objects.get()
    assert (again.password, again.is_superuser) == (before, False)


@pytest.mark.parametrize("secret", ["zz", "00"])
def test_bad_secrets_are_refused(settings: Any, secret: str) -> None:
    settings.DEBUG = True
    with pytest.raises(CommandError, match="hex digits"):
        create(role=["operator"], totp_secret=secret)


def test_weak_passwords_and_unknown_roles_are_refused() -> None:
    with pytest.raises(CommandError, match="too short"):
        call_command("create_operator", "--username", "x", "--password", "short")
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("create_operator", "--username", "x", "--password", PASSWORD, "--role", "king")
    assert not User.objects.exists()
