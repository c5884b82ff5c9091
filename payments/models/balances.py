"""What of an order is paid from the buyer's wallets."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from core.ids import uuid7
from payments.models.checkouts import PaymentOrder

__all__ = ["BalancePart"]


class BalancePart(models.Model):
    """How much of an order one of the buyer's wallets pays, and what that much of the order became.

    `amount_minor` in the order's currency, `units_minor` in that of the wallet (they differ for points). Held
    first; then it is paid or released, never both. Of each kind an order is paid by one part at most, so a
    refund knows what goes back where.
    """

    objects: ClassVar[models.Manager["BalancePart"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    order = models.ForeignKey(
        PaymentOrder,
        on_delete=models.PROTECT,
        related_name="balance_parts",
        db_index=False,  # payments_balance_part_of_order begins with it.
    )
    wallet = models.ForeignKey("wallet.Wallet", on_delete=models.PROTECT, related_name="+", db_index=False)
    hold = models.OneToOneField("wallet.Hold", on_delete=models.PROTECT, related_name="+")
    # In which order the wallets pay; the keys of one moment are in none.
    position = models.SmallIntegerField()
    kind = models.CharField(max_length=8)
    amount_minor = models.BigIntegerField()
    units_minor = models.BigIntegerField()
    seller_net_minor = models.BigIntegerField()
    commission_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    paid = models.BooleanField(default=False)
    released = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "order", "kind"],
                condition=Q(released=False),
                name="payments_balance_part_once",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, units_minor__gt=0), name="payments_balance_part_of_something"
            ),
            models.CheckConstraint(
                condition=Q(
                    seller_net_minor__gte=0,
                    commission_minor__gte=0,
                    tax_minor__gte=0,
                    amount_minor=F("seller_net_minor") + F("commission_minor") + F("tax_minor"),
                ),
                name="payments_balance_part_split_whole",
            ),
            models.CheckConstraint(
                condition=Q(kind="points") | Q(kind__in=["cash", "bonus"], units_minor=F("amount_minor")),
                name="payments_balance_part_kind",
            ),
            models.CheckConstraint(
                condition=Q(paid=False) | Q(released=False), name="payments_balance_part_ends_once"
            ),
        ]
        indexes = [models.Index(fields=["order", "kind"], name="payments_balance_part_of_order")]
