from django.db import migrations

from core.sqlfiles import restrict, run_sql


class Migration(migrations.Migration):
    dependencies = [
        ("channels", "0003_indexes"),
        ("payouts", "0001_initial"),
    ]

    operations = [
        run_sql("payouts", "movements", reverse="DROP VIEW payouts_movement"),
        restrict("payouts_movement", allow="SELECT"),
    ]
