"""The Celery application: tasks are nudges that start drains, never carriers of work."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init
from kombu import Queue

from config.memory import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# In place of Celery's own care for Django, which would open every connection anew for each task.
app = Celery("quittance", fixups=["config.worker_connections:fixup"])
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

TICK_SECONDS = 1.0
# By name: the task, and the seconds between two starts. The last two are done once a day: each start but the
# first finds them done, and one that was missed is made up for within the hour.
PERIODIC = {
    "probe silent providers": ("payments.probe", 5.0),
    "keep the books": ("ledger.keep", 10.0),
    "seal the audit trail": ("core.seal_audit_trail", 30.0),
    "watch for missing webhooks": ("payments.watch_webhooks", 60.0),
    "watch for stuck payments": ("payments.watch_stuck", 60.0),
    "watch for disputes to answer": ("payments.watch_disputes", 60.0),
    "ask about open disputes": ("payments.ask_disputes", 300.0),
    "look again at payouts that wait": ("payouts.reconsider", 15.0),
    "watch for stuck payouts": ("payouts.watch", 60.0),
    "fetch settlement files": ("reconciliation.fetch", 60.0),
    "watch for late settlement files": ("reconciliation.watch_files", 60.0),
    "watch what banks should show": ("reconciliation.watch_bank", 300.0),
    "watch for late releases": ("payments.watch_releases", 60.0),
    "pay sellers on their days": ("payouts.run_schedules", 60.0),
    "open breaks for what never came": ("reconciliation.clear_expected", 60.0),
    "close breaks by rules and watch the others": ("reconciliation.watch_breaks", 60.0),
    "age the clearing accounts": ("reconciliation.age_clearing", 900.0),
    "watch the event stream": ("events.watch_stream", 60.0),
    "raise and escalate alerts": ("core.watch", 60.0),
    "keep the figures of the first page": ("core.keep_figures", 60.0),
    "forget old nonces": ("merchants.forget_nonces", 60.0),
    "prune counted attempts": ("core.prune_attempts", 60.0),
    "forget old answers": ("core.forget_answers", 60.0),
    "audit what is new": ("core.audit", 300.0),
    "audit everything": ("core.audit_full", 3600.0),
    "write down the daily roots": ("ledger.daily_root", 3600.0),
}


@app.on_after_finalize.connect
def schedule(sender: Celery, **_: Any) -> None:
    """Give every drain its own queue and a tick, so that lost nudges cost at most a second."""
    from core.drain import drains

    sender.conf.task_queues = [Queue("default"), *(Queue(name) for name in drains())]
    sender.conf.beat_schedule = {
        **{
            f"drain {name}": {
                "task": "core.run_drain",
                "schedule": TICK_SECONDS,
                "kwargs": {"name": name},
                # A tick nobody took before the next one is worth nothing.
                "options": {"queue": name, "expires": TICK_SECONDS * 2},
            }
            for name in drains()
        },
        **{
            name: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
            for name, (task, seconds) in PERIODIC.items()
        },
    }


@worker_process_init.connect
def settle_memory(**_: Any) -> None:
    """Each child of the pool, once."""
    settle()
