"""Accounts that sellers are paid out to."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.fields import EncryptedJSONField, EncryptedTextField
from core.fsm import StateField, StatefulModel, transition
from core.ids import public_id, uuid7
from core.models import EventSubject
from payouts.states import DESTINATION

__all__ = ["Destination", "DestinationKey"]


class DestinationKey(models.Model):
    """The secret that the fingerprints of a merchant's destinations are made with: stored once, encrypted.

    It never changes, so that fingerprints stay comparable; it is the key that it lies under that rotates.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField(unique=True)
    secret = EncryptedTextField()
    created_at = models.DateTimeField()


class Destination(StatefulModel, EventSubject):
    """One account of one seller. It is never changed: another account is another destination.

    `details` holds the holder's name and the account itself, encrypted; `last4` and `bank` are what people
    recognise it by. `fingerprint` is a keyed digest of everything that decides where money goes: equal ones
    mean the same account, and nobody can read the account from it. `name_match` says how the holder's name
    compared with the seller's when it was added: evidence for who verifies it. Nothing is sent before
    `usable_from`.
    """

    machine = DESTINATION
    objects: ClassVar[models.Manager["Destination"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    seller = models.ForeignKey("merchants.Seller", on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=16)
    country = models.CharField(max_length=2)
    currency = models.CharField(max_length=3)
    details = EncryptedJSONField()
    last4 = models.CharField(max_length=4)
    bank = models.CharField(max_length=64, blank=True)
    fingerprint = models.BinaryField(max_length=32)
    name_match = models.CharField(max_length=8, default="none")
    is_default = models.BooleanField(default=False)
    status = StateField(DESTINATION)
    # Who brought it, and who found it to be the seller's: two, where a person brought it.
    added_by = models.CharField(max_length=80)
    verified_by = models.CharField(max_length=80, blank=True)
    usable_from = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["iban", "us_account", "stripe_account"]),
                name="payouts_destination_kind",
            ),
            models.CheckConstraint(
                condition=~Q(status="VERIFIED")
                | Q(verified_by__startswith="user:", verified_at__isnull=False)
                & ~Q(verified_by=models.F("added_by")),
                name="payouts_destination_second_person",
            ),
            models.UniqueConstraint(
                fields=["merchant_id", "seller", "currency"],
                condition=Q(is_default=True) & ~Q(status__in=["REMOVED", "REJECTED"]),
                name="payouts_destination_one_default",
            ),
            models.UniqueConstraint(
                fields=["merchant_id", "seller", "currency", "fingerprint"],
                condition=~Q(status__in=["REMOVED", "REJECTED"]),
                name="payouts_destination_account_once",
            ),
            models.CheckConstraint(
                condition=Q(name_match__in=["exact", "close", "no", "none"]),
                name="payouts_destination_known_match",
            ),
            # What a payout's destination is checked against: its owner, and what it takes.
            models.UniqueConstraint(
                fields=["merchant_id", "seller", "currency", "id"], name="payouts_destination_owner"
            ),
        ]
        indexes = [
            models.Index(fields=["merchant_id", "seller", "-id"], name="payouts_destination_list"),
            models.Index(fields=["merchant_id", "fingerprint"], name="payouts_destination_twins"),
            # Accounts are added once and looked through often.
            models.Index(fields=["merchant_id", "status", "-id"], name="payouts_destination_by_status"),
            models.Index(fields=["currency", "-id"], name="payouts_destination_currency"),
        ]

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("dst", self.id)

    @transition(DESTINATION, status, "VERIFIED")
    def to_verified(self, *, verified_by: str, verified_at: datetime) -> None:
        """Somebody else than who brought it found it to be the seller's own account."""
        self.verified_by, self.verified_at = verified_by, verified_at

    @transition(DESTINATION, status, "REJECTED")
    def to_rejected(self) -> None:
        """It is not the seller's, or does not exist: nothing is sent there."""
        self.is_default = False

    @transition(DESTINATION, status, "REMOVED")
    def to_removed(self, *, removed_at: datetime) -> None:
        """The seller does not want it any more; what was paid there keeps it."""
        self.is_default, self.removed_at = False, removed_at
