"""Channels in the console: how each line is doing, what it signs in with, and its switch."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import display, register
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels import services
from channels.admin_exports import CHANNELS
from channels.breaker import is_open
from channels.health import health_of, secrets_of
from channels.models import Channel
from core.admin_base import ServiceAction
from core.admin_display import state
from core.admin_pages import PageAdmin
from core.admin_site import site
from merchants.admin_parts import MerchantColumn, MerchantFilter

__all__: list[str] = []

_CHANGE = "channels.change_channel"


def _enable(*, row: Channel, actor: str, reason: str) -> None:
    services.set_enabled(channel_id=row.pk, enabled=True, actor=actor, reason=reason)


def _disable(*, row: Channel, actor: str, reason: str) -> None:
    services.set_enabled(channel_id=row.pk, enabled=False, actor=actor, reason=reason)


@register(Channel, site=site)
class ChannelAdmin(MerchantColumn, PageAdmin):
    """Every line to a provider. Secrets are not here: a fingerprint of each tells one from another."""

    list_display = ("shown_name", "shown_merchant", "provider", "mode", "switch", "line", "updated_at")
    list_filter = (MerchantFilter,)
    search_fields = ("name__exact",)
    search_help_text = gettext_lazy("The whole name of a channel")
    empty_says = gettext_lazy("No merchant has a line to a provider yet.")
    export_columns = CHANNELS
    page_template = "channels/channel.html"
    service_actions = (
        ServiceAction(
            name="enable",
            label=gettext_lazy("Switch on"),
            icon="power",
            says=gettext_lazy("New payments and payouts may take this channel again, within a second."),
            done=gettext_lazy("The channel is on."),
            permission=_CHANGE,
            run=_enable,
            applies=lambda row: not row.is_enabled,
        ),
        ServiceAction(
            name="disable",
            label=gettext_lazy("Switch off"),
            icon="power_off",
            says=gettext_lazy(
                "Nothing new takes this channel, within a second, in every process. What was sent already"
                " goes on: its outcome is asked for, and its webhooks are heard. A merchant without another"
                " channel cannot take payments."
            ),
            done=gettext_lazy("The channel is off."),
            permission=_CHANGE,
            run=_disable,
            applies=lambda row: row.is_enabled,
            is_dangerous=True,
        ),
    )

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """The merchants of a page in one query."""
        self.name_merchants(rows)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without the credentials, which the list has no use for."""
        rows = super().get_queryset(request)
        is_page = request.resolver_match is not None and "object_id" in request.resolver_match.kwargs
        return rows if is_page else rows.defer("credentials")

    @display(description=gettext_lazy("Channel"))
    def shown_name(self, row: Channel) -> str:
        """The name, which is the link to its page."""
        return row.name

    @display(description=gettext_lazy("State"))
    def switch(self, row: Channel) -> str:
        """Whether it may be used."""
        return state("ON", "done") if row.is_enabled else state("OFF", "over")

    @display(description=gettext_lazy("Line"))
    def line(self, row: Channel) -> str:
        """Whether this process would call the provider now."""
        return state("RESTING", "failed") if is_open(channel_id=row.pk) else state("OPEN_FOR_CALLS", "done")

    def page_title(self, row: Channel) -> str:
        """The name."""
        return f"{_('Channel')} · {row.name}"

    def page_context(self, request: HttpRequest, row: Channel) -> dict[str, Any]:
        """How it is doing, and what may be done."""
        may = request.user.has_perm(_CHANGE)
        return {
            "switch": self.switch(row),
            "line": self.line(row),
            "health": health_of(channel_id=row.pk),
            "secrets": secrets_of(row),
            "webhooks": f"/psp/{row.name}/webhooks",
            "enable_url": self._url("enable", row) if may and not row.is_enabled else "",
            "disable_url": self._url("disable", row) if may and row.is_enabled else "",
        }
