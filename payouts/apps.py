from django.apps import AppConfig


class PayoutsConfig(AppConfig):
    name = "payouts"

    def ready(self) -> None:
        """Declare what pay-out has; each part of it has a function of its own below."""
        _register_destinations()
        _register_policy()
        _register_engine()
        _register_providers()
        _register_schedules()
        _register_cards()
        _register_metrics()


def _register_destinations() -> None:
    from core.alerts import declare_alert
    from core.audits import register
    from core.settings_store import declare
    from payouts.destinations import audits, notices, policy

    register(audits.INVARIANTS)
    declare(*policy.SETTINGS)
    declare_alert(*notices.ALERTS)


def _register_policy() -> None:
    from core.settings_store import declare
    from payouts import policy

    declare(*policy.SETTINGS)


def _register_engine() -> None:
    from core.alerts import declare_alert
    from core.audits import register
    from core.dead_letters import register_needed, register_replay
    from core.drain import register_drain
    from core.settings_store import declare
    from payouts import audits
    from payouts.drains import BatchDrain, CollectDrain
    from payouts.engine import watch
    from payouts.engine.conflicts import CONFLICT_ALERT
    from payouts.engine.failures import QUEUE, is_without_outcome, replay_batch

    register(audits.INVARIANTS)
    declare(*watch.SETTINGS)
    declare_alert(*CONFLICT_ALERT, *watch.ALERTS)
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
    subscribe("stripe", "transfer.", "payouts.transfers", on_payout_event)
    subscribe("stripe", "payout.failed", "payouts.bank_failures", on_bank_failure)


def _register_schedules() -> None:
    from core.dead_letters import register_replay
    from payouts import admin_schedules  # noqa: F401 - its console pages
    from payouts.schedules.asking import QUEUE, replay_scheduled_payout

    register_replay(QUEUE, replay_scheduled_payout)


def _register_cards() -> None:
    from core.overview import register_card
    from payouts import cards

    register_card("payouts.view_payout", cards.under_way_card)


def _register_metrics() -> None:
    from core.metrics import register_gauges
    from payouts import metrics

    register_gauges(*metrics.GAUGES)
