"""Every way in which a call can go wrong ends in the right one of five outcomes (F-A5 … F-A12, F-A15)."""

import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, transaction

from channels.selectors import calls_of
from channels.services import deadline, is_open, note_result, set_enabled
from channels.types import ChannelData
from core.ids import uuid7
from payments.psp.contract import (
    AttachRequest,
    CancelRequest,
    ConfirmRequest,
    CustomerRequest,
    Outcome,
    OutcomeKind,
    PspStatus,
    RegisterRequest,
    adapter_for,
)
from tests.channels.lines import keep_calls, open_channel
from tests.payments.psp.certificates import self_signed
from tests.payments.psp.scripted import (
    ScriptedProvider,
    answer,
    drip,
    error,
    hang_up,
    intent,
    json_answer,
    reset,
    silence,
)

ADAPTER = adapter_for("stripe")
GOOD = json_answer(200, intent("succeeded"), headers={"Request-Id": "req_theirs"})


def confirm(channel: ChannelData, nonce: str = "nonce-1") -> Outcome:
    request = ConfirmRequest(
        nonce=nonce, reference="pi_1", token="pm_card_visa", return_url="https://a.example"
    )
    return ADAPTER.confirm(channel=channel, request=request)


def register(channel: ChannelData, **changes: object) -> Outcome:
    values = {"amount_minor": 1000, "currency": "USD", "capture": "automatic", **changes}
    return ADAPTER.register(
        channel=channel, request=RegisterRequest(nonce="nonce-r", our_reference="chg_1", **values)
    )


CUT = answer(200, b'{"id": "pi_1", "object": "payment_in', length=5000)
UNTRUSTED = {
    "500 empty": answer(500, b"", kind=""),
    "500 json": error(500, kind="api_error"),
    "500 no error inside": json_answer(500, {"what": 1}),
    "502 html": answer(502, b"<html>bad gateway</html>", kind="text/html"),
    "200 html": answer(200, b"<html>welcome</html>", kind="text/html"),
    "200 truncated": CUT,
    "200 json cut inside": answer(200, b'{"id": "pi_1", "object"'),
    "200 good json, wrong type": json_answer(200, intent("succeeded"), kind="text/plain"),
    "200 good json, no type": json_answer(200, intent("succeeded"), kind=""),
    "200 not utf-8": answer(200, b"\xff\xfe\x00"),
    "200 a list": json_answer(200, [intent("succeeded")]),
    "200 null": json_answer(200, None),
    "200 other object": json_answer(200, {"id": "cus_1", "object": "customer"}),
    "200 no amount": json_answer(200, {**intent("succeeded"), "amount": None}),
    "200 amount a float": json_answer(200, intent("succeeded", amount=1000.0)),
    "200 amount negative": json_answer(200, intent("succeeded", amount_received=-1)),
    "200 unknown status": json_answer(200, intent("half_paid")),
    "200 unknown currency": json_answer(200, intent("succeeded", currency="zzz")),
    "200 redirect to a script": json_answer(
        200, intent("requires_action", next_action={"redirect_to_url": {"url": "javascript:alert(1)"}})
    ),
    "200 nested for ever": answer(200, b"[" * 200_000 + b"]" * 200_000),
    "200 nothing acted upon": json_answer(200, intent()),
    "302": answer(302, b"{}", headers={"Location": "/elsewhere"}),
    "402 that says paid": json_answer(
        402, {"error": {"type": "card_error", "code": "card_declined", "payment_intent": intent("succeeded")}}
    ),
    "404 no such object": error(404, code="resource_missing", param="intent"),
    "400 other state, no object": error(400, code="payment_intent_unexpected_state"),
    "not http": lambda connection, request: connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n"),
    "endless header": lambda connection, request: connection.sendall(
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70000
    ),
    "103 early": answer(103, b""),
    "reset": reset,
    "hang up": hang_up,
}


@pytest.mark.parametrize("script", UNTRUSTED.values(), ids=UNTRUSTED.keys())
def test_an_answer_that_cannot_be_trusted_is_unknown(
    channel: ChannelData, provider: ScriptedProvider, script: object
) -> None:
    """F-A7, F-A8: never failed, never succeeded, and no exception."""
    provider.play(script)
    outcome = confirm(channel)
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert not outcome.conflict and outcome.decline is None
    assert outcome.error
    assert len(provider.requests) == 1, "nothing is sent twice"
    (record,) = outcome.calls
    assert record.bytes_sent is True
    assert record.kind == "confirm"


