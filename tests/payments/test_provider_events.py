"""Which events a provider is asked for: what pay-in follows must come, and nothing that nobody reads."""

from events.subscriptions import _SUBSCRIPTIONS, subscribers
from ops.demo import EVENTS

# What these read tells again what the others were told.
REPEATS = {"payments.pages", "payments.charge_refunds"}


def test_everybody_who_follows_money_hears_of_it() -> None:
    ours = {each.name for each in _SUBSCRIPTIONS.values() if each.name.split(".")[0] == "payments"}
    heard = {name for event in EVENTS for name in subscribers("stripe", event)}
    assert ours - REPEATS <= heard


def test_nothing_comes_that_nobody_reads() -> None:
    assert [event for event in EVENTS if not subscribers("stripe", event)] == []
