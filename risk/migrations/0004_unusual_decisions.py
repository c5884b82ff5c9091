from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("risk", "0003_roles")]

    operations = [
        migrations.AddIndex(
            model_name="riskdecision",
            index=models.Index(
                fields=["-id"],
                name="risk_decision_unusual",
                condition=~models.Q(decision="approve") | ~models.Q(source="rules"),
            ),
        ),
    ]
