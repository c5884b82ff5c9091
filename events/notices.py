"""Who is told what becomes of an endpoint: the store in its feed, people as an alert in the console."""

from datetime import timedelta

from core.alerts import Alert, end_alert, raise_alert
from core.history import Fact
from core.transactions import requires_transaction
from events.facts import endpoint_data
from events.models import WebhookEndpoint

__all__ = ["ALERTS", "FAILING", "GONE", "close_notices", "endpoint_fact", "tell_people"]

FAILING, GONE = "webhook_endpoint_failing", "webhook_endpoint_gone"
_DUE = timedelta(hours=24)
_PAGE = "admin:events_webhookendpoint_changelist"

ALERTS = (
    Alert(
        FAILING,
        "A store's webhooks are paused",
        "Its endpoint took nothing for three days. Its events wait and are in its feed; nothing is lost.",
        _DUE,
        page=_PAGE,
        query="?status__exact=PAUSED",
    ),
    Alert(
        GONE,
        "A store's endpoint says that it is gone",
        "It answered 410 and is disabled for good. The store learns of nothing there any more.",
        _DUE,
        page=_PAGE,
        query="?status__exact=DISABLED",
    ),
)


def endpoint_fact(row: WebhookEndpoint, what: str) -> Fact:
    """Return the event about a locked endpoint, for the store's other endpoints and its feed."""
    return Fact(f"webhook_endpoint.{what}", row.public_id, lambda: {"object": endpoint_data(row).as_object()})


@requires_transaction
def tell_people(row: WebhookEndpoint, alert: str, what: str) -> None:
    """Raise the alert, unless it stands already; it names the host only, because URLs can hold secrets."""
    raise_alert(
        alert,
        subject=row.public_id,
        summary=f"The webhook endpoint at {endpoint_data(row).host} {what}.",
        merchant_id=row.merchant_id,
    )


@requires_transaction
def close_notices(row: WebhookEndpoint, *, resolution: str) -> None:
    """End what was told of an endpoint: somebody dealt with it."""
    for name in (FAILING, GONE):
        end_alert(name, subject=row.public_id, resolution=resolution)
