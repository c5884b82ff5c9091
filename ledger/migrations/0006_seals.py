from django.db import migrations, models

from core.sqlfiles import append_only, restrict, run_sql


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0005_chart'),
    ]

    operations = [
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                ('first_entry', models.BigIntegerField()),
                ('last_entry', models.BigIntegerField(unique=True)),
                ('entry_count', models.BigIntegerField()),
                ('line_count', models.BigIntegerField()),
                ('root', models.BinaryField(max_length=32)),
                ('previous', models.BinaryField(max_length=32, unique=True)),
                ('hash', models.BinaryField(max_length=32)),
                ('sealed_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['sealed_at'], name='ledger_seal_day')],
                'constraints': [models.CheckConstraint(condition=models.Q(('entry_count__gte', 1), ('last_entry__gte', models.F('first_entry')), ('number__gte', 1)), name='ledger_seal_not_empty')],
            },
        ),
        append_only("ledger_seal"),
        restrict("ledger_seal", allow="SELECT"),
        run_sql(
            "ledger",
            "seal",
            reverse="DROP FUNCTION ledger_seal_step(); DROP FUNCTION ledger_seal_hash(ledger_seal); "
            "DROP FUNCTION ledger_seal_root(bigint, bigint);",
        ),
    ]
