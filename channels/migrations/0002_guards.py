from django.db import migrations

from core.sqlfiles import append_only, restrict, run_sql


class Migration(migrations.Migration):
    dependencies = [("channels", "0001_initial"), ("core", "0002_guards"), ("merchants", "0002_guards")]

    operations = [
        run_sql(
            "channels",
            "guards",
            reverse="ALTER TABLE channels_pspcall DROP CONSTRAINT channels_pspcall_merchant_channel;"
            "ALTER TABLE channels_channel DROP CONSTRAINT channels_channel_merchant_id;"
            "ALTER TABLE channels_channel DROP CONSTRAINT channels_channel_merchant_mode;"
            "DROP TRIGGER channels_channel_fixed ON channels_channel;",
        ),
        restrict("channels_channel", allow="SELECT, INSERT, UPDATE"),
        append_only("channels_pspcall"),
    ]
