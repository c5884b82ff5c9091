from django.db import migrations, models

from core.sqlfiles import restrict, run_sql


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0006_cheap_state_guard"),
        ("payments", "0018_top_up_returns"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["psp_reference"], name="payments_refund_by_reference"),
        ),
        run_sql("payments", "movements", reverse="DROP VIEW payments_movement"),
        restrict("payments_movement", allow="SELECT"),
    ]
