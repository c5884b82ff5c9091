"""What the console looks like and where its menu leads. Everything is served from this host."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _

__all__ = ["console_settings"]


def _may_view(permission: str) -> Any:
    return lambda request: request.user.has_perm(permission)


def _is_within(request: HttpRequest, page: str, reports: tuple[str, ...]) -> bool:
    base = reverse(page)
    return request.path.startswith(base) and request.path.removeprefix(base).strip("/") not in reports


def _page(title: Any, icon: str, model: str, *, reports: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a menu line for the list of one model; people who may not see the list do not see the line."""
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": _may_view(f"{app}.view_{name}"),
        # Not while a report beside the list is shown: that has a line of its own.
        "active": lambda request: _is_within(request, f"admin:{app}_{name}_changelist", reports),
    }


def _report(title: Any, icon: str, model: str, report: str) -> dict[str, Any]:
    """Return a menu line for a report beside the list of a model."""
    app, name = model.split(".")
    address = f"admin:{app}_{name}_{report}"
    shown = {"link": reverse_lazy(address), "active": lambda request: request.path == reverse(address)}
    return {**_page(title, icon, model), **shown}


def _desk(title: Any, icon: str, name: str, permission: str) -> dict[str, Any]:
    """Return a menu line for a desk, on whatever case of it one is."""
    address = f"console:{name}"
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(address),
        "permission": _may_view(permission),
        "active": lambda request: request.path.startswith(reverse(address)),
    }


def _stylesheet(request: HttpRequest) -> str:
    return static("core/console.css")


def _favicon(request: HttpRequest) -> str:
    return static("core/favicon.svg")


def console_settings() -> dict[str, Any]:
    """Return the settings of the admin's look: names, colours, badge and the menu, ordered by job."""
    return {
        "SITE_TITLE": "Quittance",
        "SITE_HEADER": "Quittance",
        "SITE_SUBHEADER": _("Payment back office"),
        "SITE_SYMBOL": "account_balance",
        "SITE_URL": None,
        "SHOW_HISTORY": False,
        "SHOW_VIEW_ON_SITE": False,
        "ENVIRONMENT": "core.admin_site.environment_badge",
        "ENVIRONMENT_TITLE_PREFIX": "core.admin_site.environment_prefix",
        "STYLES": [_stylesheet],
        "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _favicon}],
        "BORDER_RADIUS": "6px",
        "COLORS": {"primary": _PRIMARY},
        "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": _menu()},
    }


def _menu() -> list[dict[str, Any]]:
    """Return the menu: one group for each job, in the order of a working day."""
    groups = [
        (_("Today"), _today()),
        (_("Payments"), _payments()),
        (
            _("Unknown"),
            [_desk(_("Unknown outcomes"), "help_center", "unknown", "payments.view_pspoperation")],
        ),
        (_("Risk"), _risk()),
        (_("Refunds & disputes"), _given_back()),
        (_("Payouts"), _payouts()),
        (_("Reconciliation"), _reconciliation()),
        (_("Books"), _books()),
        (_("Close the day"), [_desk(_("Days"), "event_available", "days", "reconciliation.view_dayclose")]),
        (_("Developers"), _developers()),
        (_("Settings"), _settings()),
        (_("Audit"), _audit()),
    ]
    return [
        {"title": title, "separator": place > 0, "items": items}
        for place, (title, items) in enumerate(groups)
    ]


def _today() -> list[dict[str, Any]]:
    return [
        {"title": _("Overview"), "icon": "space_dashboard", "link": reverse_lazy("admin:index")},
        _page(_("Cases"), "assignment_late", "core.case"),
        _page(_("Approvals"), "how_to_reg", "core.approval"),
    ]


def _payments() -> list[dict[str, Any]]:
    return [
        _page(_("Checkouts"), "shopping_cart", "payments.paymentevent"),
        _page(_("Orders"), "receipt", "payments.paymentorder"),
        _page(_("Top-ups"), "add_card", "payments.topup"),
        _desk(_("Authorised payments"), "lock_clock", "authorized", "payments.view_charge"),
        _page(_("Sellers and terms"), "percent", "merchants.seller"),
    ]


def _risk() -> list[dict[str, Any]]:
    return [
        _desk(_("Review desk"), "shield_person", "risk-review", "risk.view_riskdecision"),
        _page(_("Decisions"), "rule", "risk.riskdecision"),
        _page(_("Rules"), "policy", "risk.riskrule"),
        _page(_("Lists"), "list_alt", "risk.risklist"),
    ]


