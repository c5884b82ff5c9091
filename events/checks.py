"""What the start and the deployment check refuse."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from events.addresses import read_allowed_networks
from events.errors import UrlNotAllowed
from events.signing import sign
from events.targets import read_own_target

__all__ = [
    "allowed_networks_are_closed",
    "allowed_networks_are_readable",
    "event_stream_is_complete",
    "ways_of_alerts_are_complete",
]

# whsec_ and 24 bytes, as the scheme of these signatures wants at least.
_SECRET_LENGTH = 38


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


@register()
def event_stream_is_complete(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a stream that does not exist, and one whose broker cannot be found or understood."""
    if settings.EVENT_STREAM not in ("redis", "kafka", "off"):
        return [Error("EVENT_STREAM must be redis, kafka or off.", id="events.E003")]
    found: list[CheckMessage] = []
    if settings.EVENT_STREAM == "kafka" and not settings.KAFKA_BOOTSTRAP_SERVERS:
        found.append(Error("EVENT_STREAM is kafka, and KAFKA_BOOTSTRAP_SERVERS is empty.", id="events.E004"))
    if any("=" not in option for option in settings.KAFKA_OPTIONS):
        # Without the value: it may hold a password.
        found.append(Error("KAFKA_OPTIONS must be name=value, with commas between.", id="events.E005"))
    if settings.EVENT_STREAM_LENGTH < 1000:
        found.append(Error("EVENT_STREAM_LENGTH must be at least 1000.", id="events.E006"))
    return found


@register()
def ways_of_alerts_are_complete(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a webhook of alerts that cannot be read or would not be signed."""
    if not settings.ALERT_WEBHOOK_URL:
        return []
    try:
        read_own_target(settings.ALERT_WEBHOOK_URL)
        sign(secrets=[settings.ALERT_WEBHOOK_SECRET], message_id="check", timestamp=0, body=b"")
    except (UrlNotAllowed, ValueError) as error:
        return [Error(f"ALERT_WEBHOOK_URL or its secret cannot be used: {error}", id="events.E007")]
    if len(settings.ALERT_WEBHOOK_SECRET) < _SECRET_LENGTH:
        return [
            Error("ALERT_WEBHOOK_SECRET must be whsec_ and base64 of 24 bytes or more.", id="events.E008")
        ]
    return []
