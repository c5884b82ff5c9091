"""Alerts in the console: who was told what, when, and with what result."""

from typing import Any

from django.contrib.admin import display, register
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core import clock
from core.admin_base import ReadOnlyAdmin
from core.admin_display import state, text
from core.admin_exports import ALERT_NOTICES
from core.admin_site import site
from core.alerts import get_alert
from core.models import AlertNotice

__all__: list[str] = []

_WAYS = {"email": _("E-mail"), "webhook": _("Webhook")}
_SEVERITIES = {"warning": "waiting", "critical": "failed"}


@register(AlertNotice, site=site)
class AlertNoticeAdmin(ReadOnlyAdmin):
    """Every message about an alert: one for each way and severity."""

    export_columns = ALERT_NOTICES
    list_display = (
        "created_at",
        "shown_alert",
        "shown_severity",
        "shown_case",
        "shown_way",
        "shown_told",
        "shown_state",
        "sent_at",
        "attempts",
    )
    list_filter = ("severity", "way")
    list_select_related = ("case",)
    exclude = ("case", "severity", "way", "told", "fence", "leased_until")
    readonly_fields = (
        "shown_alert",
        "shown_severity",
        "shown_case",
        "shown_summary",
        "shown_way",
        "shown_told",
        "shown_state",
    )
    empty_says = _(
        "Nobody was told of anything yet. Who is told is set by ALERT_EMAIL_TO and ALERT_WEBHOOK_URL."
    )

    @display(description=_("Alert"))
    def shown_alert(self, row: AlertNotice) -> Any:
        """What it is about."""
        try:
            return get_alert(row.case.kind).title
        except KeyError:  # An alert that a later version does not have any more.
            return row.case.kind

    @display(description=_("Severity"))
    def shown_severity(self, row: AlertNotice) -> Any:
        """How urgent it was."""
        return state(row.severity.upper(), _SEVERITIES[row.severity])

    @display(description=_("Case"))
    def shown_case(self, row: AlertNotice) -> Any:
        """The case that the message leads to."""
        url = reverse("admin:core_case_change", args=[row.case_id])
        return format_html('<a href="{}">{}</a>', url, row.case.subject)

    @display(description=_("Summary"))
    def shown_summary(self, row: AlertNotice) -> Any:
        """What the message says."""
        return row.case.summary

    @display(description=_("Way"))
    def shown_way(self, row: AlertNotice) -> Any:
        """How they were told."""
        return _WAYS[row.way]

    @display(description=_("Told"))
    def shown_told(self, row: AlertNotice) -> Any:
        """Who took the message, or nobody yet."""
        return text(row.told) or "–"

    @display(description=_("Result"))
    def shown_state(self, row: AlertNotice) -> Any:
        """Whether it arrived, is under way, or was given up."""
        if row.sent_at is not None:
            return state("SENT", "done")
        if row.due_at is None:
            return state("NOT_SENT", "failed")
        is_sending = row.leased_until is not None and row.leased_until > clock.now()
        return state("SENDING", "progress") if is_sending else state("WAITING", "waiting")