def _given_back() -> list[dict[str, Any]]:
    return [
        _desk(_("Refunds"), "undo", "refunds", "payments.view_refund"),
        _desk(_("Disputes"), "gavel", "disputes", "payments.view_dispute"),
    ]


def _payouts() -> list[dict[str, Any]]:
    return [
        _desk(_("Payout desk"), "outbound", "payouts", "payouts.view_payout"),
        _page(_("All payouts"), "list", "payouts.payout"),
        _desk(_("Batches in doubt"), "help_center", "payout-batches", "payouts.view_payoutbatch"),
        _page(_("All batches"), "inventory_2", "payouts.payoutbatch"),
        _desk(_("Accounts to verify"), "how_to_reg", "destinations", "payouts.view_destination"),
        _page(_("All accounts"), "account_box", "payouts.destination"),
        _desk(_("What is stopped"), "front_hand", "payout-blocks", "payouts.view_payoutblock"),
        _page(_("All blocks"), "block", "payouts.payoutblock"),
        _page(_("Working days"), "event_repeat", "payouts.payoutschedule"),
    ]


def _reconciliation() -> list[dict[str, Any]]:
    return [
        _desk(_("Breaks"), "difference", "breaks", "reconciliation.view_discrepancy"),
        _desk(_("Runs"), "rule", "runs", "reconciliation.view_reconciliationrun"),
        _page(_("Settlement files"), "file_present", "reconciliation.settlementfile"),
        _page(_("Bank statements"), "account_balance", "reconciliation.bankstatement"),
        _page(_("Sources"), "input", "reconciliation.settlementsource"),
        _desk(_("Rules about breaks"), "gavel", "break-rules", "reconciliation.view_breakrule"),
    ]


def _books() -> list[dict[str, Any]]:
    reports = ("trial-balance", "explain")
    return [
        _report(_("Trial balance"), "balance", "ledger.account", "trial-balance"),
        _page(_("Accounts"), "menu_book", "ledger.account", reports=reports),
        _page(_("Journal entries"), "receipt_long", "ledger.journalentry"),
        _page(_("Wallets"), "account_balance_wallet", "wallet.wallet"),
        _page(_("Bonus and points"), "redeem", "wallet.grant"),
        _desk(_("Sellers' money"), "payments", "sellers", "wallet.view_wallet"),
        _desk(_("Year totals"), "summarize", "year-totals", "wallet.view_wallet"),
        _page(_("Daily revenue"), "bar_chart", "events.dailyrevenue"),
    ]


def _developers() -> list[dict[str, Any]]:
    return [
        _page(_("API keys"), "key", "merchants.apikey"),
        _page(_("Webhook endpoints"), "outbound", "events.webhookendpoint"),
        _page(_("Webhooks out"), "send", "events.webhookdelivery"),
        _page(_("Webhooks in"), "webhook", "events.webhookinbox"),
        _page(_("Event stream"), "stream", "events.streamposition"),
    ]


def _settings() -> list[dict[str, Any]]:
    return [
        _page(_("Settings"), "tune", "core.setting"),
        _page(_("Channels"), "cable", "channels.channel"),
        _page(_("Dead letters"), "move_to_inbox", "core.deadletter"),
        _page(_("Alerts sent"), "notifications", "core.alertnotice"),
        _page(_("Job runs"), "event_repeat", "core.jobrun"),
        {
            "title": _("Users"),
            "icon": "group",
            "link": reverse_lazy("admin:core_user_changelist"),
            "permission": lambda request: request.user.is_superuser,
        },
    ]


def _audit() -> list[dict[str, Any]]:
    return [
        _page(_("Audit trail"), "history", "core.auditrecord"),
        _page(_("State changes"), "conversion_path", "core.statuschange"),
        _report(_("Verdicts on the books"), "verified", "core.auditrun", "latest"),
        _page(_("Runs of the checks"), "fact_check", "core.auditrun", reports=("latest",)),
    ]


# A calm blue-green; violet stays free for disputes.
_PRIMARY = {
    "50": "oklch(97.1% .014 196)",
    "100": "oklch(93.6% .030 196)",
    "200": "oklch(88.0% .055 196)",
    "300": "oklch(79.5% .085 197)",
    "400": "oklch(69.0% .100 199)",
    "500": "oklch(58.5% .095 201)",
    "600": "oklch(48.5% .082 203)",
    "700": "oklch(41.5% .070 204)",
    "800": "oklch(35.0% .058 206)",
    "900": "oklch(29.5% .048 208)",
    "950": "oklch(21.5% .038 210)",
}
