from django.db import migrations, models
from django.db.models import F, Q

from core.sqlfiles import read_sql, run_sql

_ARRAYS = (
    "uuid[], text[], text[], text[], text[], date[], timestamptz[], int[], bigint[], bytea[], "
    "uuid[], int[], date[], text[], int[], int[], bigint[], text[], bigint[], text[]"
)
# The two doors as they were, without what follows them in the same file.
_OLD_DOORS = read_sql("ledger", "post").partition("-- Open one account")[0]


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_guards")]

    operations = [
        migrations.AddField("journalentry", "group_id", models.UUIDField(null=True)),
        migrations.AddField("journalentry", "group_size", models.SmallIntegerField(null=True)),
        migrations.AddField("journalentry", "original_date", models.DateField(null=True)),
        migrations.AddField("journalentry", "facts", models.JSONField(null=True)),
        migrations.AddConstraint(
            "journalentry",
            models.UniqueConstraint(
                fields=["corrects"], condition=Q(corrects__isnull=False), name="ledger_entry_corrected_once"
            ),
        ),
        migrations.AddConstraint(
            "journalentry",
            models.CheckConstraint(
                condition=Q(group_id__isnull=True, group_size__isnull=True)
                | Q(group_id__isnull=False, group_size__isnull=False, group_size__gte=1),
                name="ledger_entry_group_sized",
            ),
        ),
        migrations.AddConstraint(
            "journalentry",
            models.CheckConstraint(
                condition=Q(original_date__isnull=True) | Q(original_date__lt=F("effective_date")),
                name="ledger_entry_original_is_earlier",
            ),
        ),
        migrations.AddIndex(
            "journalentry",
            models.Index(
                fields=["merchant_id", "group_id"],
                condition=Q(group_id__isnull=False),
                name="ledger_entry_group",
            ),
        ),
        run_sql(
            "ledger",
            "entry_columns",
            reverse=f"DROP FUNCTION ledger_post({_ARRAYS}); DROP FUNCTION ledger_insert({_ARRAYS}); {_OLD_DOORS} "
            "ALTER TABLE ledger_journalentry DROP CONSTRAINT ledger_entry_facts_object;",
        ),
        run_sql(
            "ledger",
            "corrections",
            reverse="DROP TRIGGER ledger_journalentry_group ON ledger_journalentry; "
            "DROP TRIGGER ledger_journalentry_correction ON ledger_journalentry; "
            "DROP FUNCTION ledger_check_group(); DROP FUNCTION ledger_check_correction();",
        ),
    ]
