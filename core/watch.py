"""What the kernel itself raises alerts about: work that failed for good, and invariants that are broken."""

from datetime import timedelta

from django.db.models import Count

from core.alerts import Alert, end_alert, open_subjects, raise_alert
from core.models import DeadLetter
from core.transactions import requires_transaction
from core.verdicts import latest_verdicts

__all__ = ["ALERTS", "watch_kernel"]

_DEAD, _BROKEN = "dead_letters", "invariant_broken"
ALERTS = (
    Alert(
        _DEAD,
        "Work failed for good",
        "It is tried no more until a person replays or drops it.",
        timedelta(hours=4),
        page="admin:core_deadletter_changelist",
        query="?status__exact=OPEN",
    ),
    Alert(
        _BROKEN,
        "An invariant is broken",
        "The books or the states contradict themselves. Find out why before anything is paid out.",
        timedelta(hours=1),
        "critical",
        page="admin:core_auditrun_latest",
        query="",
    ),
)


@requires_transaction
def watch_kernel() -> None:
    """Raise what is wrong now, and end what is over."""
    waiting = DeadLetter.objects.filter(status="OPEN").values_list("queue").annotate(number=Count("pk"))
    _settle(
        _DEAD,
        {f"queue:{queue}": f"{number} waiting in the queue {queue}" for queue, number in waiting},
        over="None of this queue waits any more.",
    )
    broken = {
        f"invariant:{each.name}": f"{each.says}: {each.violations} rows"
        for each in latest_verdicts()
        if each.verdict == "violated"
    }
    _settle(_BROKEN, broken, over="The last look at it found nothing.")


def _settle(name: str, wrong: dict[str, str], *, over: str) -> None:
    for subject, summary in sorted(wrong.items()):
        raise_alert(name, subject=subject, summary=summary)
    for subject in open_subjects(name):
        if subject not in wrong:
            end_alert(name, subject=subject, resolution=over)
