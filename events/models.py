"""What providers told us, who is told by us, and what came of each try."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.fields import EncryptedJSONField
from core.fsm import StateField, StatefulModel, transition
from core.ids import public_id, uuid7
from core.models import EventSubject, WorkRow
from events.states import DELIVERY, ENDPOINT, INBOX, INBOX_WORK

__all__ = [
    "ConsumedEvent",
    "DailyRevenue",
    "DeliveryAttempt",
    "InboxWork",
    "StreamConsumer",
    "StreamPosition",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookInbox",
]

MODES = [("test", "Test"), ("live", "Live")]


class WebhookInbox(StatefulModel):
    """One verified delivery of a provider, as it came; a provider's event is stored once per channel.

    `payload` is set only where it is something else than the JSON object in `raw`.
    """

    machine = INBOX
    begins_in_history = False

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey("merchants.Merchant", on_delete=models.PROTECT, related_name="+")
    channel = models.ForeignKey(
        "channels.Channel",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # events_inbox_once begins with it.
    )
    provider = models.CharField(max_length=32)
    provider_event_id = models.CharField(max_length=255)
    type = models.CharField(max_length=128)
    account = models.CharField(max_length=128, blank=True)
    # What the provider says it is about, under the provider's own reference.
    about = models.CharField(max_length=128, blank=True, default="", db_default="")
    status = StateField(INBOX)
    raw = models.BinaryField()
    payload = models.BinaryField(null=True)
    headers = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = "webhook", "webhooks in"
        constraints = [
            models.UniqueConstraint(fields=["channel", "provider_event_id"], name="events_inbox_once")
        ]
        indexes = [
            models.Index(fields=["channel", "received_at"], name="events_inbox_by_channel"),
            models.Index(fields=["channel", "about"], name="events_inbox_about", condition=~Q(about="")),
            models.Index(fields=["id"], name="events_inbox_quarantined", condition=Q(status="QUARANTINED")),
        ]

    def __str__(self) -> str:
        return f"{self.provider_event_id} ({self.type})"

    @transition(INBOX, status, "QUARANTINED")
    def to_quarantined(self) -> None:
        """It is signed, but it comes from another environment than the channel's."""


class InboxWork(WorkRow, StatefulModel):
    """What one subscriber has to do about one inbox row."""

    machine = INBOX_WORK
    begins_in_history = False

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey("merchants.Merchant", on_delete=models.PROTECT, related_name="+")
    inbox = models.ForeignKey(
        WebhookInbox,
        on_delete=models.PROTECT,
        related_name="work",
        db_index=False,  # events_inboxwork_once begins with it.
    )
    subscriber = models.CharField(max_length=64)
    status = StateField(INBOX_WORK)
    parks = models.IntegerField(default=0)
    parked_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = "work of a webhook", "work of webhooks"
        constraints = [
            models.UniqueConstraint(fields=["inbox", "subscriber"], name="events_inboxwork_once"),
            models.CheckConstraint(
                condition=Q(status__in=["RECEIVED", "PARKED"], due_at__isnull=False)
                | Q(status__in=["DONE", "DEAD"], due_at__isnull=True),
                name="events_inboxwork_due_while_open",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="events_inboxwork_due", condition=Q(due_at__isnull=False)),
            models.Index(
                fields=["status", "inbox"],
                name="events_inboxwork_stopped",
                condition=Q(status__in=["PARKED", "DEAD"]),
            ),
        ]

    @transition(INBOX_WORK, status, "PARKED")
    def to_parked(self, *, due_at: datetime, parked_at: datetime, reason: str) -> None:
        """What it is about is not here yet."""
        self.due_at, self.parked_at, self.reason = due_at, parked_at, reason
        self.parks, self.leased_until = 1, None

    @transition(INBOX_WORK, status, "DONE")
    def to_done(self) -> None:
        """The subscriber's effects are in the same commit."""
        self.due_at = self.leased_until = None

    @transition(INBOX_WORK, status, "DEAD")
    def to_dead(self, *, reason: str) -> None:
        """It failed too often; a person decides."""
        self.due_at = self.leased_until = None
        self.attempts, self.reason = self.attempts + 1, reason

    @transition(INBOX_WORK, status, "RECEIVED")
    def to_received(self, *, due_at: datetime) -> None:
        """A person sent it back to work."""
        self.due_at, self.attempts, self.parks, self.parked_at = due_at, 0, 0, None


