from django.db import migrations

from core.sqlfiles import guard_state, read_sql, restrict, run_sql

_OPEN = "wallet_open(uuid, uuid, text, uuid, text, timestamptz, text)"


class Migration(migrations.Migration):
    dependencies = [("wallet", "0005_holds"), ("ledger", "0007_readers")]

    operations = [
        run_sql(
            "wallet",
            "kinds",
            reverse="ALTER TABLE wallet_wallet DROP CONSTRAINT wallet_kind_of_its_owner; "
            f"DROP FUNCTION {_OPEN}; {read_sql('wallet', 'open')}",
        ),
        run_sql(
            "wallet",
            "holds",
            reverse="ALTER TABLE wallet_hold DROP CONSTRAINT wallet_hold_account_fk, "
            "DROP CONSTRAINT wallet_hold_wallet_fk;",
        ),
        restrict(
            "wallet_hold",
            allow="SELECT, INSERT, UPDATE (state, settled_minor, released_minor, resolved_on, updated_at)",
        ),
        guard_state(
            "wallet_hold", column="state", initial="OPEN", edges="OPEN>SETTLED,OPEN>RELEASED,OPEN>EXPIRED"
        ),
    ]
