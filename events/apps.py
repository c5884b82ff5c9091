from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"

    def ready(self) -> None:
        """Make drains, consumers, invariants, alerts, replays of dead letters and checks known."""
        from core.alerts import declare_alert
        from core.audits import register
        from core.dead_letters import register_replay
        from core.drain import register_drain
        from core.metrics import register_gauges
        from core.settings_store import declare
        from events import checks as _checks  # noqa: F401 - registers itself
        from events import inbox, metrics
        from events.audits import INVARIANTS
        from events.consumers import taking
        from events.consumers.daily_revenue import RevenueByDay
        from events.deliveries import DeliveryDrain
        from events.notices import ALERTS
        from events.relay import Relay
        from events.sender_alerts import AlertDrain, replay_notice
        from events.streams import watch
        from events.streams.publisher import StreamDrain

        register_gauges(*metrics.GAUGES)
        register_drain(inbox.InboxDrain())
        register_drain(Relay())
        register_drain(DeliveryDrain())
        register_drain(StreamDrain())
        register_drain(AlertDrain())
        register_replay(AlertDrain.name, replay_notice)
        register_replay(inbox.QUEUE, inbox.replay)
        revenue = RevenueByDay()
        taking.register_consumer(revenue)
        register_replay(taking.queue_of(revenue), taking.replay_event)
        declare(watch.LAG)
        declare_alert(*watch.ALERTS)
        register(INVARIANTS)
        declare_alert(*ALERTS)
