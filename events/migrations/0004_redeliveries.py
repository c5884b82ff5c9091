import django.db.models.deletion
from django.db import migrations, models

from core.roles import AUDITOR, FINANCE_CHECKER, FINANCE_MAKER, OPERATOR, SUPPORT, grant
from core.sqlfiles import run_sql

SEEN = {"webhookendpoint": ["view"], "webhookdelivery": ["view"]}
BEFORE = """
    DROP TRIGGER events_webhookdelivery_status_guard ON events_webhookdelivery;
    CREATE TRIGGER events_webhookdelivery_status_guard
        BEFORE INSERT OR UPDATE OF status ON events_webhookdelivery
        FOR EACH ROW EXECUTE FUNCTION core_fsm_guard('status', 'PENDING',
            'PENDING>DELIVERED,PENDING>FAILED,PENDING>CANCELED');
    DROP TRIGGER events_webhookdelivery_fixed ON events_webhookdelivery;
    CREATE TRIGGER events_webhookdelivery_fixed BEFORE UPDATE ON events_webhookdelivery
        FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
            'status', 'due_at', 'leased_until', 'fence', 'attempts', 'finished_at');
    DROP TRIGGER events_webhookendpoint_fixed ON events_webhookendpoint;
    CREATE TRIGGER events_webhookendpoint_fixed BEFORE UPDATE ON events_webhookendpoint
        FOR EACH ROW EXECUTE FUNCTION core_refuse_rewrite(
            'url', 'event_types', 'secrets', 'status', 'last_success_at');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0004_audit_seals"),
        ("events", "0003_inbox_desk"),
        ("merchants", "0003_buyer"),
    ]

    operations = [
        migrations.AlterModelOptions(
            "webhookdelivery",
            {"verbose_name": "webhook delivery", "verbose_name_plural": "webhook deliveries"},
        ),
        migrations.AlterModelOptions(
            "webhookendpoint",
            {"verbose_name": "webhook endpoint", "verbose_name_plural": "webhook endpoints"},
        ),
        migrations.AddField(
            "webhookdelivery", "earlier_attempts", models.IntegerField(db_default=0, default=0)
        ),
        migrations.AddField("webhookdelivery", "redelivered_at", models.DateTimeField(null=True)),
        migrations.AddField("webhookendpoint", "event_sequence", models.BigIntegerField(default=0)),
        migrations.AlterField(
            "webhookdelivery",
            "endpoint",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="events.webhookendpoint",
            ),
        ),
        migrations.AlterField(
            "webhookdelivery",
            "event",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="core.outboxevent",
            ),
        ),
        migrations.AddIndex(
            "webhookdelivery",
            models.Index(fields=["endpoint", "created_at", "id"], name="events_delivery_range"),
        ),
        migrations.AddIndex(
            "webhookdelivery",
            models.Index(
                condition=models.Q(("status", "DELIVERED"), _negated=True),
                fields=["endpoint", "status", "-id"],
                name="events_delivery_not_told",
            ),
        ),
        run_sql("events", "redeliveries", reverse=BEFORE),
        # To change an endpoint is to pause, resume or disable it; to change a delivery is to make it again.
        grant(
            "events",
            {
                **dict.fromkeys((SUPPORT, FINANCE_MAKER, FINANCE_CHECKER, AUDITOR), SEEN),
                OPERATOR: {name: ["view", "change"] for name in SEEN},
            },
        ),
    ]
