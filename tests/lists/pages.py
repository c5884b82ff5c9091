"""Every list of the console, and the ways into it: first page, one deep down, each filter, each search."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from django.db import models
from django.test import Client
from django.urls import reverse

from core.admin_site import site
from core.ids import public_id
from tests.lists.shapes import GROUPS

__all__ = ["SEARCHES", "list_url", "listed", "ways"]

Terms = Callable[[Any], list[str]]
# What a list is searched by, given one of its rows. Where a term may be a seller, any of its rows will do.
SEARCHES: Mapping[str, Terms] = {
    "payments.paymentevent": lambda row: [public_id("chk", row.pk), row.checkout_id, "nobody"],
    "payments.paymentorder": lambda row: [
        public_id("pay", row.pk),
        row.payment_order_id,
        row.seller_account,
        "nobody",
    ],
    "payments.topup": lambda row: [public_id("top", row.pk), public_id("wal", row.wallet_id)],
    "wallet.wallet": lambda row: [public_id("wal", row.pk), public_id("buy", row.owner_id)],
    "wallet.grant": lambda row: [public_id("wal", row.wallet_id)],
    "core.statuschange": lambda row: [str(row.subject_id)],
    "core.auditrecord": lambda row: [row.subject, "nobody"],
    "risk.riskdecision": lambda row: [public_id("chk", row.subject_id)],
    "events.webhookinbox": lambda row: [row.provider_event_id, row.about, "nobody"],
    "events.inboxwork": lambda row: [str(row.pk)],
    "events.webhookdelivery": lambda row: [public_id("evt", row.event_id), "pay_1", "nobody"],
    "ledger.account": lambda row: [str(row.pk), public_id("sel", row.owner)],
    "ledger.journalentry": lambda row: [str(row.pk), row.source_ref, "nobody"],
    "payouts.destination": lambda row: [public_id("dst", row.pk), "seller-1", "nobody"],
    "payouts.payout": lambda row: [public_id("po", row.pk), "seller-1", "nobody"],
    "payouts.payoutbatch": lambda row: [public_id("pob", row.pk), row.reference],
    "payouts.payoutblock": lambda row: ["seller-1"],
    "core.approval": lambda row: [row.subject],
    "core.case": lambda row: [row.subject],
    "core.deadletter": lambda row: [row.subject, row.queue],
    "core.jobrun": lambda row: [row.job, row.scope],
    "core.setting": lambda row: [row.name, row.scope],
}


def list_url(model: type[models.Model], page: str = "changelist") -> str:
    """Where the list is."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}")


def ways(client: Client, model: type[models.Model]) -> Iterator[tuple[str, str]]:
    """Yield a name and an address for every way into a list that has rows."""
    url = list_url(model)
    yield "first page", url
    newest = model._default_manager.order_by("-pk").first()
    oldest = list(model._default_manager.order_by("pk")[:60])[-1]
    assert newest is not None
    yield "a page at the end", f"{url}?older_than={oldest.pk}"
    yield "back from the end", f"{url}?newer_than={oldest.pk}"
    changes = client.get(url).context["cl"]
    for spec in changes.filter_specs:
        for choice in spec.choices(changes):
            if not choice["selected"]:
                yield f"{spec.title}: {choice['display']}", url + choice["query_string"]
    for term in SEARCHES.get(model._meta.label_lower, lambda row: [])(newest):
        yield f"search: {term[:14]}", f"{url}?{urlencode({'q': term})}"


def listed(group: str) -> list[type[models.Model]]:
    """The tables of a group that have a list."""
    return list({shape.model: None for shape in GROUPS[group] if shape.model in site._registry})
