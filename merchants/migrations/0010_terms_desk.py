from django.db import migrations

from core.roles import FINANCE_CHECKER, FINANCE_MAKER, ROLES, grant


class Migration(migrations.Migration):
    dependencies = [("merchants", "0009_terms_of_release_alone"), ("core", "0003_roles")]

    operations = [
        grant("merchants", {role: {"seller": ["view"], "sellerterms": ["view"]} for role in ROLES}),
        grant("merchants", {FINANCE_MAKER: {"sellerterms": ["add"]}}),
        grant("merchants", {FINANCE_CHECKER: {"sellerterms": ["add", "approve"]}}),
    ]
