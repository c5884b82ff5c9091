from django.db import migrations

_FIXED = """
DROP TRIGGER merchants_seller_fixed ON merchants_seller;
CREATE TRIGGER merchants_seller_fixed BEFORE UPDATE ON merchants_seller
    FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite({columns});
"""
_BEFORE = (
    "'name', 'country', 'kyc_status', 'settlement_delay_days', 'payout_schedule', 'reserve_bps', "
    "'reserve_days', 'event_sequence'"
)
_AFTER = "'name', 'country', 'kyc_status', 'payout_schedule', 'event_sequence'"
# What the terms in effect say, before the trigger knows the columns again.
_COPY_BACK = """
ALTER TABLE merchants_seller DISABLE TRIGGER merchants_seller_fixed;
UPDATE merchants_seller AS seller SET settlement_delay_days = held.settlement_delay_days,
    reserve_bps = held.reserve_bps, reserve_days = held.reserve_days
FROM (SELECT DISTINCT ON (seller_id) * FROM merchants_sellerterms WHERE effective_at <= now()
    ORDER BY seller_id, effective_at DESC, version DESC) AS held
WHERE held.seller_id = seller.id;
ALTER TABLE merchants_seller ENABLE TRIGGER merchants_seller_fixed;
"""


class Migration(migrations.Migration):
    dependencies = [("merchants", "0008_terms_of_release")]

    operations = [
        migrations.RunSQL(sql=[_FIXED.format(columns=_AFTER)], reverse_sql=[_FIXED.format(columns=_BEFORE)]),
        migrations.RemoveConstraint("seller", "merchants_seller_delay"),
        migrations.RemoveConstraint("seller", "merchants_seller_reserve"),
        migrations.RunSQL(sql=migrations.RunSQL.noop, reverse_sql=[_COPY_BACK]),
        migrations.RemoveField("seller", "settlement_delay_days"),
        migrations.RemoveField("seller", "reserve_bps"),
        migrations.RemoveField("seller", "reserve_days"),
    ]
