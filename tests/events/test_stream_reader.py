"""The reader that the documentation shows: run as it stands there."""

import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from redis import Redis

from events.streams.redis_stream import KEY
from tests.events.cast import open_merchant
from tests.events.streaming import feed, publish, run

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = settings.BASE_DIR / "docs" / "concepts" / "event-stream.md"


def shown() -> Any:
    found = re.search(r"<!-- reader -->\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)
    return names["read_on"]


def test_it_reads_everything_once_and_notices_what_is_missing(redis: Redis) -> None:
    read_on, merchant = shown(), open_merchant()
    with closing(sqlite3.connect(":memory:")) as own:
        publish(merchant, "pay_1", 1, 2)
        run()
        assert (read_on(redis, own), read_on(redis, own)) == (2, 0)
        publish(merchant, "pay_1", 3)
        run()
        redis.delete(KEY)
        publish(merchant, "pay_1", 4)
        run()
        with pytest.raises(LookupError, match=f"behind {feed()[1]} "):
            read_on(redis, own)
        call_command("republish_events", "--from", "0", "--reason", "it was flushed")
        run()
        assert (read_on(redis, own), read_on(redis, own)) == (2, 0)
        assert [place for (place,) in own.execute("SELECT place FROM taken ORDER BY place")] == feed()
