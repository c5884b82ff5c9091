"""A worker process of the tests: runs one drain, with one subscriber that leaves a trace in the database.

Started as `python -m tests.events.drain_process inbox`; the environment says which database.
"""

import os
import sys

import django


def main(name: str) -> None:
    """Run the drain once."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from core.dead_letters import bury
    from core.drain import get_drain
    from events.subscriptions import subscribe
    from events.types import InboundEvent

    def leave_a_trace(*, delivery: InboundEvent) -> None:
        bury(queue="trace", subject=delivery.event_id, error="trace", attempts=0)

    subscribe("stripe", "", "books", leave_a_trace)
    sys.stdout.write(f"{get_drain(name).run()}\n")


if __name__ == "__main__":
    main(sys.argv[1])
