"""Signatures against the public vectors of Standard Webhooks and against its authors' library."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from events.schedule import TRIES, next_pause
from events.signing import secrets_in_use, sign

VECTORS = json.loads((Path(__file__).parent / "data" / "standard_webhooks.json").read_text())["vectors"]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_public_vectors(vector: dict[str, Any]) -> None:
    ours = sign(
        secrets=[vector["secret"]],
        message_id=vector["webhook-id"],
        timestamp=vector["webhook-timestamp"],
        body=vector["body"].encode(),
    )
    assert (ours in vector["webhook-signature"].split(" ")) is vector["valid"]


@given(st.binary(min_size=1, max_size=64), st.text(max_size=200), st.integers(0, 2**32))
def test_the_authors_library_signs_alike(key: bytes, body: str, timestamp: int) -> None:
    import base64

    secret = "whsec_" + base64.b64encode(key).decode()
    try:
        body.encode()
    except UnicodeEncodeError:
        return
    ours = sign(secrets=[secret], message_id="evt_1", timestamp=timestamp, body=body.encode())
    assert ours == Webhook(secret).sign("evt_1", datetime.fromtimestamp(timestamp, UTC), body)


def test_secrets_in_use() -> None:
    stored = [
        {"secret": "new", "expires_at": None},
        {"secret": "old", "expires_at": (NOW + timedelta(seconds=1)).isoformat()},
    ]
    assert secrets_in_use(stored, now=NOW) == ["new", "old"]
    assert secrets_in_use(stored, now=NOW + timedelta(seconds=1)) == ["new"]


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("7", 7),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60),
        ("Wed, 31 Dec 2025 00:01:00 GMT", 5),
        ("Thu, 01 Jan 2099 00:00:00 GMT", 86_400),
        ("9" * 5000, 86_400),
        ("²", 5),
        ("1e9", 5),
    ],
)
def test_retry_after(retry_after: str, seconds: int) -> None:
    pause = next_pause(failures=1, retry_after=retry_after, now=NOW)
    assert pause is not None
    assert seconds * 0.9 <= pause.total_seconds() <= seconds * 1.1


@given(st.text(max_size=64))
def test_any_retry_after_is_survived(text: str) -> None:
    pause = next_pause(failures=1, retry_after=text, now=NOW)
    assert pause is not None
    assert timedelta(seconds=4) <= pause <= timedelta(days=1)


def test_the_schedule_ends() -> None:
    pauses = [next_pause(failures=failures, retry_after="", now=NOW) for failures in range(1, TRIES)]
    assert None not in pauses
    assert next_pause(failures=TRIES, retry_after="10", now=NOW) is None
