"""Bank statements are matched and posted."""

from django.db import migrations, models

from core.sqlfiles import run_sql

_BEFORE = (
    "DROP TRIGGER reconciliation_statement_fixed ON reconciliation_bankstatement; "
    "CREATE TRIGGER reconciliation_statement_fixed BEFORE UPDATE ON reconciliation_bankstatement "
    "FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite("
    "'status', 'version', 'supersedes_id', 'held_because', 'updated_at'); "
    "DROP TRIGGER reconciliation_reconciliationrun_status_guard ON reconciliation_reconciliationrun; "
    "CREATE TRIGGER reconciliation_reconciliationrun_status_guard BEFORE INSERT OR UPDATE OF status "
    "ON reconciliation_reconciliationrun FOR EACH ROW EXECUTE FUNCTION core_fsm_guard('status', 'QUEUED', "
    "'QUEUED>MATCHED,QUEUED>FAILED,MATCHED>POSTED,MATCHED>FAILED,POSTED>DONE,POSTED>FAILED,"
    "FAILED>QUEUED,FAILED>MATCHED,FAILED>POSTED');"
)


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0003_day_excuses")]

    operations = [
        migrations.AddField("bankstatement", "matched_at", models.DateTimeField(null=True)),
        migrations.AddField("bankstatement", "posted_at", models.DateTimeField(null=True)),
        run_sql("reconciliation", "banking", reverse=_BEFORE),
    ]
