from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class ChannelsConfig(AppConfig):
    name = "channels"

    def ready(self) -> None:
        """Refuse to start where a delivery's age would not be checked: zero would switch the check off."""
        from channels import metrics
        from core.prometheus_rules import declare_rules

        if not 1 <= settings.PSP_WEBHOOK_TOLERANCE <= 900:
            raise ImproperlyConfigured("PSP_WEBHOOK_TOLERANCE must be between 1 and 900 seconds")
        declare_rules(*metrics.RULES)
