"""Spendable balances. The columns move only inside wallet_post, together with the lines of the books."""

from datetime import date
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from core.fsm import Machine, StateField, StatefulModel, transition
from core.ids import uuid7
from wallet.states import HOLD

__all__ = ["Grant", "GrantReturn", "GrantUse", "Hold", "Wallet", "WalletAccount", "WalletOperation"]


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
        indexes = [
            # Which currencies buyers have wallets in is asked for with every list of ways to pay.
            models.Index(
                fields=["merchant_id", "currency"],
                name="wallet_buyer_currencies",
                condition=Q(owner_type="buyer"),
            ),
            models.Index(
                fields=["-receivable_minor", "id"], name="wallet_in_debt", condition=Q(receivable_minor__gt=0)
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


class Hold(StatefulModel):
    """Money set aside for one purpose and subject, until it is settled, released or expired; once.

    `role` names the account of the wallet that holds it. Amounts in minor units.
    """

    machine: ClassVar[Machine] = HOLD
    state_column: ClassVar[str] = "state"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="holds")
    purpose = models.CharField(max_length=8)
    subject = models.CharField(max_length=120)
    role = models.CharField(max_length=32)
    amount_minor = models.BigIntegerField()
    settled_minor = models.BigIntegerField(default=0)
    released_minor = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)
    resolved_on = models.DateField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    state = StateField(HOLD)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "purpose", "subject"], name="hold_once_per_subject"
            ),
            models.CheckConstraint(
                condition=Q(purpose="payout", role="seller_payout_hold")
                | Q(purpose="dispute", role="seller_dispute_hold")
                | Q(purpose="reserve", role="seller_reserve")
                | Q(purpose="payment", role__in=["wallet_held", "bonus_held", "points_held"]),
                name="hold_role_of_its_purpose",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0, settled_minor__gte=0, released_minor__gte=0),
                name="hold_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", settled_minor=0, released_minor=0)
                | Q(
                    state="SETTLED",
                    settled_minor__gt=0,
                    amount_minor=F("settled_minor") + F("released_minor"),
                )
                | Q(state__in=["RELEASED", "EXPIRED"], settled_minor=0, amount_minor=F("released_minor")),
                name="hold_resolved_whole",
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", resolved_on=None) | ~Q(state="OPEN") & Q(resolved_on__isnull=False),
                name="hold_resolved_has_its_day",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at", "id"], condition=Q(state="OPEN"), name="hold_due"),
            models.Index(fields=["wallet", "role"], condition=Q(state="OPEN"), name="hold_open_by_wallet"),
        ]

    @transition(HOLD, state, "SETTLED")
    def to_settled(self, *, settled_minor: int, resolved_on: date) -> None:
        """Part or all of the money went where it was held for; the rest is released."""
        self.settled_minor = settled_minor
        self.released_minor = self.amount_minor - settled_minor
        self.resolved_on = resolved_on

    @transition(HOLD, state, "RELEASED")
    def to_released(self, *, resolved_on: date) -> None:
        """All of it went back."""
        self.released_minor = self.amount_minor
        self.resolved_on = resolved_on

    @transition(HOLD, state, "EXPIRED")
    def to_expired(self, *, resolved_on: date) -> None:
        """Nobody resolved it in time; all of it went back."""
        self.released_minor = self.amount_minor
        self.resolved_on = resolved_on


class Grant(models.Model):
    """Bonus or points that the marketplace gave a buyer, and what they are worth in money.

    `amount_minor` in units of the wallet, `value_minor` in minor units of `currency`. Points are used up
    grant by grant, because each grant has a position in the books that its last point closes.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    wallet = models.ForeignKey(
        Wallet,
        on_delete=models.PROTECT,
        related_name="grants",
        db_index=False,  # wallet_grant_list begins with it.
    )
    kind = models.CharField(max_length=8)
    amount_minor = models.BigIntegerField()
    value_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    used_minor = models.BigIntegerField(default=0)
    used_value_minor = models.BigIntegerField(default=0)
    reason = models.CharField(max_length=500)
    granted_by = models.CharField(max_length=120)
    # Whoever agreed, where two people were needed.
    checked_by = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="bonus", used_minor=0, used_value_minor=0) | Q(kind="points"),
                name="wallet_grant_kind",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, value_minor__gt=0), name="wallet_grant_of_something"
            ),
            models.CheckConstraint(
                condition=Q(
                    used_minor__gte=0,
                    used_minor__lte=F("amount_minor"),
                    used_value_minor__gte=0,
                    used_value_minor__lte=F("value_minor"),
                ),
                name="wallet_grant_used_within",
            ),
            models.CheckConstraint(
                condition=~Q(used_minor=F("amount_minor")) | Q(used_value_minor=F("value_minor")),
                name="wallet_grant_closes_whole",
            ),
            models.CheckConstraint(
                condition=~Q(checked_by=F("granted_by")), name="wallet_grant_checked_by_another"
            ),
        ]
        indexes = [
            models.Index(
                fields=["wallet", "currency", "id"],
                name="wallet_grant_left",
                condition=Q(kind="points", used_minor__lt=F("amount_minor")),
            ),
            models.Index(fields=["wallet", "-id"], name="wallet_grant_list"),
        ]


class GrantUse(models.Model):
    """Which points of a grant a hold takes, and what they are worth in the grant's currency."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    hold = models.ForeignKey(
        Hold,
        on_delete=models.PROTECT,
        related_name="uses",
        db_index=False,  # wallet_grant_use_once begins with it.
    )
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="uses")
    units_minor = models.BigIntegerField()
    value_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hold", "grant"], name="wallet_grant_use_once"),
            models.CheckConstraint(
                condition=Q(units_minor__gt=0, value_minor__gte=0), name="wallet_grant_use_of_something"
            ),
        ]


class GrantReturn(models.Model):
    """Which of the points that a hold took a refund gave back to their grant, and what they are worth.

    Append-only; `reference` is what gave them back, which does it once.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    use = models.ForeignKey(
        GrantUse,
        on_delete=models.PROTECT,
        related_name="returns",
        db_index=False,  # wallet_grant_return_once begins with it.
    )
    reference = models.CharField(max_length=64)
    units_minor = models.BigIntegerField()
    value_minor = models.BigIntegerField()
    returned_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["use", "reference"], name="wallet_grant_return_once"),
            models.CheckConstraint(
                condition=Q(units_minor__gt=0, value_minor__gt=0), name="wallet_grant_return_of_something"
            ),
        ]
