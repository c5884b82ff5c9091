from django.db import migrations

from core.sqlfiles import append_only, restrict, run_sql

_ENTRY = (
    "uuid[], text[], text[], text[], text[], date[], timestamptz[], int[], bigint[], bytea[], "
    "int[], int[], bigint[], text[], bigint[], text[]"
)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial"), ("core", "0002_guards")]

    operations = [
        run_sql(
            "ledger",
            "guards",
            reverse="DROP TRIGGER ledger_journalentry_whole ON ledger_journalentry; "
            "DROP TRIGGER ledger_journalline_balanced ON ledger_journalline; "
            "DROP FUNCTION ledger_check_entries(); DROP FUNCTION ledger_check_lines(); "
            "DROP SEQUENCE ledger_journalentry_seq; "
            "ALTER TABLE ledger_journalentry DROP CONSTRAINT ledger_entry_corrects_fk; "
            "ALTER TABLE ledger_journalline DROP CONSTRAINT ledger_line_entry_fk; "
            "ALTER TABLE ledger_journalline DROP CONSTRAINT ledger_line_account_fk; "
            "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_clearing_by_role; "
            "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_guarded_by_role;",
        ),
        append_only("ledger_account"),
        restrict("ledger_account", allow="SELECT"),
        append_only("ledger_journalentry"),
        restrict("ledger_journalentry", allow="SELECT"),
        append_only("ledger_journalline"),
        restrict("ledger_journalline", allow="SELECT"),
        restrict("ledger_accountcheckpoint", allow="SELECT"),
        restrict("ledger_fence", allow="SELECT"),
        run_sql(
            "ledger",
            "post",
            reverse="DROP FUNCTION ledger_open_guarded(uuid, uuid, text, text[]); "
            "DROP FUNCTION ledger_open(uuid, text, uuid, text, text, boolean); "
            f"DROP FUNCTION ledger_post({_ENTRY}); DROP FUNCTION ledger_insert({_ENTRY});",
        ),
        run_sql(
            "ledger",
            "fence",
            reverse="DROP FUNCTION ledger_advance_checkpoints(); DROP FUNCTION ledger_fence_step(); "
            "DELETE FROM ledger_fence; ALTER TABLE ledger_fence DROP COLUMN next_xid;",
        ),
    ]
