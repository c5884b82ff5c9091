from django.db import migrations

from core.sqlfiles import append_only, guard_state, restrict, run_sql


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial"), ("core", "0002_guards")]

    operations = [
        run_sql(
            "events",
            "guards",
            reverse="DROP SEQUENCE events_published_seq;"
            "DROP TRIGGER events_webhookdelivery_fixed ON events_webhookdelivery;"
            "DROP TRIGGER events_webhookendpoint_fixed ON events_webhookendpoint;"
            "DROP TRIGGER events_inboxwork_fixed ON events_inboxwork;"
            "DROP TRIGGER events_webhookinbox_fixed ON events_webhookinbox;",
        ),
        append_only("events_deliveryattempt"),
        restrict("events_webhookinbox", allow="SELECT, INSERT, UPDATE (status)"),
        restrict("events_inboxwork", allow="SELECT, INSERT, UPDATE"),
        restrict("events_webhookendpoint", allow="SELECT, INSERT, UPDATE"),
        restrict("events_webhookdelivery", allow="SELECT, INSERT, UPDATE"),
        guard_state("events_webhookinbox", initial="RECEIVED", edges="RECEIVED>QUARANTINED"),
        guard_state(
            "events_inboxwork",
            initial="RECEIVED",
            edges="RECEIVED>PARKED,RECEIVED>DONE,RECEIVED>DEAD,PARKED>DONE,PARKED>DEAD,DEAD>RECEIVED",
        ),
        guard_state(
            "events_webhookendpoint",
            initial="ENABLED",
            edges="ENABLED>PAUSED,ENABLED>DISABLED,PAUSED>ENABLED,PAUSED>DISABLED",
        ),
        guard_state(
            "events_webhookdelivery",
            initial="PENDING",
            edges="PENDING>DELIVERED,PENDING>FAILED,PENDING>CANCELED",
        ),
    ]
