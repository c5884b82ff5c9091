"""The desk of days: one prepares, another signs, others look; the files say what the page says."""

from typing import Any

import pytest
from django.test import Client

from core import clock
from core.ids import public_id
from ledger.selectors import closed_through
from reconciliation.models import Discrepancy
from tests.admin.paying_out import said
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.ledger.books import Books
from tests.reconciliation.closing.conftest import DAY, Closer
from tests.reconciliation.conftest import desk as desk
from tests.reconciliation.conftest import plain_formats as plain_formats
from tests.store import open_store

__all__ = ["desk", "plain_formats"]

pytestmark = [pytest.mark.database, pytest.mark.django_db]
DESK = "/admin/desks/days/"


@pytest.fixture
def closer(desk: Any) -> Closer:
    """A merchant of the console with a day that can be closed."""
    found = Closer(Books(currency="EUR", merchant_id=open_store().merchant_id))
    found.ready()
    return found


def address(closer: Closer, day: str = str(DAY)) -> str:
    return f"{DESK}{public_id('mer', closer.merchant_id)}/{day}/"


def press(client: Client, closer: Closer, action: str, **more: str) -> Any:
    return client.post(address(closer), {"action": action, "reason": "looked at it", **more})


def finance() -> tuple[Client, Client]:
    return console(person("mia", "finance_maker")), console(person("cora", "finance_checker"))


def test_one_prepares_and_another_signs(closer: Closer) -> None:
    """I30 on the page: who prepared has no button to sign, and signing it all the same is refused."""
    maker, checker = finance()
    assert str(DAY) in text(
        maker.get(f"{DESK}?merchant={public_id('mer', closer.merchant_id)}&before=2026-01-09")
    )
    page = text(maker.get(address(closer)))
    assert "Nothing is frozen yet" in page and "Prepare the day" in page and "Sign and close" not in page
    assert "The figures stand" in said(maker.get(press(maker, closer, "prepare").url))
    digest = bytes(closer.row().digest or b"").hex()
    assert press(maker, closer, "sign", digest=digest).status_code == 403
    page = text(checker.get(address(closer)))
    for words in ("Sign and close the day", digest, "mia", "1.50"):
        assert words in page, words
    assert "The day is closed" in said(checker.get(press(checker, closer, "sign", digest=digest).url))
    assert (closer.row().status, closed_through(merchant_id=closer.merchant_id)) == ("CLOSED", DAY)
    page = text(maker.get(address(closer)))
    assert (
        "Nothing is left to be done" in page and "cora" in page and "Prepare" not in page.split("What can")[1]
    )


def test_who_prepared_does_not_sign_though_he_may(closer: Closer) -> None:
    _, checker = finance()
    press(checker, closer, "prepare")
    assert "a second person must sign it" in text(checker.get(address(closer)))
    digest = bytes(closer.row().digest or b"").hex()
    refused = said(checker.get(press(checker, closer, "sign", digest=digest).url))
    assert "A second person" in refused
    assert closer.row().status == "PREPARED"


def test_what_changed_meanwhile_is_said_and_nothing_is_closed(closer: Closer) -> None:
    maker, checker = finance()
    press(maker, closer, "prepare")
    digest = bytes(closer.row().digest or b"").hex()
    closer.put("bank_fee", 1)
    assert "Prepare it again" in said(checker.get(press(checker, closer, "sign", digest=digest).url))
    assert closer.row().status == "PREPARED"


def test_what_stands_in_the_way_is_on_the_page(closer: Closer) -> None:
    """Each with a link to where it is dealt with; a missing file is excused with a reason."""
    maker, _ = finance()
    closer.desk.source(name="paypal", begins_on=DAY)
    page = maker.get(address(closer))
    assert "paypal has no file about 2026-01-05: it has not come." in text(page)
    assert "/admin/reconciliation/settlementfile/" in page.content.decode()
    assert "disabled" in page.content.decode()
    assert "stands in the way" in said(maker.get(press(maker, closer, "prepare").url))
    assert press(maker, closer, "excuse", source="paypal", reason=" ").status_code in (302, 422)
    assert "paypal has no file" in text(maker.get(address(closer)))
    press(maker, closer, "excuse", source="paypal", reason="they were down")
    assert "they were down" in text(maker.get(address(closer)))
    press(maker, closer, "prepare")
    assert closer.row().status == "PREPARED"
    press(maker, closer, "reopen")
    assert closer.row().status == "OPEN"


