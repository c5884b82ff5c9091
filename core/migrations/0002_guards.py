from django.db import migrations

from core.sqlfiles import append_only, guard_state, restrict, run_sql


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        run_sql(
            "core",
            "guards",
            reverse="DROP FUNCTION core_refuse_rewrite(); DROP FUNCTION core_refuse_change(); "
            "DROP FUNCTION core_fsm_guard();",
        ),
        append_only("core_statuschange"),
        append_only("core_setting"),
        append_only("core_auditrun"),
        append_only("core_auditresult"),
        append_only("core_auditrecord"),
        restrict("core_auditrecord", allow="SELECT"),
        run_sql(
            "core",
            "audit_append",
            reverse="DROP FUNCTION core_audit_append(uuid, text, text, text, text, jsonb, text, timestamptz); "
            "DROP SEQUENCE core_auditrecord_seq;",
        ),
        run_sql(
            "core",
            "outbox_guard",
            reverse="DROP TRIGGER core_outboxevent_no_delete ON core_outboxevent; "
            "DROP TRIGGER core_outboxevent_fixed ON core_outboxevent;",
        ),
        restrict("core_outboxevent", allow="SELECT, INSERT, UPDATE (published_seq)"),
        # The stored answer may be replaced once, by the hosted page that was registered in time.
        restrict("core_idempotencyrecord", allow="SELECT, INSERT, DELETE, UPDATE (body, status)"),
        restrict("core_approval", allow="SELECT, INSERT, UPDATE"),
        restrict("core_case", allow="SELECT, INSERT, UPDATE"),
        restrict("core_deadletter", allow="SELECT, INSERT, UPDATE"),
        restrict("core_jobrun", allow="SELECT, INSERT, UPDATE"),
        guard_state(
            "core_approval",
            initial="PENDING",
            edges="PENDING>APPROVED,PENDING>REJECTED,PENDING>VOID,PENDING>EXPIRED,APPROVED>VOID,APPROVED>EXPIRED",
        ),
        guard_state(
            "core_case",
            initial="OPEN",
            edges="OPEN>ASSIGNED,OPEN>CLOSED,ASSIGNED>OPEN,ASSIGNED>ASSIGNED,ASSIGNED>CLOSED",
        ),
        guard_state("core_deadletter", initial="OPEN", edges="OPEN>REPLAYED,OPEN>DROPPED"),
    ]
