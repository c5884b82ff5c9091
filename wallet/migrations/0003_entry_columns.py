from django.db import migrations

from core.sqlfiles import read_sql, run_sql

_ARRAYS = (
    "uuid[], text[], text[], text[], text[], date[], timestamptz[], int[], bigint[], bytea[], "
    "uuid[], int[], date[], text[], int[], int[], bigint[], text[], bigint[], text[], "
    "int[], int[], bigint[], bigint[]"
)
# The door as it was, without what follows it in the same file.
_OLD_DOOR = read_sql("wallet", "post").partition("-- Numbers are handed out")[0]


class Migration(migrations.Migration):
    dependencies = [("wallet", "0002_guards"), ("ledger", "0003_corrections_and_groups")]

    operations = [
        run_sql("wallet", "entry_columns", reverse=f"DROP FUNCTION wallet_post({_ARRAYS}); {_OLD_DOOR}"),
    ]