class WebhookEndpoint(EventSubject, StatefulModel):
    """Where a store wants to be told. `secrets` are the signing secrets, the newest first.

    `secrets` holds {"secret": "whsec_…", "expires_at": null or ISO 8601}; only an outgoing one expires.
    """

    machine = ENDPOINT

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey("merchants.Merchant", on_delete=models.PROTECT, related_name="+")
    mode = models.CharField(max_length=4, choices=MODES)
    url = models.CharField(max_length=500)
    event_types = ArrayField(models.CharField(max_length=64))
    secrets = EncryptedJSONField()
    status = StateField(ENDPOINT)
    last_success_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(mode__in=["test", "live"]), name="events_endpoint_mode"),
            models.CheckConstraint(condition=~Q(event_types=[]), name="events_endpoint_wants_something"),
        ]
        verbose_name, verbose_name_plural = "webhook endpoint", "webhook endpoints"
        indexes = [models.Index(fields=["merchant", "id"], name="events_endpoint_merchant")]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("whe", self.pk)

    @transition(ENDPOINT, status, "ENABLED")
    def to_enabled(self) -> None:
        """It is told again, its backlog first."""

    @transition(ENDPOINT, status, "PAUSED")
    def to_paused(self) -> None:
        """It is not told, but nothing is dropped."""

    @transition(ENDPOINT, status, "DISABLED")
    def to_disabled(self) -> None:
        """It is never told again."""


class WebhookDelivery(WorkRow, StatefulModel):
    """One event on its way to one endpoint; sent again, it is the same row with more tries.

    `attempts` counts the tries since the last redelivery, `earlier_attempts` those before it.
    """

    machine = DELIVERY
    begins_in_history = False

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey("merchants.Merchant", on_delete=models.PROTECT, related_name="+")
    # The unique key and the list's index begin with these two.
    event = models.ForeignKey("core.OutboxEvent", on_delete=models.PROTECT, related_name="+", db_index=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    status = StateField(DELIVERY)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    earlier_attempts = models.IntegerField(default=0, db_default=0)
    redelivered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name, verbose_name_plural = "webhook delivery", "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="events_delivery_once"),
            models.CheckConstraint(
                condition=Q(status="PENDING", due_at__isnull=False, finished_at__isnull=True)
                | (~Q(status="PENDING") & Q(due_at__isnull=True, finished_at__isnull=False)),
                name="events_delivery_due_while_pending",
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "due_at"], name="events_delivery_due", condition=Q(due_at__isnull=False)
            ),
            models.Index(fields=["endpoint", "-id"], name="events_delivery_list"),
            models.Index(fields=["endpoint", "created_at", "id"], name="events_delivery_range"),
            models.Index(
                fields=["endpoint", "status", "-id"],
                name="events_delivery_not_told",
                condition=~Q(status="DELIVERED"),
            ),
        ]

    @property
    def begun_at(self) -> datetime:
        """When the tries that count began."""
        return self.redelivered_at or self.created_at

    @property
    def tries_so_far(self) -> int:
        """How often it was tried in all."""
        return self.earlier_attempts + self.attempts

    @transition(DELIVERY, status, "DELIVERED")
    def to_delivered(self, *, finished_at: datetime) -> None:
        """The endpoint answered 2xx."""
        self._finish(finished_at, tries=1)

    @transition(DELIVERY, status, "FAILED")
    def to_failed(self, *, finished_at: datetime) -> None:
        """The last try failed, or the endpoint is gone."""
        self._finish(finished_at, tries=1)

    @transition(DELIVERY, status, "CANCELED")
    def to_canceled(self, *, finished_at: datetime) -> None:
        """The endpoint was switched off before this could be delivered."""
        self._finish(finished_at, tries=0)

    @transition(DELIVERY, status, "PENDING")
    def to_pending(self, *, due_at: datetime) -> None:
        """It is sent once more, with the whole schedule before it."""
        self.due_at = self.redelivered_at = due_at
        self.finished_at, self.leased_until = None, None
        self.earlier_attempts, self.attempts = self.earlier_attempts + self.attempts, 0

    def _finish(self, finished_at: datetime, *, tries: int) -> None:
        self.finished_at, self.due_at, self.leased_until = finished_at, None, None
        self.attempts += tries


