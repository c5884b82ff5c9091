"""What the start and the deployment check refuse."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from events.addresses import read_allowed_networks

__all__ = ["allowed_networks_are_closed", "allowed_networks_are_readable"]


@register(Tags.security)
def allowed_networks_are_readable(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse networks that cannot be read."""
    try:
        read_allowed_networks(tuple(settings.WEBHOOK_ALLOWED_NETWORKS))
    except ValueError as error:
        return [Error(f"WEBHOOK_ALLOWED_NETWORKS: {error}", id="events.E001")]
    return []


@register(Tags.security, deploy=True)
def allowed_networks_are_closed(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a deployment whose webhooks may reach private addresses."""
    if settings.WEBHOOK_ALLOWED_NETWORKS:
        hint = "It opens private networks to the URLs of test merchants; leave it empty in production."
        return [Error("WEBHOOK_ALLOWED_NETWORKS is set.", hint=hint, id="events.E002")]
    return []
