from django.db import migrations

from core.roles import AUDITOR, OPERATOR, grant


class Migration(migrations.Migration):
    dependencies = [("merchants", "0006_drop_public_key"), ("core", "0003_roles")]

    operations = [
        grant(
            "merchants",
            {
                OPERATOR: {"apikey": ["view", "add", "change"], "signingkey": ["view", "add", "change"]},
                AUDITOR: {"apikey": ["view"], "signingkey": ["view"]},
            },
        ),
    ]
