import django.db.models.deletion
from django.db import migrations, models

from core.roles import AUDITOR, FINANCE_CHECKER, FINANCE_MAKER, OPERATOR, grant
from core.sqlfiles import restrict

REVENUE = {"dailyrevenue": ["view"]}
ALL = {**REVENUE, "streamposition": ["view"]}


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0004_redeliveries"),
        ("merchants", "0003_buyer"),
    ]

    operations = [
        migrations.CreateModel(
            name="StreamConsumer",
            fields=[
                ("name", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("settled_seq", models.BigIntegerField(default=0)),
                ("settled_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("settled_seq__gte", 0)), name="events_consumer_settled"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StreamPosition",
            fields=[
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                ("fence", models.BigIntegerField(default=0)),
                ("attempts", models.IntegerField(default=0)),
                ("name", models.CharField(max_length=16, primary_key=True, serialize=False)),
                ("published_seq", models.BigIntegerField(default=0)),
                ("starts_anew", models.BooleanField(default=False)),
                ("error", models.CharField(blank=True, max_length=300)),
                ("moved_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "event stream",
                "verbose_name_plural": "event streams",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("published_seq__gte", 0)), name="events_stream_position"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DailyRevenue",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("currency", models.CharField(max_length=3)),
                ("paid_minor", models.BigIntegerField(default=0)),
                ("payments", models.IntegerField(default=0)),
                ("refunded_minor", models.BigIntegerField(default=0)),
                ("refunds", models.IntegerField(default=0)),
                (
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="merchants.merchant",
                    ),
                ),
            ],
            options={
                "verbose_name": "daily revenue",
                "verbose_name_plural": "daily revenue",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant", "day", "currency"), name="events_revenue_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("paid_minor__gte", 0),
                            ("payments__gte", 0),
                            ("refunded_minor__gte", 0),
                            ("refunds__gte", 0),
                        ),
                        name="events_revenue_counts_up",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsumedEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("event_id", models.UUIDField()),
                ("published_seq", models.BigIntegerField()),
                (
                    "consumer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="events.streamconsumer",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["consumer", "published_seq"], name="events_consumed_place")],
                "constraints": [
                    models.UniqueConstraint(fields=("consumer", "event_id"), name="events_consumed_once")
                ],
            },
        ),
        restrict("events_streamposition", allow="SELECT, INSERT, UPDATE"),
        restrict("events_streamconsumer", allow="SELECT, INSERT, UPDATE"),
        restrict("events_consumedevent", allow="SELECT, INSERT, DELETE"),
        grant(
            "events",
            {
                **dict.fromkeys((FINANCE_MAKER, FINANCE_CHECKER), REVENUE),
                **dict.fromkeys((OPERATOR, AUDITOR), ALL),
            },
        ),
    ]
