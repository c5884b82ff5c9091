from django.db import migrations, models

from core.sqlfiles import append_only, read_sql, restrict, run_sql


def _function(name: str, file: str) -> str:
    """The text of a function as an earlier migration made it."""
    text = read_sql("ledger", file)
    start = text.index(f"CREATE FUNCTION {name}(")
    return "CREATE OR REPLACE" + text[start + len("CREATE") : text.index("END $$;", start)] + "END $$;"


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0003_corrections_and_groups"),
    ]

    operations = [
        migrations.CreateModel(
            name="FenceMark",
            fields=[
                ("entry_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("marked_at", models.DateTimeField(unique=True)),
                ("entries", models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="fence",
            name="day_entry",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="fence",
            name="seen_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="ClosedPeriod",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("merchant_id", models.UUIDField()),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("maker", models.CharField(max_length=80)),
                ("checker", models.CharField(max_length=80)),
                ("approval_id", models.UUIDField()),
                ("closed_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("merchant_id", "last_day"), name="ledger_period_once"),
                    models.CheckConstraint(
                        condition=models.Q(("first_day__lte", models.F("last_day"))),
                        name="ledger_period_days",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("maker", models.F("checker")), _negated=True),
                        name="ledger_period_four_eyes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClosedTotal",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "effective_date",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("effective_date", models.DateField()),
                ("merchant_id", models.UUIDField()),
                ("debit_minor", models.BigIntegerField()),
                ("credit_minor", models.BigIntegerField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["merchant_id", "effective_date"], name="ledger_closedtotal_merchant")
                ],
            },
        ),
        migrations.CreateModel(
            name="DayTotal",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "effective_date",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("effective_date", models.DateField()),
                ("merchant_id", models.UUIDField()),
                ("debit_minor", models.BigIntegerField()),
                ("credit_minor", models.BigIntegerField()),
                ("lines", models.BigIntegerField()),
                ("first_entry", models.BigIntegerField()),
                ("last_entry", models.BigIntegerField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["merchant_id", "effective_date"], name="ledger_daytotal_merchant")
                ],
            },
        ),
        append_only("ledger_fencemark"),
        restrict("ledger_fencemark", allow="SELECT"),
        restrict("ledger_daytotal", allow="SELECT"),
        append_only("ledger_closedperiod"),
        restrict("ledger_closedperiod", allow="SELECT"),
        append_only("ledger_closedtotal"),
        restrict("ledger_closedtotal", allow="SELECT"),
        run_sql("ledger", "day_totals", reverse="DROP FUNCTION ledger_advance_day_totals();"),
        run_sql("ledger", "fence_marks", reverse=_function("ledger_fence_step", "fence")),
        run_sql(
            "ledger",
            "periods",
            reverse="DROP FUNCTION ledger_open_day(uuid, date); "
            "DROP FUNCTION ledger_close_period(uuid, uuid, date, text, text, uuid, timestamptz); "
            f"{_function('ledger_check_entries', 'guards')} "
            "DROP TRIGGER ledger_closedperiod_follows ON ledger_closedperiod; "
            "DROP FUNCTION ledger_check_period();",
        ),
    ]
