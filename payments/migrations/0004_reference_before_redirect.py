from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_sessions_and_methods")]

    operations = [
        migrations.AddConstraint(
            model_name="charge",
            constraint=models.CheckConstraint(
                condition=Q(redirect_url="")
                | Q(payment_method="hosted_page", session_reference__isnull=False)
                | (~Q(payment_method="hosted_page") & Q(psp_reference__isnull=False)),
                name="payments_charge_reference_before_redirect",
            ),
        )
    ]
