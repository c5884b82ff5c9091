from django.db import migrations

from core.sqlfiles import run_sql


class Migration(migrations.Migration):
    dependencies = [("wallet", "0006_holds_and_kinds")]

    operations = [run_sql("wallet", "lock", reverse="DROP FUNCTION wallet_lock(uuid, uuid[]);")]
