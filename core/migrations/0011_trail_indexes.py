from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0010_figures")]

    operations = [
        migrations.AddIndex("auditrecord", models.Index(fields=["actor", "seq"], name="core_audit_actor")),
        migrations.AddIndex("auditrecord", models.Index(fields=["action", "seq"], name="core_audit_action")),
    ]
