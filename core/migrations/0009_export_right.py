from django.db import migrations

from core.roles import AUDITOR, FINANCE_CHECKER, FINANCE_MAKER, grant_named

RIGHT = ("export_lists", "Can take lists out of the console as files")


class Migration(migrations.Migration):
    dependencies = [("core", "0008_alerts_told")]

    operations = [
        migrations.AlterModelOptions(name="user", options={"permissions": [RIGHT]}),
        grant_named("core", "user", *RIGHT, [FINANCE_MAKER, FINANCE_CHECKER, AUDITOR]),
    ]
