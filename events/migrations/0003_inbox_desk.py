from django.db import migrations, models

from core.roles import AUDITOR, FINANCE_CHECKER, FINANCE_MAKER, OPERATOR, SUPPORT, grant

SEEN = {"webhookinbox": ["view"], "inboxwork": ["view"]}


class Migration(migrations.Migration):
    dependencies = [("events", "0002_guards"), ("core", "0003_roles")]

    operations = [
        migrations.AlterModelOptions(
            "webhookinbox", {"verbose_name": "webhook", "verbose_name_plural": "webhooks in"}
        ),
        migrations.AlterModelOptions(
            "inboxwork", {"verbose_name": "work of a webhook", "verbose_name_plural": "work of webhooks"}
        ),
        migrations.AddField(
            model_name="webhookinbox",
            name="about",
            field=models.CharField(blank=True, db_default="", default="", max_length=128),
        ),
        migrations.AddIndex(
            model_name="webhookinbox",
            index=models.Index(
                condition=models.Q(("about", ""), _negated=True),
                fields=["channel", "about"],
                name="events_inbox_about",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookinbox",
            index=models.Index(
                condition=models.Q(("status", "QUARANTINED")), fields=["id"], name="events_inbox_quarantined"
            ),
        ),
        migrations.AddIndex(
            model_name="inboxwork",
            index=models.Index(
                condition=models.Q(("status__in", ["PARKED", "DEAD"])),
                fields=["status", "inbox"],
                name="events_inboxwork_stopped",
            ),
        ),
        # To change work is to replay it.
        grant(
            "events",
            {
                **dict.fromkeys((SUPPORT, FINANCE_MAKER, FINANCE_CHECKER, AUDITOR), SEEN),
                OPERATOR: {"webhookinbox": ["view"], "inboxwork": ["view", "change"]},
            },
        ),
    ]
