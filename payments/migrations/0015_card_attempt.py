from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0013_balance")]

    operations = [
        migrations.AddField(
            model_name="paymentevent",
            name="card_attempt",
            field=models.CharField(blank=True, db_default="", default="", max_length=8),
        ),
    ]
