from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("channels", "0002_guards"),
        ("payments", "0009_refunds"),
    ]

    operations = [
        migrations.AddField(
            model_name="charge",
            name="capture_before",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="charge",
            index=models.Index(
                condition=models.Q(("status", "AUTHORIZED")),
                fields=["capture_before"],
                name="payments_charge_authorized",
            ),
        ),
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "AUTHORIZED"), _negated=True),
                    models.Q(("authorized_minor__gt", 0), ("capture_before__isnull", False)),
                    _connector="OR",
                ),
                name="payments_charge_authorized_for_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="pspoperation",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("kind__in", ["capture", "void"]),
                    models.Q(("status__in", ["DECLINED", "CANCELED"]), _negated=True),
                ),
                fields=("merchant_id", "charge"),
                name="payments_operation_capture_or_void",
            ),
        ),
    ]
