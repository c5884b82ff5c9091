from django.db import migrations

from core.roles import AUDITOR, FINANCE_CHECKER, FINANCE_MAKER, grant

# They read; no right to change exists to be given.
BOOKS = {"account": ["view"], "journalentry": ["view"], "journalline": ["view"]}


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_seals"), ("core", "0003_roles")]

    operations = [
        migrations.AlterModelOptions("journalentry", {"verbose_name_plural": "journal entries"}),
        grant("ledger", dict.fromkeys((FINANCE_MAKER, FINANCE_CHECKER, AUDITOR), BOOKS)),
    ]