def test_an_obstacle_leads_to_what_it_is_about(closer: Closer) -> None:
    """A break that nobody took on, and the breaks that are still open: each has its place in the desk."""
    maker, _ = finance()
    closer.found()
    html = maker.get(address(closer)).content.decode()
    row = Discrepancy.objects.get(merchant_id=closer.merchant_id)
    assert f'href="/admin/desks/breaks/{row.public_id}/"' in html
    narrowed = f"/admin/desks/breaks/?queue=all&amp;merchant={public_id('mer', closer.merchant_id)}"
    assert f'href="{narrowed}"' in html
    assert maker.get(narrowed.replace("&amp;", "&")).status_code == 200


def test_a_list_without_days_says_what_to_do(desk: Any) -> None:
    """Before the first source begins, and before the first day that there is."""
    store = open_store()
    desk.merchant_id = store.merchant_id
    desk.source(name="psp", begins_on=clock.today())
    maker, _ = finance()
    mine = f"{DESK}?merchant={public_id('mer', store.merchant_id)}"
    page = maker.get(mine)
    assert "No day is over yet" in text(page)
    assert 'href="/admin/reconciliation/settlementsource/"' in page.content.decode()
    assert "There is no earlier day" in text(maker.get(f"{mine}&before=2020-01-01"))


@pytest.mark.parametrize("role", ["support", "auditor", "operator", "risk"])
def test_others_look_and_change_nothing(closer: Closer, role: str) -> None:
    client = console(person("ina", role))
    assert "You may look" in text(client.get(address(closer)))
    for action in ("prepare", "sign", "reopen", "excuse"):
        assert press(client, closer, action).status_code == 403
    assert press(client, closer, "anything").status_code == 404


def test_only_the_checker_signs(closer: Closer) -> None:
    maker, _ = finance()
    other = console(person("max", "finance_maker"))
    press(maker, closer, "prepare")
    assert press(other, closer, "sign", digest="00").status_code == 403


def test_who_is_not_signed_in_and_who_forges_gets_nothing(closer: Closer) -> None:
    assert Client().get(address(closer)).status_code == 302
    forging = console(person("eve", "finance_maker"), enforce_csrf_checks=True)
    assert press(forging, closer, "prepare").status_code == 403
    maker, _ = finance()
    for wrong in (
        f"{DESK}mer_unknown/2026-01-05/", address(closer, "2026-13-01"), address(closer, "x"),
        f"{address(closer)}csv/",
    ):  # fmt: skip
        assert maker.get(wrong).status_code == 404, wrong


def test_the_files_say_what_the_page_says(closer: Closer) -> None:
    """The same figures in CSV and PDF, with their digest; what others wrote is no formula (A-F4)."""
    maker, _ = finance()
    closer.found(owner="user:mia", status="OPEN", category="B")
    press(maker, closer, "prepare")
    digest = bytes(closer.row().digest or b"").hex()
    answer = maker.get(f"{address(closer)}csv/")
    assert answer.streaming and answer["Content-Disposition"].startswith("attachment;")
    body = b"".join(answer.streaming_content).decode()
    assert f"report,SHA-256 of the figures,{digest}" in body
    assert "trial,asset.bank:giro,EUR,0.00,1.50,0.00,1.50" in body
    assert "'=1+1 is unknown" in body and ",=1+1" not in body
    paper = maker.get(f"{address(closer)}pdf/")
    assert paper["Content-Type"] == "application/pdf" and paper.content.startswith(b"%PDF")
    assert paper.content == maker.get(f"{address(closer)}pdf/").content
