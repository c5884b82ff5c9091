from django.db import migrations

from core.sqlfiles import append_only, guard_state, restrict, run_sql


class Migration(migrations.Migration):
    dependencies = [("risk", "0001_initial"), ("core", "0002_guards"), ("merchants", "0002_guards")]

    operations = [
        run_sql(
            "risk",
            "guards",
            reverse="ALTER TABLE risk_riskcheck DROP CONSTRAINT risk_riskcheck_merchant_vendor;"
            "ALTER TABLE risk_riskvendor DROP CONSTRAINT risk_riskvendor_merchant_id;"
            "ALTER TABLE risk_risklistentry DROP CONSTRAINT risk_risklistentry_merchant_list;"
            "ALTER TABLE risk_risklist DROP CONSTRAINT risk_risklist_merchant_id;"
            "ALTER TABLE risk_riskdryrun DROP CONSTRAINT risk_riskdryrun_merchant_rule;"
            "ALTER TABLE risk_riskrule DROP CONSTRAINT risk_riskrule_merchant_id;"
            "DROP TRIGGER risk_riskvendor_fixed ON risk_riskvendor;"
            "DROP TRIGGER risk_risklistentry_fixed ON risk_risklistentry;"
            "DROP TRIGGER risk_riskrule_fixed ON risk_riskrule;",
        ),
        append_only("risk_riskfact"),
        append_only("risk_riskdecision"),
        append_only("risk_riskdryrun"),
        append_only("risk_risklist"),
        # Encrypted columns are written again when the key that encrypts them is replaced.
        restrict("risk_riskkey", allow="SELECT, INSERT, UPDATE (secret)"),
        restrict("risk_risklistentry", allow="SELECT, INSERT, UPDATE"),
        restrict("risk_riskrule", allow="SELECT, INSERT, UPDATE"),
        restrict("risk_riskvendor", allow="SELECT, INSERT, UPDATE"),
        restrict("risk_riskcheck", allow="SELECT, INSERT, UPDATE"),
        guard_state(
            "risk_riskrule",
            initial="DRAFT",
            edges="DRAFT>SHADOW,DRAFT>ACTIVE,DRAFT>RETIRED,SHADOW>ACTIVE,SHADOW>RETIRED,"
            "ACTIVE>SHADOW,ACTIVE>RETIRED",
        ),
        guard_state(
            "risk_riskcheck",
            initial="WAITING",
            edges="WAITING>ANSWERED,WAITING>DEGRADED,WAITING>DROPPED",
        ),
    ]
