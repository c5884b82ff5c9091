from django.db import migrations

COPY = """
INSERT INTO merchants_signingkey (id, merchant_id, api_key_id, algorithm, public_key, created_at, not_before)
    SELECT gen_random_uuid(), merchant_id, id, 'RSA-SHA256', public_key, created_at, created_at
    FROM merchants_apikey WHERE public_key <> ''
"""


class Migration(migrations.Migration):
    dependencies = [("merchants", "0004_signing_keys")]

    operations = [migrations.RunSQL(sql=[COPY], reverse_sql=migrations.RunSQL.noop)]
