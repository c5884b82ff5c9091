from django.db import migrations

from core.roles import AUDITOR, FINANCE_CHECKER, OPERATOR, RISK, grant

SEEN = ["riskrule", "riskdryrun", "risklist", "risklistentry", "riskdecision"]


class Migration(migrations.Migration):
    dependencies = [("risk", "0002_guards"), ("core", "0003_roles")]

    operations = [
        grant(
            "risk",
            {
                RISK: {
                    "riskrule": ["view", "add", "change"],
                    "riskdryrun": ["view", "add"],
                    "risklist": ["view", "add"],
                    "risklistentry": ["view", "add", "change"],
                    # To add one is to decide about a held payment.
                    "riskdecision": ["view", "add"],
                },
                AUDITOR: {model: ["view"] for model in SEEN},
                FINANCE_CHECKER: {"riskdecision": ["view"]},
                OPERATOR: {"riskdecision": ["view"]},
            },
        ),
    ]
