from django.apps import AppConfig


class PayoutsConfig(AppConfig):
    name = "payouts"

    def ready(self) -> None:
        """Declare settings, audits, drains, alerts and providers, and how dead letters are replayed."""
        _register_destinations()
        _register_engine()
        _register_providers()


def _register_destinations() -> None:
    from core.alerts import declare_alert
    from core.audits import register
    from core.settings_store import declare
    from payouts.destinations import audits, notices, policy

    register(audits.INVARIANTS)
    declare(*policy.SETTINGS)
    declare_alert(*notices.ALERTS)


def _register_engine() -> None:
    from core.alerts import declare_alert
    from core.audits import register
    from core.dead_letters import register_needed, register_replay
    from core.drain import register_drain
    from core.settings_store import declare
    from payouts import audits, policy
    from payouts.drains import BatchDrain, CollectDrain
    from payouts.engine.conflicts import CONFLICT_ALERT
    from payouts.engine.failures import QUEUE, is_without_outcome, replay_batch

    register(audits.INVARIANTS)
    declare(*policy.SETTINGS)
    declare_alert(*CONFLICT_ALERT)
    register_drain(CollectDrain())
    register_drain(BatchDrain())
    register_replay(QUEUE, replay_batch)
    register_needed(QUEUE, is_without_outcome)


def _register_providers() -> None:
    from events.subscriptions import subscribe
    from payouts.bank_failures import on_bank_failure
    from payouts.providers.contract import register_provider
    from payouts.providers.sandbox import SandboxPayables
    from payouts.providers.sepa import SepaFiles
    from payouts.providers.stripe import StripeTransfers
    from payouts.services import on_payout_event

    register_provider(SandboxPayables())
    register_provider(SepaFiles())
    register_provider(StripeTransfers())
    subscribe("sandbox", "payment.", "payouts.payables", on_payout_event)
    subscribe("stripe", "payout.failed", "payouts.bank_failures", on_bank_failure)
