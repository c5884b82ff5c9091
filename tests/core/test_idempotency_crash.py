"""The process dies around the commit of a one-time POST; the store sends the same request again."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from core import failpoints
from core.models import IdempotencyRecord
from merchants.models import Seller
from tests.store import Store, open_store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
BODY = json.dumps({"seller_account": "ada", "name": "Ada", "country": "DE"})


@pytest.fixture
def port(hooks: Path, tmp_path: Path) -> Iterator[int]:
    """A real server with one worker process, on the test database; its master replaces a dead worker."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    database = connection.settings_dict
    environment = {
        **os.environ,
        "DATABASE_URL": "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database),
        "TEST_HOOKS": "True",
        "HOOKS_DIR": str(hooks),
    }
    log = (tmp_path / "server.log").open("wb")
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{number}", "--threads", "2"],
        env=environment,
        cwd=settings.BASE_DIR,
        stdout=log,
        stderr=log,
    )
    try:
        _wait_until_ready(number, tmp_path / "server.log")
        yield number
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def _wait_until_ready(port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if _call(port, "GET", "/healthz", {}).status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not start: {log.read_text()}")


def _call(port: int, method: str, path: str, headers: dict[str, str], body: str | None = None) -> Any:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request(method, path, body, headers)
    response = client.getresponse()
    response.content = response.read()  # type: ignore[attr-defined]
    client.close()
    return response


def _post(port: int, store: Store) -> Any:
    headers = {
        "Authorization": f"Bearer {store.secret}",
        "Idempotency-Key": "once",
        "Content-Type": "application/json",
    }
    return _call(port, "POST", "/v1/sellers", headers, BODY)


@pytest.mark.parametrize(
    ("place", "is_done"),
    [("idem.before_record", False), ("idem.before_commit", False), ("idem.after_commit", True)],
)
def test_killed_around_the_commit_f_a1_f_a4_f_b10(port: int, place: str, is_done: bool) -> None:
    """F-A1, F-A4, F-B10: before the commit nothing is left, after it the retry gets the stored answer."""
    store = open_store()
    failpoints.arm(place, "kill")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        _post(port, store)
    assert len(failpoints.fired(place)) == 1
    assert Seller.objects.filter(merchant_id=store.merchant_id).exists() is is_done
    stored = [bytes(body) for body in IdempotencyRecord.objects.values_list("body", flat=True)]
    retry = _post(port, store)
    assert retry.status == 201
    assert (retry.headers.get("Idempotent-Replayed") == "true") is is_done
    assert not is_done or stored == [retry.content]
    again = _post(port, store)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (retry.content, "true")
    assert Seller.objects.filter(merchant_id=store.merchant_id).count() == 1
