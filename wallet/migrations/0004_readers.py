from django.db import migrations

from core.roles import AUDITOR, FINANCE_CHECKER, FINANCE_MAKER, grant

# They read; no right to change exists to be given.
WALLETS = {"wallet": ["view"], "walletaccount": ["view"], "walletoperation": ["view"]}


class Migration(migrations.Migration):
    dependencies = [("wallet", "0003_entry_columns"), ("core", "0003_roles")]

    operations = [grant("wallet", dict.fromkeys((FINANCE_MAKER, FINANCE_CHECKER, AUDITOR), WALLETS))]
