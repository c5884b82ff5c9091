import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

import core.ids
from core.sqlfiles import append_only

# Money that was captured before there were releases waits for its seller's delay, as everything does by default.
PLAN = """
UPDATE payments_ordershare AS share SET captured_at = paid.at, matures_at = plan.at,
    due_at = CASE WHEN share.seller_net_minor > share.released_minor + share.pending_used_minor THEN plan.at END
FROM payments_paymentorder AS o
CROSS JOIN LATERAL (SELECT coalesce((SELECT min(occurred_at) FROM core_statuschange
    WHERE subject_id = o.id AND to_state = 'SUCCESS'), o.updated_at) AS at) AS paid
CROSS JOIN LATERAL (SELECT settlement_delay_days AS days FROM merchants_sellerterms
    WHERE seller_id = o.seller_id AND effective_at <= now() ORDER BY effective_at DESC, version DESC LIMIT 1) AS terms
CROSS JOIN LATERAL (SELECT greatest(paid.at,
    (date_trunc('day', paid.at AT TIME ZONE 'UTC') + terms.days * interval '1 day') AT TIME ZONE 'UTC') AS at) AS plan
WHERE o.id = share.order_id;
"""
_TIME = ("captured_at", "matures_at")


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0011_disputes"),
        ("merchants", "0008_terms_of_release"),
        ("core", "0002_guards"),
    ]

    operations = [
        migrations.AddField("ordershare", "due_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("ordershare", "leased_until", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("ordershare", "fence", models.BigIntegerField(default=0)),
        migrations.AddField("ordershare", "attempts", models.IntegerField(default=0)),
        migrations.AddField(
            "ordershare",
            "release_on",
            models.CharField(max_length=12, default="delay"),
            preserve_default=False,
        ),
        migrations.AddField(
            "ordershare",
            "proof_needed",
            models.CharField(max_length=8, default="captured"),
            preserve_default=False,
        ),
        *(migrations.AddField("ordershare", name, models.DateTimeField(null=True)) for name in _TIME),
        migrations.AddField("ordershare", "reported_at", models.DateTimeField(null=True)),
        migrations.AddField("ordershare", "banked_at", models.DateTimeField(null=True)),
        migrations.AddField("ordershare", "fulfilled_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "ordershare",
            "fulfilled_by",
            models.CharField(blank=True, default="", max_length=80),
            preserve_default=False,
        ),
        migrations.AddField("ordershare", "fulfillment_recorded_at", models.DateTimeField(null=True)),
        migrations.RunSQL(sql=[PLAN], reverse_sql=migrations.RunSQL.noop),
        *(migrations.AlterField("ordershare", name, models.DateTimeField()) for name in _TIME),
        migrations.AddIndex(
            "ordershare",
            models.Index(condition=Q(due_at__isnull=False), fields=["due_at"], name="payments_share_due"),
        ),
        migrations.AddConstraint(
            "ordershare",
            models.CheckConstraint(
                condition=Q(reserved_minor__gte=0, reserved_minor__lte=F("released_minor")),
                name="payments_share_reserve_within_released",
            ),
        ),
        migrations.AddConstraint(
            "ordershare",
            models.CheckConstraint(
                condition=Q(
                    release_on__in=["delay", "fulfillment", "first"],
                    proof_needed__in=["captured", "reported", "banked"],
                ),
                name="payments_share_known_policy",
            ),
        ),
        migrations.AddConstraint(
            "ordershare",
            models.CheckConstraint(
                condition=Q(fulfilled_at=None, fulfillment_recorded_at=None)
                | Q(fulfilled_at__isnull=False, fulfillment_recorded_at__isnull=False),
                name="payments_share_fulfillment_whole",
            ),
        ),
        migrations.CreateModel(
            name="OrderRelease",
            fields=[
                ("event_sequence", models.BigIntegerField(default=0)),
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("merchant_id", models.UUIDField()),
                ("reference", models.CharField(max_length=64)),
                ("amount_minor", models.BigIntegerField()),
                ("reserve_minor", models.BigIntegerField(default=0)),
                ("reserve_bps", models.IntegerField(default=0)),
                ("reserve_until", models.DateTimeField(null=True)),
                ("basis", models.CharField(max_length=12)),
                ("proof", models.CharField(max_length=8)),
                ("effective_date", models.DateField()),
                ("released_at", models.DateTimeField()),
                (
                    "order",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="release",
                        to="payments.paymentorder",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["merchant_id", "reference"], name="payments_release_reference_once"
                    ),
                    models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_release_positive"),
                    models.CheckConstraint(
                        condition=Q(reserve_minor=0, reserve_until=None)
                        | Q(
                            reserve_minor__gt=0,
                            reserve_minor__lte=F("amount_minor"),
                            reserve_until__gt=F("released_at"),
                        ),
                        name="payments_release_reserve_within",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            basis__in=["delay", "fulfillment"], proof__in=["captured", "reported", "banked"]
                        ),
                        name="payments_release_known_reason",
                    ),
                ],
            },
        ),
        append_only("payments_orderrelease"),
    ]
