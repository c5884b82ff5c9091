import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("merchants", "0003_buyer"),
        ("payments", "0007_desk_roles"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="paymentorder",
            name="payments_order_list",
        ),
        migrations.AlterField(
            model_name="paymentorder",
            name="seller",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="merchants.seller",
            ),
        ),
        migrations.AddIndex(
            model_name="paymentorder",
            index=models.Index(fields=["merchant_id", "-created_at", "-id"], name="payments_order_list"),
        ),
        migrations.AddIndex(
            model_name="paymentorder",
            index=models.Index(fields=["seller", "-created_at", "-id"], name="payments_order_of_seller"),
        ),
        migrations.AddIndex(
            model_name="paymentorder",
            index=models.Index(
                fields=["merchant_id", "status", "-created_at", "-id"], name="payments_order_by_status"
            ),
        ),
    ]
