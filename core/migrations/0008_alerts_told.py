from django.db import migrations, models

from core.roles import AUDITOR, FINANCE_CHECKER, FINANCE_MAKER, OPERATOR, RISK, SUPPORT, grant


class Migration(migrations.Migration):
    dependencies = [("core", "0007_alert_notices")]

    operations = [
        migrations.AddField(
            model_name="alertnotice",
            name="told",
            field=models.CharField(blank=True, db_default="", default="", max_length=300),
        ),
        grant(
            "core",
            {
                role: {"alertnotice": ["view"]}
                for role in (SUPPORT, FINANCE_MAKER, FINANCE_CHECKER, RISK, OPERATOR, AUDITOR)
            },
        ),
    ]
