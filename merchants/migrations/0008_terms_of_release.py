from django.db import migrations, models
from django.db.models import Q

# Terms are append-only, so what a seller has now becomes a version of its own.
COPY = """
INSERT INTO merchants_sellerterms (id, merchant_id, seller_id, version, commission_bps, commission_fixed_minor,
    commission_fixed_currency, tax_bps, settlement_delay_days, reserve_bps, reserve_days, effective_at, actor,
    recorded_at)
SELECT gen_random_uuid(), seller.merchant_id, seller.id, newest.version + 1, held.commission_bps,
    held.commission_fixed_minor, held.commission_fixed_currency, held.tax_bps, seller.settlement_delay_days,
    CASE WHEN seller.reserve_days > 0 THEN seller.reserve_bps ELSE 0 END,
    CASE WHEN seller.reserve_bps > 0 THEN seller.reserve_days ELSE 0 END, now(), 'system', now()
FROM merchants_seller AS seller
CROSS JOIN LATERAL (SELECT max(version) AS version FROM merchants_sellerterms WHERE seller_id = seller.id) AS newest
CROSS JOIN LATERAL (SELECT * FROM merchants_sellerterms WHERE seller_id = seller.id AND effective_at <= now()
    ORDER BY effective_at DESC, version DESC LIMIT 1) AS held
WHERE (seller.settlement_delay_days, seller.reserve_bps, seller.reserve_days) <> (7, 0, 0);
"""


class Migration(migrations.Migration):
    dependencies = [("merchants", "0007_roles")]

    operations = [
        migrations.AddField("sellerterms", "settlement_delay_days", models.SmallIntegerField(default=7)),
        migrations.AddField("sellerterms", "reserve_bps", models.IntegerField(default=0)),
        migrations.AddField("sellerterms", "reserve_days", models.SmallIntegerField(default=0)),
        migrations.AddConstraint(
            "sellerterms",
            models.CheckConstraint(
                condition=Q(settlement_delay_days__gte=0, settlement_delay_days__lte=365),
                name="merchants_terms_delay",
            ),
        ),
        migrations.AddConstraint(
            "sellerterms",
            models.CheckConstraint(
                condition=Q(reserve_bps=0, reserve_days=0)
                | Q(reserve_bps__gte=1, reserve_bps__lte=10000, reserve_days__gte=1, reserve_days__lte=730),
                name="merchants_terms_reserve",
            ),
        ),
        migrations.RunSQL(sql=[COPY], reverse_sql=migrations.RunSQL.noop),
    ]
