"""Money flows over a channel and its provider tells nothing: webhooks were probably switched off there.

Nothing is lost, because every payment is asked about as well; but results come later, and what nobody asks
about (a dispute, say) is not heard of.
"""

from datetime import datetime, timedelta

from django.db.models import Count

from channels.selectors import channel_by_name, expects_webhooks, get_channel
from core import clock
from core.alerts import end_alert, open_subjects, raise_alert
from core.ids import first_key
from core.transactions import requires_transaction
from events.selectors import was_told
from payments.models import Charge

__all__ = ["SILENCE", "TOO_MANY", "watch_webhooks"]

SILENCE = timedelta(minutes=15)
# So many payments in that time and not one event: that is no coincidence.
TOO_MANY = 5


@requires_transaction
def watch_webhooks() -> list[str]:
    """Raise an alert for each channel that took money lately and was told nothing; return their names.

    It ends when the provider tells again.
    """
    since = clock.now() - SILENCE
    paid = Charge.objects.filter(id__gte=first_key(since), status="CAPTURED").values("channel_id")
    busy = paid.annotate(count=Count("id")).filter(count__gte=TOO_MANY)
    silent = []
    for channel_id, count in busy.values_list("channel_id", "count"):
        if not expects_webhooks(channel_id=channel_id) or was_told(channel_id=channel_id, since=since):
            continue
        channel, minutes = get_channel(channel_id=channel_id), SILENCE.seconds // 60
        raise_alert(
            "webhooks_silent",
            subject=f"channel:{channel.name}",
            summary=f"{count} payments in {minutes} minutes over {channel.name}, and no webhook.",
            merchant_id=channel.merchant_id,
        )
        silent.append(channel.name)
    _end_of_those_who_tell(since)
    return silent


def _end_of_those_who_tell(since: datetime) -> None:
    for subject in open_subjects("webhooks_silent"):
        channel = channel_by_name(name=subject.removeprefix("channel:"))
        if was_told(channel_id=channel.id, since=since):
            end_alert("webhooks_silent", subject=subject, resolution="The provider tells again.")
