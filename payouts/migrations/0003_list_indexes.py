from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payouts", "0002_movements")]

    operations = [
        migrations.AddIndex(
            model_name="destination",
            index=models.Index(fields=["merchant_id", "status", "-id"], name="payouts_destination_by_status"),
        ),
        migrations.AddIndex(
            model_name="destination",
            index=models.Index(fields=["currency", "-id"], name="payouts_destination_currency"),
        ),
    ]
