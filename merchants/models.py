"""Who: stores, their keys, the sellers on their marketplaces and the buyers."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.fields import EncryptedJSONField
from core.fsm import StateField, StatefulModel, transition
from core.ids import public_id, uuid7
from core.models import EventSubject
from merchants.signing import RSA_SHA256
from merchants.states import SELLER_KYC

__all__ = ["ApiKey", "Buyer", "Merchant", "Seller", "SellerTerms", "SigningKey", "SigningNonce"]

MODES = [("test", "Test"), ("live", "Live")]


def manual_schedule() -> dict[str, object]:
    """The payout schedule of a seller that asks for each payout."""
    return {"interval": "manual"}


class Merchant(models.Model):
    """One store in one mode. Its test and its live side are two merchants that share nothing."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=200)
    mode = models.CharField(max_length=4, choices=MODES)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(mode__in=["test", "live"]), name="merchants_merchant_mode"),
            models.UniqueConstraint(fields=["id", "mode"], name="merchants_merchant_id_mode"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.mode})"


class ApiKey(models.Model):
    """A store's key. Only a hash of its secret is kept; the prefix is what people see and logs may hold."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="keys")
    mode = models.CharField(max_length=4, choices=MODES)
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=10)
    secret_hash = models.BinaryField(max_length=32)
    scopes = ArrayField(models.CharField(max_length=32))
    must_sign = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"
        constraints = [models.UniqueConstraint(fields=["prefix"], name="merchants_apikey_prefix")]

    def __str__(self) -> str:
        return f"sk_{self.mode}_{self.prefix}… ({self.name})"

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("key", self.id)


class SigningKey(models.Model):
    """One public key that proves a store's signatures; an API key has several while they are replaced.

    The algorithm belongs to the record: nothing in a request chooses it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+")
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="signing_keys")
    algorithm = models.CharField(max_length=16, default=RSA_SHA256)
    public_key = models.TextField()
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(algorithm=RSA_SHA256), name="merchants_signingkey_algorithm"),
            models.CheckConstraint(condition=~Q(public_key=""), name="merchants_signingkey_public_key"),
        ]

    def __str__(self) -> str:
        return self.serial

    @property
    def serial(self) -> str:
        """What a request names the key by."""
        return public_id("ser", self.id)


class SigningNonce(models.Model):
    """A nonce that was used with a signing key: the unique index lets exactly one request have it.

    After `usable_until` the time in the request refuses it, and the row may go.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Without a constraint: signing keys are never deleted, and each check would lock the one row of a key.
    signing_key = models.ForeignKey(
        SigningKey, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    nonce = models.CharField(max_length=64)
    usable_until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["signing_key", "nonce"], name="merchants_nonce_once"),
        ]
        indexes = [models.Index(fields=["usable_until"], name="merchants_nonce_until")]


class Seller(EventSubject, StatefulModel):
    """One seller on a merchant's marketplace, under the store's own `seller_account`."""

    machine = SELLER_KYC
    state_column = "kyc_status"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="sellers")
    seller_account = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2)
    kyc_status = StateField(SELLER_KYC)
    payout_schedule = models.JSONField(default=manual_schedule)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "seller_account"], name="merchants_seller_account"),
        ]
        indexes = [models.Index(fields=["merchant", "-id"], name="merchants_seller_list")]

    def __str__(self) -> str:
        return self.seller_account

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("sel", self.id)

    @transition(SELLER_KYC, kyc_status, "PENDING")
    def to_pending(self) -> None:
        """Documents were handed in."""

    @transition(SELLER_KYC, kyc_status, "VERIFIED")
    def to_verified(self) -> None:
        """The seller is who it says it is."""

    @transition(SELLER_KYC, kyc_status, "REJECTED")
    def to_rejected(self) -> None:
        """The documents do not prove it."""

    @transition(SELLER_KYC, kyc_status, "SUSPENDED")
    def to_suspended(self) -> None:
        """Nothing leaves for this seller until it is reinstated."""


class SellerTerms(models.Model):
    """One version of what a seller pays and waits for; append-only. The newest in effect at a moment applies.

    The fixed part is in the currency of `commission_fixed_currency` and applies to orders in it only. Of what
    is released to the seller, `reserve_bps` basis points are kept back for `reserve_days` days.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+")
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="terms")
    version = models.IntegerField()
    commission_bps = models.IntegerField()
    commission_fixed_minor = models.BigIntegerField(default=0)
    commission_fixed_currency = models.CharField(max_length=3, blank=True)
    tax_bps = models.IntegerField(default=0)
    settlement_delay_days = models.SmallIntegerField(default=7)
    reserve_bps = models.IntegerField(default=0)
    reserve_days = models.SmallIntegerField(default=0)
    effective_at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "seller", "version"], name="merchants_terms_version"),
            models.CheckConstraint(
                condition=Q(commission_bps__gte=0, commission_bps__lte=10000)
                & Q(tax_bps__gte=0, tax_bps__lte=10000),
                name="merchants_terms_bps",
            ),
            models.CheckConstraint(
                condition=Q(commission_fixed_minor=0, commission_fixed_currency="")
                | (Q(commission_fixed_minor__gt=0) & ~Q(commission_fixed_currency="")),
                name="merchants_terms_fixed_with_currency",
            ),
            models.CheckConstraint(
                condition=Q(settlement_delay_days__gte=0, settlement_delay_days__lte=365),
                name="merchants_terms_delay",
            ),
            models.CheckConstraint(
                condition=Q(reserve_bps=0, reserve_days=0)
                | Q(reserve_bps__gte=1, reserve_bps__lte=10000, reserve_days__gte=1, reserve_days__lte=730),
                name="merchants_terms_reserve",
            ),
        ]
        indexes = [
            models.Index(fields=["seller", "-effective_at", "-version"], name="merchants_terms_in_effect")
        ]


class Buyer(models.Model):
    """One buyer of a merchant, under the store's own `buyer_account`. What is personal is encrypted."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="buyers")
    buyer_account = models.CharField(max_length=64)
    personal = EncryptedJSONField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "buyer_account"], name="merchants_buyer_account")
        ]

    def __str__(self) -> str:
        return self.buyer_account
