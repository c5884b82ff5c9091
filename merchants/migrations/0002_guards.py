from django.db import migrations

from core.sqlfiles import append_only, guard_state, restrict, run_sql


class Migration(migrations.Migration):
    dependencies = [("merchants", "0001_initial"), ("core", "0002_guards")]

    operations = [
        run_sql(
            "merchants",
            "guards",
            reverse="DROP TRIGGER merchants_apikey_keep_revoked ON merchants_apikey;"
            "DROP FUNCTION merchants_keep_revoked();"
            "ALTER TABLE merchants_sellerterms DROP CONSTRAINT merchants_terms_merchant_seller;"
            "ALTER TABLE merchants_seller DROP CONSTRAINT merchants_seller_merchant_id;"
            "ALTER TABLE merchants_apikey DROP CONSTRAINT merchants_apikey_merchant_mode;"
            "DROP TRIGGER merchants_seller_fixed ON merchants_seller;"
            "DROP TRIGGER merchants_apikey_fixed ON merchants_apikey;"
            "DROP TRIGGER merchants_merchant_fixed ON merchants_merchant;",
        ),
        append_only("merchants_sellerterms"),
        restrict("merchants_merchant", allow="SELECT, INSERT, UPDATE"),
        restrict("merchants_apikey", allow="SELECT, INSERT, UPDATE"),
        restrict("merchants_seller", allow="SELECT, INSERT, UPDATE"),
        guard_state(
            "merchants_seller",
            column="kyc_status",
            initial="UNVERIFIED",
            edges="UNVERIFIED>PENDING,PENDING>VERIFIED,PENDING>REJECTED,REJECTED>PENDING,"
            "VERIFIED>SUSPENDED,SUSPENDED>VERIFIED",
        ),
    ]
