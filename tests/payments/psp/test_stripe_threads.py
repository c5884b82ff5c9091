"""One client serves many threads, and nobody gets somebody else's answer."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from payments.psp.contract import ConfirmRequest, adapter_for
from tests.channels.lines import open_channel
from tests.payments.psp.scripted import Request, ScriptedProvider, intent, json_answer

THREADS = 8


@pytest.fixture
def echo() -> Iterator[ScriptedProvider]:
    """Answers with the id that stands in the path, so that a mixed-up answer shows."""

    def answer_about(wire: object, request: Request) -> None:
        json_answer(200, intent("succeeded", id=request.path.split("/")[3]))(wire, request)

    provider = ScriptedProvider()
    provider.play(answer_about)
    yield provider
    provider.close()


@pytest.mark.django_db(transaction=True)
def test_threads_share_a_client_and_not_a_connection(echo: ScriptedProvider) -> None:
    channel, adapter = open_channel(base_url=echo.url), adapter_for("stripe")
    together = Barrier(THREADS, timeout=20)

    def pay(worker: int) -> list[bool]:
        together.wait()  # or a thread that is done early takes the turns of one that never began
        try:
            outcomes = [
                (
                    f"pi_{worker}_{turn}",
                    adapter.confirm(
                        channel=channel,
                        request=ConfirmRequest(
                            nonce=f"n-{worker}-{turn}",
                            reference=f"pi_{worker}_{turn}",
                            token="pm_1",
                            return_url="",
                        ),
                    ),
                )
                for turn in range(25)
            ]
            return [
                outcome.object is not None
                and outcome.object.reference == reference
                and len(outcome.calls) == 1
                and reference.encode() in outcome.calls[0].body
                for reference, outcome in outcomes
            ]
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        told = [right for worker in pool.map(pay, range(THREADS)) for right in worker]
    assert told == [True] * (THREADS * 25)
    assert echo.connections == THREADS
