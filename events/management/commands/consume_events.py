"""manage.py consume_events NAME: read the event stream for one consumer until SIGTERM or Ctrl-C."""

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from core.transactions import at_edge
from events.consumers.loop import Work, settle
from events.consumers.taking import begin_again, consumers, get_consumer
from events.streams.brokers import OFF, open_reader


class Command(BaseCommand):
    """Any number of these may run for one consumer: they share its entries."""

    help = "Read the event stream for one consumer until told to stop."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which consumer, and whether it begins again."""
        parser.add_argument("consumer", choices=consumers())
        parser.add_argument(
            "--rebuild", action="store_true", help="forget everything and take all events again from the feed"
        )
        parser.add_argument(
            "--settle",
            action="store_true",
            help="take what is missing from the feed, without the stream, and end",
        )
        parser.add_argument("--reason", default="", help="why it is rebuilt; kept in the audit trail")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild or settle and end, or work until the signal."""
        consumer = get_consumer(options["consumer"])
        if options["rebuild"]:
            try:
                at_edge(begin_again)(
                    consumer=consumer, actor="system:consume_events", reason=options["reason"]
                )
            except DomainError as error:
                raise CommandError(f"--reason: {error.message}") from error
        if options["rebuild"] or options["settle"]:
            self.stdout.write(f"{settle(consumer=consumer)} events taken from the feed")
            return
        if settings.EVENT_STREAM == OFF:
            raise CommandError("EVENT_STREAM is off; --settle reads the feed instead")
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        taken = Work(consumer, open_reader(consumer=consumer.name), stop).run()
        self.stdout.write(f"{taken} events taken")
