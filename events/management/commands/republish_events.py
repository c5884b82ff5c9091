"""manage.py republish_events: have the event stream filled again from a place of the feed on."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from core.transactions import at_edge
from events.streams.brokers import OFF
from events.streams.positions import republish


class Command(BaseCommand):
    """Only moves the position; the drain does the rest within a second."""

    help = (
        "Empty the event stream and fill it again with every event from a place (published_seq) on. "
        "Readers get events again that they know already, under the same ids."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """From where, and why."""
        parser.add_argument(
            "--from", dest="from_seq", type=int, required=True, help="the first published_seq"
        )
        parser.add_argument("--reason", required=True, help="kept in the audit trail")

    def handle(self, *args: Any, **options: Any) -> None:
        """Move the position and say where it is."""
        if settings.EVENT_STREAM == OFF:
            raise CommandError("EVENT_STREAM is off")
        try:
            place = at_edge(republish)(
                name=settings.EVENT_STREAM,
                from_seq=options["from_seq"],
                actor="system:republish_events",
                reason=options["reason"],
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"the stream starts anew behind {place}")
