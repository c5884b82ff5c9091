import re

from django.contrib.staticfiles import finders

from core.transactions import at_edge
from payments.services import accept_dispute
from tests.admin.people import console, person
from tests.payments.conftest import provider as provider
from tests.payments.conftest import shop as shop
from tests.payments.disputing import disputed


def shoot(client, url, name):
    html = client.get(url).content.decode()
    def place(m):
        found = finders.find(m.group(1).split("?")[0]); return f'"file://{found}"' if found else m.group(0)
    html = re.sub(r'"/static/([^"]+)"', place, html)
    __import__("pathlib").Path(f"/tmp/disputes_{name}.html").write_text(html)
def test_shots(shop, hooks):
    disputed(shop, inquiry=True)
    lost = disputed(shop); lost.step("lose"); lost.tell()
    case = disputed(shop, due_in=2*86400, reason="product_not_received")
    maker = person("mia", "finance_maker")
    at_edge(accept_dispute)(dispute_id=lost.dispute.id, reason="x", maker="user:1") if False else None
    at_edge(accept_dispute)(dispute_id=case.dispute.id, reason="the parcel was lost", maker=f"user:{maker.pk}")
    shoot(console(person("cora","finance_checker")), f"/admin/desks/disputes/{case.id}/", "open")
    shoot(console(maker), f"/admin/desks/disputes/{lost.id}/", "lost")
