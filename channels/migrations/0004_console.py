from django.db import migrations

from core.roles import AUDITOR, FINANCE_CHECKER, FINANCE_MAKER, OPERATOR, SUPPORT, grant

_LOOK = (SUPPORT, FINANCE_MAKER, FINANCE_CHECKER, AUDITOR)


class Migration(migrations.Migration):
    dependencies = [("channels", "0003_indexes"), ("core", "0003_roles")]

    operations = [
        grant("channels", {role: {"channel": ["view"]} for role in _LOOK}),
        grant("channels", {OPERATOR: {"channel": ["view", "change"]}}),
    ]
