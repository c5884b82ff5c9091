"""What the start refuses of the settings of the event stream."""

from typing import Any

import pytest

from events.checks import event_stream_is_complete


def found(settings: Any, **changes: Any) -> list[str | None]:
    for name, value in changes.items():
        setattr(settings, name, value)
    return [each.id for each in event_stream_is_complete(None)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"EVENT_STREAM": "off"}, []),
        ({"EVENT_STREAM": "rabbit"}, ["events.E003"]),
        ({"EVENT_STREAM": "kafka"}, ["events.E004"]),
        ({"EVENT_STREAM": "kafka", "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}, []),
        ({"KAFKA_OPTIONS": ["sasl.password"]}, ["events.E005"]),
        ({"EVENT_STREAM_LENGTH": 10}, ["events.E006"]),
    ],
)
def test_what_is_refused(settings: Any, changes: dict[str, Any], expected: list[str]) -> None:
    assert found(settings, **changes) == expected


def test_a_password_is_not_repeated(settings: Any) -> None:
    settings.KAFKA_OPTIONS = ["s3cret"]
    assert not [each for each in event_stream_is_complete(None) if "s3cret" in str(each)]
