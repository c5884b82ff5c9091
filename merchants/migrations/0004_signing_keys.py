import django.db.models.deletion
from django.db import migrations, models

import core.ids
from core.sqlfiles import restrict, run_sql

UUID_KEY = models.UUIDField(default=core.ids.uuid7, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [("merchants", "0003_buyer")]

    operations = [
        migrations.AlterModelOptions(name="apikey", options={"verbose_name": "API key"}),
        migrations.AddField(
            model_name="apikey", name="not_before", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("id", UUID_KEY),
                ("algorithm", models.CharField(default="RSA-SHA256", max_length=16)),
                ("public_key", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("not_before", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "api_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="signing_keys",
                        to="merchants.apikey",
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="merchants.merchant"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("algorithm", "RSA-SHA256")), name="merchants_signingkey_algorithm"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("public_key", ""), _negated=True),
                        name="merchants_signingkey_public_key",
                    ),
                ]
            },
        ),
        migrations.CreateModel(
            name="SigningNonce",
            fields=[
                ("id", UUID_KEY.clone()),
                ("nonce", models.CharField(max_length=64)),
                ("usable_until", models.DateTimeField()),
                (
                    "signing_key",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="merchants.signingkey",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("signing_key", "nonce"), name="merchants_nonce_once")
                ],
                "indexes": [models.Index(fields=["usable_until"], name="merchants_nonce_until")],
            },
        ),
        run_sql(
            "merchants",
            "signing_guards",
            reverse="DROP TRIGGER merchants_signingkey_keep_revoked ON merchants_signingkey;"
            "DROP TRIGGER merchants_signingkey_fixed ON merchants_signingkey;"
            "ALTER TABLE merchants_signingkey DROP CONSTRAINT merchants_signingkey_merchant_key;"
            "ALTER TABLE merchants_apikey DROP CONSTRAINT merchants_apikey_merchant_id;",
        ),
        restrict("merchants_signingkey", allow="SELECT, INSERT, UPDATE"),
        restrict("merchants_signingnonce", allow="SELECT, INSERT, DELETE"),
    ]
