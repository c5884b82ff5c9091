from django.db import migrations

from core.sqlfiles import run_sql


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_periods")]

    operations = [
        # Back is refused by PostgreSQL once an account of a new role exists: the old rules do not know it.
        run_sql(
            "ledger",
            "chart",
            reverse="ALTER TABLE ledger_account "
            "DROP CONSTRAINT ledger_account_guarded_by_role, "
            "DROP CONSTRAINT ledger_account_clearing_by_role, "
            "ADD CONSTRAINT ledger_account_guarded_by_role CHECK (guarded = (role IN ("
            "'seller_receivable', 'seller_pending', 'seller_available', 'seller_reserve', 'seller_dispute_hold', "
            "'seller_payout_hold', 'wallet_pending', 'wallet_available', 'wallet_held'))), "
            "ADD CONSTRAINT ledger_account_clearing_by_role CHECK (clearing = (role IN ("
            "'psp_clearing')));",
        )
    ]
