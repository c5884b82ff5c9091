"""Where settlement files and bank statements come from."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from core.ids import uuid7

__all__ = ["SettlementSource"]


class SettlementSource(models.Model):
    """One stream of files about one account at one provider or bank: what they are, and when they are due.

    A source belongs to one merchant. `channel` is the line that it is fetched over and whose payments it is
    about; an uploaded bank account needs none. `account` is the account as the files name it (an IBAN, a
    merchant account): a file about another one is refused; empty accepts what the file says.

    A file about business day D is expected by `expected_by` (time of day in `time_zone`) on the
    `expected_after`-th day of `calendar` after D. `begins_on` is the first day that is expected at all.
    """

    objects: ClassVar[models.Manager["SettlementSource"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=8)  # psp | bank
    provider = models.CharField(max_length=32)
    # Whose accounts in the books: pay-in keeps psp_clearing:{channel}, one for each line to a provider.
    books = models.CharField(max_length=64, blank=True)
    channel = models.ForeignKey(
        "channels.Channel", on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    account = models.CharField(max_length=64, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    format = models.CharField(max_length=32)
    encoding = models.CharField(max_length=16)
    time_zone = models.CharField(max_length=64)
    fetcher = models.CharField(max_length=16)  # stripe | bank | folder | upload
    calendar = models.CharField(max_length=16)
    expected_after = models.SmallIntegerField(default=1)
    expected_by = models.TimeField()
    begins_on = models.DateField()
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant_id", "name"], name="reconciliation_source_name"),
            models.UniqueConstraint(fields=["merchant_id", "id"], name="reconciliation_source_owner"),
            models.CheckConstraint(condition=Q(kind__in=["psp", "bank"]), name="reconciliation_source_kind"),
            models.CheckConstraint(
                condition=Q(name__regex=r"^[a-z0-9][a-z0-9_-]{0,63}$"),
                name="reconciliation_source_name_is_slug",
            ),
            models.CheckConstraint(
                condition=Q(expected_after__gte=0, expected_after__lte=60),
                name="reconciliation_source_expected_after",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def in_books(self) -> str:
        """What the accounts that its files move are called after: the channel, a bank's account itself, or,
        where no payments come over a channel, the provider."""
        return self.name if self.kind == "bank" else self.books or self.provider
