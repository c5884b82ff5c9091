"""The line to each provider, and the evidence of what went over it."""

from django.db import models
from django.db.models import Q

from core.fields import EncryptedJSONField
from core.ids import uuid7

__all__ = ["Channel", "PspCall"]

MODES = [("test", "Test"), ("live", "Live")]


class Channel(models.Model):
    """A merchant's account at one provider. `name` is in the URL that the provider's webhooks come to."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey("merchants.Merchant", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=64)
    provider = models.CharField(max_length=32)
    mode = models.CharField(max_length=4, choices=MODES)
    credentials = EncryptedJSONField()
    credentials_version = models.IntegerField(default=1)
    base_url = models.CharField(max_length=200, blank=True)
    capabilities = models.JSONField(default=dict)
    max_in_flight = models.SmallIntegerField(default=4)
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Not per merchant: the name alone stands in a URL.
            models.UniqueConstraint(fields=["name"], name="channels_channel_name"),
            models.CheckConstraint(
                condition=Q(name__regex=r"^[a-z0-9][a-z0-9_-]{0,63}$"), name="channels_channel_name_is_slug"
            ),
            models.CheckConstraint(condition=Q(mode__in=["test", "live"]), name="channels_channel_mode"),
            models.CheckConstraint(
                condition=Q(base_url="") | Q(mode="test"), name="channels_channel_live_has_no_base_url"
            ),
            models.CheckConstraint(
                condition=Q(max_in_flight__gte=1, max_in_flight__lte=256), name="channels_channel_in_flight"
            ),
        ]
        indexes = [models.Index(fields=["merchant", "id"], name="channels_channel_merchant")]

    def __str__(self) -> str:
        return self.name


class PspCall(models.Model):
    """One exchange with a provider, as evidence; append-only.

    `bytes_sent`: no = provably nothing left, yes = the whole request was written, null = not known.
    `body` is what came back, redacted, at most 16 KB; raw bytes, because it need not be text.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey("merchants.Merchant", on_delete=models.PROTECT, related_name="+")
    channel = models.ForeignKey(
        Channel,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # channels_pspcall_channel begins with it.
    )
    operation_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=32)
    request_digest = models.BinaryField(max_length=32)
    bytes_sent = models.BooleanField(null=True)
    http_status = models.SmallIntegerField(null=True)
    body = models.BinaryField(max_length=16384)
    error = models.CharField(max_length=500, blank=True)
    duration_ms = models.IntegerField()
    request_id = models.CharField(max_length=64, blank=True)
    psp_request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["operation_id", "id"], name="channels_pspcall_operation"),
            models.Index(fields=["channel", "at"], name="channels_pspcall_channel"),
        ]
