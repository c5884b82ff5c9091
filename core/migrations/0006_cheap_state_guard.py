"""The guard of states looks at the column itself instead of turning whole rows into JSON."""

from django.db import migrations

from core.sqlfiles import read_sql, run_sql


class Migration(migrations.Migration):
    dependencies = [("core", "0005_attempt_bucket")]

    operations = [run_sql("core", "state_guard", reverse=read_sql("core", "state_guard_before"))]