def test_what_came_back_is_kept_as_it_came(channel: ChannelData, provider: ScriptedProvider) -> None:
    """F-A8: the raw bytes are evidence; cut and without secrets."""
    provider.play(answer(502, b"\xff<html>bad</html>" + b"x" * 40_000, kind="text/html"))
    outcome = confirm(channel)
    assert outcome.calls[0].body.startswith(b"\xff<html>bad")
    assert len(outcome.calls[0].body) == 16 * 1024
    assert outcome.calls[0].http_status == 502
    provider.play(CUT)
    assert confirm(channel).calls[0].body.startswith(b'{"id": "pi_1"')


@pytest.mark.parametrize(
    "script",
    [
        silence,
        drip(b"HTTP/1.1 100 Continue\r\n\r\n"),
        drip(b"X: y\r\n", before=b"HTTP/1.1 200 OK\r\n", pause=0.2),
        drip(
            b"1", before=b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
        ),
        answer(200, b"{}", after=5),
    ],
    ids=["silence", "1xx flood", "dripping headers", "dripping body", "late"],
)
def test_one_deadline_ends_every_wait(
    channel: ChannelData, provider: ScriptedProvider, script: object
) -> None:
    """F-A5, F-A8, F-A15: the call ends in time, is unknown, and was made once."""
    provider.play(script)
    began = time.monotonic()
    outcome = confirm(channel)
    assert time.monotonic() - began < 4
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert len(provider.requests) == 1
    assert provider.requests[0].headers["idempotency-key"] == "nonce-1"


def test_a_caller_in_a_hurry_gets_a_shorter_deadline(
    db: None, provider: ScriptedProvider, settings: object
) -> None:
    """A person waits for the page: 0.2 s, though the settings would allow more."""
    channel = open_channel(base_url=provider.url)
    provider.play(silence)
    began = time.monotonic()
    with deadline(0.2):
        assert confirm(channel).kind is OutcomeKind.UNKNOWN
    assert time.monotonic() - began < 2


def test_a_refused_connection_was_not_sent(db: None, quick: None) -> None:
    """F-A6"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    outcome = confirm(open_channel(base_url=f"http://127.0.0.1:{port}"))
    assert outcome.kind is OutcomeKind.NOT_SENT
    assert not outcome.permanent
    assert "ConnectionRefusedError" in outcome.error
    assert outcome.calls[0].bytes_sent is False
    assert outcome.calls[0].http_status is None


def test_a_name_that_does_not_resolve_was_not_sent(db: None, quick: None) -> None:
    """F-A6"""
    outcome = confirm(open_channel(base_url="http://no-such-host.invalid"))
    assert outcome.kind is OutcomeKind.NOT_SENT
    assert outcome.calls[0].bytes_sent is False


def test_a_connection_that_times_out_was_not_sent(db: None, quick: None) -> None:
    """F-A6: a listener whose queue is full does not answer the handshake."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        outcome = confirm(open_channel(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}"))
        for filler in fillers:
            filler.close()
    assert outcome.kind is OutcomeKind.NOT_SENT
    assert "TimeoutError" in outcome.error


@pytest.mark.parametrize("pinned", [False, True])
def test_a_certificate_nobody_vouches_for_was_not_sent(
    db: None, quick: None, tmp_path: object, pinned: bool
) -> None:
    """F-A6: TLS fails before a byte of the request; with that certificate pinned the request goes out."""
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    heard.append(secure.recv(4))
            except OSError:
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        outcome = confirm(open_channel(base_url=url, ca_pem=certificate.read_text() if pinned else ""))
        thread.join(5)
    if pinned:
        assert (outcome.kind, heard) == (OutcomeKind.UNKNOWN, [b"POST"])
    else:
        assert (outcome.kind, heard) == (OutcomeKind.NOT_SENT, [])
        assert "SSLCertVerificationError" in outcome.error


def test_a_key_in_use_is_unknown_and_is_asked_about_soon(
    channel: ChannelData, provider: ScriptedProvider
) -> None:
    """F-A9: twice 409, then the result, all under one key."""
    busy = error(409, kind="idempotency_error", code="idempotency_key_in_use", headers={"Retry-After": "2"})
    provider.play(busy, error(409, code="idempotency_key_in_use"), GOOD)
    first, second, third = (confirm(channel) for _ in range(3))
    assert (first.kind, first.retry_after, first.conflict) == (OutcomeKind.UNKNOWN, 2.0, False)
    assert (second.kind, second.retry_after) == (OutcomeKind.UNKNOWN, 1.0)
    assert third.kind is OutcomeKind.SUCCEEDED
    assert {request.headers["idempotency-key"] for request in provider.requests} == {"nonce-1"}


