"""Money flows over a channel and its provider tells nothing: webhooks were probably switched off there.

Nothing is lost, because every payment is asked about as well; but results come later, and what nobody asks
about (a dispute, say) is not heard of.
"""

from datetime import timedelta

from django.db.models import Count

from channels.selectors import expects_webhooks, get_channel
from core import clock
from core.cases import open_case
from core.ids import first_key
from core.transactions import requires_transaction
from events.selectors import was_told
from payments.models import Charge

__all__ = ["SILENCE", "TOO_MANY", "watch_webhooks"]

SILENCE = timedelta(minutes=15)
# So many payments in that time and not one event: that is no coincidence.
TOO_MANY = 5
_CASE_DUE = timedelta(hours=1)


@requires_transaction
def watch_webhooks() -> list[str]:
    """Open a case for each channel that took money lately and was told nothing; return their names."""
    since = clock.now() - SILENCE
    paid = Charge.objects.filter(id__gte=first_key(since), status="CAPTURED").values("channel_id")
    busy = paid.annotate(count=Count("id")).filter(count__gte=TOO_MANY)
    silent = []
    for channel_id, count in busy.values_list("channel_id", "count"):
        if not expects_webhooks(channel_id=channel_id) or was_told(channel_id=channel_id, since=since):
            continue
        channel, minutes = get_channel(channel_id=channel_id), SILENCE.seconds // 60
        open_case(
            kind="webhooks_silent",
            subject=f"channel:{channel.name}",
            summary=f"{count} payments in {minutes} minutes over {channel.name}, and no webhook.",
            due_in=_CASE_DUE,
            merchant_id=channel.merchant_id,
        )
        silent.append(channel.name)
    return silent
