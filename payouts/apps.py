from django.apps import AppConfig


class PayoutsConfig(AppConfig):
    name = "payouts"

    def ready(self) -> None:
        """Declare settings and alerts; each part of pay-out has a function of its own below."""
        _register_destinations()
        _register_policy()
        _register_providers()


def _register_destinations() -> None:
    from core.alerts import declare_alert
    from core.settings_store import declare
    from payouts.destinations import notices, policy

    declare(*policy.SETTINGS)
    declare_alert(*notices.ALERTS)


def _register_policy() -> None:
    from core.settings_store import declare
    from payouts import policy

    declare(*policy.SETTINGS)


def _register_providers() -> None:
    from events.subscriptions import subscribe
    from payouts.bank_failures import on_bank_failure
    from payouts.providers.contract import register_provider
    from payouts.providers.sepa import SepaFiles
    from payouts.providers.stripe import StripeTransfers

    register_provider(SepaFiles())
    register_provider(StripeTransfers())
    subscribe("stripe", "payout.failed", "payouts.bank_failures", on_bank_failure)
