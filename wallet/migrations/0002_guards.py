from django.db import migrations

from core.sqlfiles import append_only, restrict, run_sql

_ENTRY = (
    "uuid[], text[], text[], text[], text[], date[], timestamptz[], int[], bigint[], bytea[], "
    "int[], int[], bigint[], text[], bigint[], text[]"
)


class Migration(migrations.Migration):
    dependencies = [("wallet", "0001_initial"), ("ledger", "0002_guards")]

    operations = [
        restrict("wallet_wallet", allow="SELECT"),
        append_only("wallet_walletaccount"),
        restrict("wallet_walletaccount", allow="SELECT"),
        append_only("wallet_walletoperation"),
        restrict("wallet_walletoperation", allow="SELECT"),
        run_sql(
            "wallet", "open", reverse="DROP FUNCTION wallet_open(uuid, uuid, text, uuid, text, timestamptz);"
        ),
        run_sql(
            "wallet",
            "post",
            reverse=f"DROP FUNCTION wallet_post({_ENTRY}, int[], int[], bigint[], bigint[]);",
        ),
    ]
