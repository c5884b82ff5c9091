from django.db import migrations

from core.roles import AUDITOR, FINANCE_CHECKER, FINANCE_MAKER, OPERATOR, RISK, ROLES, SUPPORT, grant

SEEN_BY_ALL = ["approval", "case"]
SEEN_BY_OPERATORS = ["deadletter", "jobrun", "setting", "auditrun", "auditresult", "statuschange"]
SEEN_BY_FINANCE = ["deadletter", "jobrun", "setting", "auditrun", "auditresult", "statuschange"]


def see(*models):
    return {model: ["view"] for model in models}


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_guards"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        grant("core", {role: see(*SEEN_BY_ALL) for role in ROLES}),
        grant(
            "core",
            {
                SUPPORT: see("statuschange"),
                FINANCE_MAKER: {**see(*SEEN_BY_FINANCE), "case": ["change"]},
                FINANCE_CHECKER: {**see(*SEEN_BY_FINANCE, "auditrecord"), "case": ["change"]},
                RISK: {**see("statuschange"), "case": ["change"]},
                OPERATOR: {
                    **see(*SEEN_BY_OPERATORS, "auditrecord"),
                    "case": ["change"],
                    "deadletter": ["view", "change"],
                },
                AUDITOR: see(*SEEN_BY_OPERATORS, "auditrecord"),
            },
        ),
    ]
