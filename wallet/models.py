"""Spendable balances. The columns move only inside wallet_post, together with the lines of the books."""

from django.db import models
from django.db.models import Q

from core.ids import uuid7

__all__ = ["Wallet", "WalletAccount", "WalletOperation"]


class Wallet(models.Model):
    """What one seller or buyer has, in one currency and kind, by bucket."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    owner_type = models.CharField(max_length=8)
    owner_id = models.UUIDField()
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=8, default="cash")
    pending_minor = models.BigIntegerField(default=0)
    available_minor = models.BigIntegerField(default=0)
    held_minor = models.BigIntegerField(default=0)
    receivable_minor = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "owner_type", "owner_id", "currency", "kind"],
                name="wallet_once_per_owner",
            ),
            models.UniqueConstraint(fields=["merchant_id", "id"], name="wallet_merchant"),
            models.CheckConstraint(
                condition=Q(owner_type__in=["seller", "buyer"], kind__in=["cash", "bonus", "points"]),
                name="wallet_known_kind",
            ),
            models.CheckConstraint(condition=Q(pending_minor__gte=0), name="wallet_pending_not_negative"),
            models.CheckConstraint(condition=Q(available_minor__gte=0), name="wallet_available_not_negative"),
            models.CheckConstraint(condition=Q(held_minor__gte=0), name="wallet_held_not_negative"),
            models.CheckConstraint(
                condition=Q(receivable_minor__gte=0), name="wallet_receivable_not_negative"
            ),
        ]


class WalletAccount(models.Model):
    """Which account of the books is behind which bucket of a wallet."""

    account = models.OneToOneField(
        "ledger.Account", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    merchant_id = models.UUIDField()
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="accounts")
    role = models.CharField(max_length=32)
    bucket = models.CharField(max_length=12)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wallet", "role"], name="wallet_account_once_per_role"),
            models.CheckConstraint(
                condition=Q(bucket__in=["pending", "available", "held", "receivable"]),
                name="wallet_account_known_bucket",
            ),
        ]


class WalletOperation(models.Model):
    """One movement of one bucket, with the balance after it and the line of the books; append-only."""

    id = models.BigAutoField(primary_key=True)
    merchant_id = models.UUIDField()
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="operations", db_index=False)
    bucket = models.CharField(max_length=12)
    role = models.CharField(max_length=32)
    delta_minor = models.BigIntegerField()
    balance_after_minor = models.BigIntegerField()
    line_id = models.BigIntegerField(unique=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(balance_after_minor__gte=0) & ~Q(delta_minor=0), name="wallet_operation_sane"
            )
        ]
        indexes = [models.Index(fields=["wallet", "-id"], name="wallet_operation_list")]
