"""The books. Nothing here is written through the ORM: the database functions are the only way in."""

from django.db import models
from django.db.models import F, Q

__all__ = [
    "Account",
    "AccountCheckpoint",
    "ClosedPeriod",
    "ClosedTotal",
    "DayTotal",
    "Fence",
    "FenceMark",
    "JournalEntry",
    "JournalLine",
    "OpenKey",
    "Seal",
]


class Account(models.Model):
    """One account per role, owner, provider and currency of a merchant."""

    id = models.BigAutoField(primary_key=True)
    merchant_id = models.UUIDField()
    role = models.CharField(max_length=32)
    owner = models.UUIDField(null=True)
    provider = models.CharField(max_length=64, null=True)
    currency = models.CharField(max_length=3)
    guarded = models.BooleanField()
    clearing = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "role", "owner", "provider", "currency"],
                nulls_distinct=False,
                name="ledger_account_once",
            ),
            # What the composite foreign key of a line refers to.
            models.UniqueConstraint(fields=["merchant_id", "id", "currency"], name="ledger_account_currency"),
        ]


class JournalEntry(models.Model):
    """The head of one balanced set of lines; unique per business event leg."""

    id = models.BigIntegerField(primary_key=True)
    merchant_id = models.UUIDField()
    kind = models.CharField(max_length=48)
    source = models.CharField(max_length=48)
    source_ref = models.CharField(max_length=120)
    leg = models.CharField(max_length=48)
    effective_date = models.DateField()
    recorded_at = models.DateTimeField()
    line_count = models.SmallIntegerField()
    corrects = models.BigIntegerField(null=True)
    digest = models.BinaryField(max_length=32)
    group_id = models.UUIDField(null=True)
    # How many entries the group has; all of them say the same.
    group_size = models.SmallIntegerField(null=True)
    # Where the day of the event was closed already: the date that the entry would have had.
    original_date = models.DateField(null=True)
    facts = models.JSONField(null=True)

    class Meta:
        verbose_name_plural = "journal entries"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "source", "source_ref", "leg"], name="ledger_entry_once_per_source"
            ),
            models.UniqueConstraint(fields=["merchant_id", "id"], name="ledger_entry_merchant"),
            models.CheckConstraint(
                condition=Q(line_count__gte=2, line_count__lte=1023), name="ledger_entry_lines"
            ),
            models.UniqueConstraint(
                fields=["corrects"], condition=Q(corrects__isnull=False), name="ledger_entry_corrected_once"
            ),
            models.CheckConstraint(
                condition=Q(group_id__isnull=True, group_size__isnull=True)
                | Q(group_id__isnull=False, group_size__isnull=False, group_size__gte=1),
                name="ledger_entry_group_sized",
            ),
            models.CheckConstraint(
                condition=Q(original_date__isnull=True) | Q(original_date__lt=F("effective_date")),
                name="ledger_entry_original_is_earlier",
            ),
        ]
        indexes = [
            models.Index(
                fields=["merchant_id", "group_id"],
                condition=Q(group_id__isnull=False),
                name="ledger_entry_group",
            ),
        ]


class JournalLine(models.Model):
    """One debit (positive) or credit (negative) in minor units."""

    id = models.BigIntegerField(primary_key=True)
    merchant_id = models.UUIDField()
    entry = models.ForeignKey(
        JournalEntry, on_delete=models.DO_NOTHING, related_name="lines", db_constraint=False, db_index=False
    )
    line_no = models.SmallIntegerField()
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, related_name="lines", db_constraint=False, db_index=False
    )
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    clearing_key = models.CharField(max_length=64, null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(id=F("entry_id") * 1024 + F("line_no"), line_no__gte=1, line_no__lte=1023),
                name="ledger_line_id_is_derived",
            ),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="ledger_line_not_zero"),
        ]
        indexes = [
            models.Index(fields=["account", "entry"], include=["amount_minor"], name="ledger_line_account"),
            models.Index(
                fields=["account", "clearing_key"],
                condition=Q(clearing_key__isnull=False),
                name="ledger_line_clearing",
            ),
        ]


