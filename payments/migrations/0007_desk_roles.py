from django.db import migrations

from core.roles import AUDITOR, FINANCE_CHECKER, FINANCE_MAKER, OPERATOR, RISK, SUPPORT, grant

SEEN = {model: ["view"] for model in ("paymentevent", "paymentorder", "charge", "pspoperation")}
# To change an operation is to have the provider asked; to change a charge, to ask for a second person's yes
# to what became of it; to approve one, to be that second person.
ASKS = {"pspoperation": ["change"]}


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_saved_methods"), ("core", "0003_roles")]

    operations = [
        migrations.AlterModelOptions("paymentevent", {"verbose_name": "checkout"}),
        migrations.AlterModelOptions("paymentorder", {"verbose_name": "order"}),
        grant(
            "payments",
            dict.fromkeys((SUPPORT, FINANCE_MAKER, FINANCE_CHECKER, RISK, OPERATOR, AUDITOR), SEEN),
        ),
        grant("payments", {OPERATOR: ASKS, FINANCE_MAKER: {**ASKS, "charge": ["change"]}}),
        grant("payments", {FINANCE_CHECKER: {**ASKS, "charge": ["change", "approve"]}}),
    ]