class DeliveryAttempt(models.Model):
    """What came of one try; append-only. `body` is at most 1 KB of the answer, as text."""

    id = models.BigAutoField(primary_key=True)
    merchant = models.ForeignKey("merchants.Merchant", on_delete=models.PROTECT, related_name="+")
    delivery = models.ForeignKey(
        WebhookDelivery,
        on_delete=models.PROTECT,
        related_name="tries",
        db_index=False,  # events_attempt_of_delivery begins with it.
    )
    number = models.IntegerField()
    http_status = models.SmallIntegerField(null=True)
    duration_ms = models.IntegerField()
    body = models.TextField(blank=True)
    error = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["delivery", "id"], name="events_attempt_of_delivery")]


class StreamPosition(WorkRow):
    """How far the feed was copied into one event stream; who copies holds the lease.

    `published_seq` is the place of the last event that the broker has acknowledged. `starts_anew` asks the
    next publisher to empty the stream before it goes on.
    """

    name = models.CharField(primary_key=True, max_length=16)
    published_seq = models.BigIntegerField(default=0)
    starts_anew = models.BooleanField(default=False)
    error = models.CharField(max_length=300, blank=True)
    moved_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name, verbose_name_plural = "event stream", "event streams"
        constraints = [
            models.CheckConstraint(condition=Q(published_seq__gte=0), name="events_stream_position")
        ]

    def __str__(self) -> str:
        return self.name


class StreamConsumer(models.Model):
    """How far one consumer is complete: it has taken every event of the feed up to `settled_seq`."""

    name = models.CharField(primary_key=True, max_length=64)
    settled_seq = models.BigIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(settled_seq__gte=0), name="events_consumer_settled")
        ]

    def __str__(self) -> str:
        return self.name


class ConsumedEvent(models.Model):
    """An event that a consumer has taken above its `settled_seq`, in the commit of its effect."""

    id = models.BigAutoField(primary_key=True)
    consumer = models.ForeignKey(StreamConsumer, on_delete=models.PROTECT, related_name="+", db_index=False)
    event_id = models.UUIDField()
    published_seq = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["consumer", "event_id"], name="events_consumed_once")]
        indexes = [models.Index(fields=["consumer", "published_seq"], name="events_consumed_place")]


class DailyRevenue(models.Model):
    """What buyers paid to one merchant on one day (UTC) in one currency, counted from events alone."""

    id = models.BigAutoField(primary_key=True)
    merchant = models.ForeignKey(
        "merchants.Merchant", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    day = models.DateField()
    currency = models.CharField(max_length=3)
    paid_minor = models.BigIntegerField(default=0)
    payments = models.IntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    refunds = models.IntegerField(default=0)

    class Meta:
        verbose_name, verbose_name_plural = "daily revenue", "daily revenue"
        constraints = [
            models.UniqueConstraint(fields=["merchant", "day", "currency"], name="events_revenue_once"),
            models.CheckConstraint(
                condition=Q(paid_minor__gte=0, payments__gte=0, refunded_minor__gte=0, refunds__gte=0),
                name="events_revenue_counts_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.currency}"
