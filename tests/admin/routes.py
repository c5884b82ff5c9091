"""Every page of the console, as its routes have them, and an address of each at which there is something."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from core.admin_site import site
from core.ids import public_id, uuid7
from core.models import Approval
from ledger.models import JournalEntry
from merchants.services import TERMS
from payments.models import Charge, Dispute, PaymentEvent, PaymentOrder, Refund
from payouts.models import Destination, Payout, PayoutBatch, PayoutBlock
from reconciliation.models import BreakRule, DayClose, Discrepancy, ReconciliationRun, SettlementLine
from wallet.models import Wallet
from wallet.services.grants import GRANT

__all__ = ["Route", "routes"]

# What addresses of desks name, and the prefix that it has there.
_NAMED: dict[str, tuple[str, type[Model], dict[str, Any]]] = {
    "payment": ("chk", PaymentEvent, {}),
    "dispute": ("dp", Dispute, {}),
    "unknown-item": ("chg", Charge, {}),
    "authorized-item": ("chg", Charge, {}),
    "sellers-item": ("wal", Wallet, {"owner_type": "seller"}),
    "risk-review-item": ("chk", PaymentEvent, {}),
    "refund": ("re", Refund, {}),
    "refund-new": ("pay", PaymentOrder, {}),
    "payout": ("po", Payout, {}),
    "payout-of": ("wal", Wallet, {"owner_type": "seller"}),
    "payout-batch": ("pob", PayoutBatch, {}),
    "payout-file": ("pob", PayoutBatch, {}),
    "destination": ("dst", Destination, {}),
    "break": ("dsc", Discrepancy, {}),
    "line": ("", SettlementLine, {}),
    "run": ("", ReconciliationRun, {}),
    "break-rule": ("", BreakRule, {}),
    "payout-block": ("", PayoutBlock, {}),
}
# The action of the approval that a page decides about.
_DECIDED = {"admin:wallet_grant_decide": GRANT, "admin:merchants_seller_decide": TERMS}
_CONSTANTS = {"status": "DEAD", "app_label": "core", "content_type_id": 1}


@dataclass(frozen=True)
class Route:
    """One page: its name, as `reverse` knows it, what its address takes, and the view behind it."""

    name: str
    takes: tuple[str, ...]
    view: Any

    @property
    def model(self) -> type[Model] | None:
        """The model whose list or row the page shows, None for what is no model's."""
        app, _, rest = self.name.removeprefix("admin:").partition("_")
        names = {each._meta.model_name: each for each in site._registry if each._meta.app_label == app}
        return names.get(rest.partition("_")[0])

    def address(self) -> str:
        """Return an address of it, of the newest row if there is one."""
        return reverse(self.name, kwargs=dict(zip(self.takes, self._values(), strict=True)))

    def _values(self) -> Iterator[Any]:
        for each in self.takes:
            if self.name.startswith("console:"):
                yield self._of_desk(each)
            elif each == "approval_id":
                yield _newest(Approval, action=_DECIDED[self.name]) or uuid7()
            elif each in _CONSTANTS:
                yield _CONSTANTS[each]
            else:
                yield (self.model and _newest(self.model)) or uuid7()

    def _of_desk(self, taken: str) -> Any:
        name = self.name.removeprefix("console:")
        if name.startswith("day"):
            close = DayClose.objects.order_by("-pk").first()
            assert close
            return public_id("mer", close.merchant_id) if taken == "merchant" else close.day.isoformat()
        if name == "entry-source":
            entry = JournalEntry.objects.order_by("-pk").first()
            assert entry
            return getattr(entry, "merchant_id" if taken == "merchant_id" else "pk")
        prefix, model, wanted = _NAMED[name]
        key = _newest(model, **wanted)
        assert key, f"the furnished console has no {model.__name__}"
        return public_id(prefix, key) if prefix else key


def _newest(model: type[Model], **wanted: Any) -> Any:
    return model._default_manager.filter(**wanted).order_by("-pk").values_list("pk", flat=True).first()


def routes() -> list[Route]:
    """Return every page below /admin/ that has a name."""
    return list(_walk(get_resolver(), "", ""))


def _walk(resolver: URLResolver, before: str, space: str) -> Iterator[Route]:
    for each in resolver.url_patterns:
        path = before + str(each.pattern)
        if not path.startswith("admin/") and not "admin/".startswith(path):
            continue
        if isinstance(each, URLResolver):
            yield from _walk(each, path, f"{each.namespace}:" if each.namespace else space)
        elif isinstance(each, URLPattern) and each.name:
            taken = re.findall(r"<(?:\w+:)?(\w+)>|\?P<(\w+)>", path)
            yield Route(space + each.name, tuple(a or b for a, b in taken), each.callback)
