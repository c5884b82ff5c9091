"""Lines of an earlier version are found by range, however many a correction takes back."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0004_banking")]

    operations = [
        migrations.AddIndex(
            "linechange",
            models.Index(fields=["file", "before"], name="reconciliation_change_before"),
        ),
        migrations.AddIndex(
            "linechange",
            models.Index(fields=["file", "after"], name="reconciliation_change_after"),
        ),
        migrations.AlterField(
            "linechange",
            "file",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changes",
                to="reconciliation.settlementfile",
            ),
        ),
        migrations.AddIndex(
            "match",
            models.Index(
                condition=Q(live=False, line_id__isnull=False),
                fields=["line_id"],
                name="reconciliation_match_ended",
            ),
        ),
    ]