class AccountCheckpoint(models.Model):
    """The balance of an account over every entry up to one that is safely below the fence."""

    account = models.OneToOneField(
        Account, on_delete=models.DO_NOTHING, primary_key=True, db_constraint=False
    )
    entry_id = models.BigIntegerField()
    balance_minor = models.BigIntegerField()


class Fence(models.Model):
    """One row: up to `safe_entry` nothing can appear any more.

    Checkpoints hold all up to `folded_entry`, day totals all up to `day_entry`, open keys all up to
    `key_entry`; `seen_at` is when the fence was last moved or found where it was.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    safe_entry = models.BigIntegerField(default=0)
    next_entry = models.BigIntegerField(null=True)
    folded_entry = models.BigIntegerField(default=0)
    day_entry = models.BigIntegerField(default=0)
    key_entry = models.BigIntegerField(default=0, db_default=0)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="ledger_fence_one_row")]


class FenceMark(models.Model):
    """When the fence came to a place; `entries` is how many there are since the mark before."""

    entry_id = models.BigIntegerField(primary_key=True)
    marked_at = models.DateTimeField(unique=True)
    entries = models.BigIntegerField()


class DayTotal(models.Model):
    """Debits and credits of an account by effective date, over all entries up to the fence's `day_entry`."""

    pk = models.CompositePrimaryKey("account_id", "effective_date")
    account_id = models.BigIntegerField()
    effective_date = models.DateField()
    merchant_id = models.UUIDField()
    debit_minor = models.BigIntegerField()
    credit_minor = models.BigIntegerField()
    lines = models.BigIntegerField()
    first_entry = models.BigIntegerField()
    last_entry = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["merchant_id", "effective_date"], name="ledger_daytotal_merchant")]


class OpenKey(models.Model):
    """A key of a clearing account that is not zero, over all entries up to the fence's `key_entry`."""

    pk = models.CompositePrimaryKey("account_id", "clearing_key")
    account_id = models.BigIntegerField()
    clearing_key = models.CharField(max_length=64)
    balance_minor = models.BigIntegerField()


class ClosedPeriod(models.Model):
    """Days of a merchant's books into which nothing is posted any more: asked for and decided by two."""

    id = models.UUIDField(primary_key=True)
    merchant_id = models.UUIDField()
    first_day = models.DateField()
    last_day = models.DateField()
    maker = models.CharField(max_length=80)
    checker = models.CharField(max_length=80)
    approval_id = models.UUIDField()
    closed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant_id", "last_day"], name="ledger_period_once"),
            models.CheckConstraint(condition=Q(first_day__lte=F("last_day")), name="ledger_period_days"),
            models.CheckConstraint(condition=~Q(maker=F("checker")), name="ledger_period_four_eyes"),
        ]


class ClosedTotal(models.Model):
    """The totals of a closed day as they were when it was closed; they never change."""

    pk = models.CompositePrimaryKey("account_id", "effective_date")
    account_id = models.BigIntegerField()
    effective_date = models.DateField()
    merchant_id = models.UUIDField()
    debit_minor = models.BigIntegerField()
    credit_minor = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["merchant_id", "effective_date"], name="ledger_closedtotal_merchant")]


class Seal(models.Model):
    """One block of the chain over all entries; covers every id after the block before, up to `last_entry`."""

    number = models.BigIntegerField(primary_key=True)
    first_entry = models.BigIntegerField()
    last_entry = models.BigIntegerField(unique=True)
    entry_count = models.BigIntegerField()
    line_count = models.BigIntegerField()
    root = models.BinaryField(max_length=32)
    previous = models.BinaryField(max_length=32, unique=True)
    hash = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(number__gte=1, entry_count__gte=1, last_entry__gte=F("first_entry")),
                name="ledger_seal_not_empty",
            )
        ]
        indexes = [models.Index(fields=["sealed_at"], name="ledger_seal_day")]
