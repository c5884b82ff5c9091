from django.db import migrations

from core.sqlfiles import run_sql

# One column holds one key: the newest that was not revoked.
COPY_BACK = """
ALTER TABLE merchants_apikey DISABLE TRIGGER merchants_apikey_fixed;
UPDATE merchants_apikey AS key SET public_key = newest.public_key
    FROM (SELECT DISTINCT ON (api_key_id) api_key_id, public_key FROM merchants_signingkey
          ORDER BY api_key_id, revoked_at IS NULL DESC, created_at DESC, id DESC) AS newest
    WHERE newest.api_key_id = key.id;
ALTER TABLE merchants_apikey ENABLE TRIGGER merchants_apikey_fixed;
"""


class Migration(migrations.Migration):
    dependencies = [("merchants", "0005_copy_public_keys")]

    operations = [
        migrations.RemoveConstraint(model_name="apikey", name="merchants_apikey_can_sign"),
        # Undone before the constraint is back, and after the column is.
        migrations.RunSQL(sql=migrations.RunSQL.noop, reverse_sql=[COPY_BACK]),
        migrations.RemoveField(model_name="apikey", name="public_key"),
        run_sql(
            "merchants",
            "must_sign_guard",
            reverse="DROP TRIGGER merchants_apikey_can_sign ON merchants_apikey;"
            "DROP FUNCTION merchants_check_can_sign();",
        ),
    ]
