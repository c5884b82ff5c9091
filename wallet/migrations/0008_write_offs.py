from django.db import migrations, models
from django.db.models import Q

from core.roles import FINANCE_CHECKER, FINANCE_MAKER, grant

# To change a wallet is to ask for a second person's yes to giving up its debt; to approve one, to be that person.


class Migration(migrations.Migration):
    dependencies = [("wallet", "0007_lock"), ("core", "0003_roles")]

    operations = [
        migrations.AddIndex(
            "wallet",
            models.Index(
                condition=Q(receivable_minor__gt=0), fields=["-receivable_minor", "id"], name="wallet_in_debt"
            ),
        ),
        grant("wallet", {FINANCE_MAKER: {"wallet": ["change"]}}),
        grant("wallet", {FINANCE_CHECKER: {"wallet": ["change", "approve"]}}),
    ]