def test_a_key_used_with_other_parameters_is_a_conflict(
    channel: ChannelData, provider: ScriptedProvider
) -> None:
    """F-A10: frozen for a person."""
    provider.play(error(400, kind="idempotency_error"))
    outcome = confirm(channel)
    assert (outcome.kind, outcome.conflict) == (OutcomeKind.UNKNOWN, True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("", None), ("soon", None), ("99999999999999", 600.0), ("-3", None)],
)
def test_turned_away_for_load_was_not_sent(
    channel: ChannelData, provider: ScriptedProvider, header: str, seconds: float | None
) -> None:
    """F-A11: the provider's wish is passed on; nonsense is not."""
    provider.play(error(429, code="rate_limit", headers={"Retry-After": header} if header else {}))
    outcome = confirm(channel)
    assert (outcome.kind, outcome.retry_after) == (OutcomeKind.NOT_SENT, seconds)
    assert not outcome.permanent


def test_a_date_to_come_back_at_is_understood(channel: ChannelData, provider: ScriptedProvider) -> None:
    """F-A11"""
    when = (datetime.now(UTC) + timedelta(seconds=60)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    provider.play(error(429, headers={"Retry-After": when}))
    wait = confirm(channel).retry_after
    assert wait is not None and 50 < wait <= 61


def test_overload_does_not_open_the_breaker(channel: ChannelData, provider: ScriptedProvider) -> None:
    """F-A11: a provider that says when to come again is alive."""
    provider.play(error(429))
    for _ in range(12):
        confirm(channel)
    assert not is_open(channel_id=channel.id)
    assert len(provider.requests) == 12


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_ours_any_more_is_permanent(
    channel: ChannelData, provider: ScriptedProvider, status: int
) -> None:
    provider.play(error(status))
    outcome = confirm(channel)
    assert (outcome.kind, outcome.permanent) == (OutcomeKind.NOT_SENT, True)
    assert str(status) in outcome.error


def test_a_failing_line_is_left_alone_then_probed(
    channel: ChannelData, provider: ScriptedProvider, settings: object
) -> None:
    """F-A12: after five failures nothing is sent; after the rest one call goes out, and it decides."""
    settings.PSP_BREAKER_REST = 0.3
    provider.play(*[answer(500, b"", kind="")] * 5, GOOD)
    assert [confirm(channel).kind for _ in range(5)] == [OutcomeKind.UNKNOWN] * 5
    assert is_open(channel_id=channel.id)
    refused = confirm(channel)
    assert refused.kind is OutcomeKind.NOT_SENT
    assert refused.retry_after is not None and 0 < refused.retry_after <= 0.3
    assert refused.calls == () and len(provider.requests) == 5
    end = time.monotonic() + 5
    while is_open(channel_id=channel.id) and time.monotonic() < end:
        threading.Event().wait(0.01)
    assert confirm(channel).kind is OutcomeKind.SUCCEEDED
    assert not is_open(channel_id=channel.id)


def test_a_slow_line_counts_as_failing(
    channel: ChannelData, provider: ScriptedProvider, settings: object
) -> None:
    """F-A12: every answer is good and too late; the outcomes stand, and the line is left alone."""
    settings.PSP_SLOW_CALL = 0.01
    provider.play(json_answer(200, intent("succeeded"), after=0.03))
    assert [confirm(channel).kind for _ in range(5)] == [OutcomeKind.SUCCEEDED] * 5
    assert confirm(channel).kind is OutcomeKind.NOT_SENT


def test_a_channel_that_is_off_answers_questions_only(
    channel: ChannelData, provider: ScriptedProvider
) -> None:
    provider.play(GOOD)
    with transaction.atomic():
        set_enabled(channel_id=channel.id, enabled=False, actor="user:1", reason="maintenance")
    assert confirm(channel).kind is OutcomeKind.NOT_SENT
    assert provider.requests == []
    assert ADAPTER.query(channel=channel, reference="pi_1").kind is OutcomeKind.SUCCEEDED


def test_a_mistake_of_our_own_is_known_not_to_be_sent(
    channel: ChannelData, provider: ScriptedProvider
) -> None:
    """An id that the SDK cannot put into a path: nothing goes out, and trying again will not help."""
    outcome = ADAPTER.query(channel=channel, reference=None)
    assert (outcome.kind, outcome.permanent, outcome.calls) == (OutcomeKind.NOT_SENT, True, ())


def test_a_database_that_is_down_is_no_reason_to_give_up(
    channel: ChannelData, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The channel cannot be read: nothing was sent, and the next try may well succeed."""

    def cut(channel_id: object) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr("channels.exchange.line_by_id", cut)
    outcome = confirm(channel)
    assert (outcome.kind, outcome.permanent) == (OutcomeKind.NOT_SENT, False)
    assert provider.requests == []


def test_no_call_inside_a_transaction(channel: ChannelData, provider: ScriptedProvider) -> None:
    requests = [
        lambda: confirm(channel),
        lambda: register(channel),
        lambda: ADAPTER.query(channel=channel, reference="pi_1"),
        lambda: ADAPTER.cancel(channel=channel, request=CancelRequest(nonce="n", reference="pi_1")),
        lambda: ADAPTER.create_customer(
            channel=channel, request=CustomerRequest(nonce="n", our_reference="chk_1")
        ),
        lambda: ADAPTER.attach(
            channel=channel, request=AttachRequest(nonce="n", customer_reference="cus_1", token="pm_1")
        ),
    ]
    for request in requests:
        with transaction.atomic(), pytest.raises(RuntimeError, match="must not be in a transaction"):
            request()
    assert provider.requests == []


def test_an_amount_that_stripe_cannot_take_is_refused_unsent(
    channel: ChannelData, provider: ScriptedProvider
) -> None:
    outcome = register(channel, amount_minor=1001, currency="KWD")
    assert outcome.kind is OutcomeKind.DECLINED
    assert outcome.decline is not None and outcome.decline.code == "amount_not_supported"
    assert provider.requests == []


def test_a_refusal_before_execution_has_a_code(channel: ChannelData, provider: ScriptedProvider) -> None:
    provider.play(error(400, code="amount_too_small", param="amount"), error(400, param="currency"))
    codes = [register(channel).decline.code for _ in range(2)]
    assert codes == ["amount_not_supported", "currency_not_supported"]


def test_an_object_that_was_elsewhere_already_tells_where(
    channel: ChannelData, provider: ScriptedProvider
) -> None:
    """The first answer was lost, the key is forgotten, and the second confirm finds the payment made."""
    for status in ("succeeded", "canceled"):
        provider.play(error(400, code="payment_intent_unexpected_state", payment_intent=intent(status)))
        outcome = confirm(channel)
        assert outcome.kind is OutcomeKind.SUCCEEDED
        assert outcome.object is not None
    assert outcome.object.status is PspStatus.CANCELED


def test_evidence_is_kept_without_secrets(channel: ChannelData, provider: ScriptedProvider) -> None:
    provider.play(
        json_answer(200, intent("succeeded", receipt_email="ada@example.com", note="4242424242424242"))
    )
    operation_id = uuid7()
    outcome = confirm(channel)
    with transaction.atomic():
        keep_calls(calls=outcome.calls, operation_id=operation_id)
    (kept,) = calls_of(merchant_id=channel.merchant_id, operation_id=operation_id)
    assert kept == outcome.calls[0]
    assert len(kept.request_digest) == 32
    for secret in (b"do_not_keep", b"ada@example.com", b"4242424242424242"):
        assert secret not in kept.body
    assert b'"amount_received": 1000' in kept.body


def test_evidence_of_another_merchant_is_not_shown(channel: ChannelData, provider: ScriptedProvider) -> None:
    provider.play(GOOD)
    operation_id = uuid7()
    outcome = confirm(channel)
    with transaction.atomic():
        keep_calls(calls=outcome.calls, operation_id=operation_id)
    assert calls_of(merchant_id=uuid7(), operation_id=operation_id) == []


def test_the_first_good_answer_after_a_failure_is_noticed_once(channel: ChannelData) -> None:
    asked = [note_result(channel_id=channel.id, ok=ok) for ok in (True, False, False, True, True)]
    assert asked == [False, False, False, True, False]


def test_the_request_is_what_stripe_expects(channel: ChannelData, provider: ScriptedProvider) -> None:
    """F-A15: pinned version, our nonce as the key, the key as bearer, no telemetry, one request."""
    provider.play(GOOD)
    confirm(channel)
    (request,) = provider.requests
    assert (request.method, request.path) == ("POST", "/v1/payment_intents/pi_1/confirm")
    assert request.headers["stripe-version"] == "2026-10-28.endive"
    assert request.headers["idempotency-key"] == "nonce-1"
    assert request.headers["authorization"] == "Bearer sk_test_secret"
    assert b"payment_method=pm_card_visa" in request.body


def test_a_connection_is_used_again_and_a_dead_one_is_not(
    channel: ChannelData, provider: ScriptedProvider
) -> None:
    def good_then_bye(connection: socket.socket, request: object) -> None:
        GOOD(connection, request)
        connection.shutdown(socket.SHUT_WR)

    provider.play(GOOD, GOOD, good_then_bye, GOOD)
    assert [confirm(channel).kind for _ in range(3)] == [OutcomeKind.SUCCEEDED] * 3
    assert provider.connections == 1
    assert confirm(channel).kind is OutcomeKind.SUCCEEDED
    assert provider.connections == 2
