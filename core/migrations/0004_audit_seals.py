from django.db import migrations, models

from core.sqlfiles import append_only, restrict, run_sql


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_roles"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditFence",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("safe_seq", models.BigIntegerField(default=0)),
                ("next_seq", models.BigIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("first_seq", models.BigIntegerField()),
                ("last_seq", models.BigIntegerField(unique=True)),
                ("record_count", models.BigIntegerField()),
                ("root", models.BinaryField(max_length=32)),
                ("previous", models.BinaryField(max_length=32, unique=True)),
                ("hash", models.BinaryField(max_length=32)),
                ("sealed_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="auditresult",
            name="clean_through",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="auditresult",
            name="examined_after",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="auditresult",
            name="examined_through",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="auditrun",
            name="is_full",
            field=models.BooleanField(default=True, db_default=True),
        ),
        migrations.AddIndex(
            model_name="auditresult",
            index=models.Index(fields=["name", "-id"], name="core_auditresult_newest"),
        ),
        migrations.AddConstraint(
            model_name="auditfence",
            constraint=models.CheckConstraint(condition=models.Q(("id", 1)), name="core_auditfence_one_row"),
        ),
        migrations.AddConstraint(
            model_name="auditseal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("last_seq__gte", models.F("first_seq")), ("number__gte", 1), ("record_count__gte", 1)
                ),
                name="core_auditseal_not_empty",
            ),
        ),
        restrict("core_auditfence", allow="SELECT"),
        append_only("core_auditseal"),
        restrict("core_auditseal", allow="SELECT"),
        run_sql(
            "core",
            "audit_seal",
            reverse="DROP FUNCTION core_audit_seal_step(); DROP FUNCTION core_audit_seal_hash(core_auditseal); "
            "DROP FUNCTION core_audit_seal_root(bigint, bigint); DROP FUNCTION core_audit_fence_step(); "
            "DELETE FROM core_auditfence; ALTER TABLE core_auditfence DROP COLUMN next_xid;",
        ),
    ]
