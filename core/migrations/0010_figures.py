from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0009_export_right"),
    ]

    operations = [
        migrations.CreateModel(
            name="Figure",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "name", "slot", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=48)),
                ("slot", models.DateTimeField()),
                ("data", models.JSONField()),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["slot"], name="core_figure_slot")],
            },
        ),
    ]
