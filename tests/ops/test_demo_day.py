"""The parts of `make demo-day` that need no running system: plan, money, figures, patience."""

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.demo_day.client import Client, Refused
from ops.demo_day.courses import COURSES
from ops.demo_day.money import EXPONENTS, in_currency, minor_of, text_of
from ops.demo_day.people import Page, one_time_code
from ops.demo_day.plan import FROM_WALLET, OF_PATIENT, PATIENT, SELLERS, SHARES, USUAL, make_plan
from ops.demo_day.proof import Proof, Row

seeds = st.integers(0, 2**32)


@given(seeds, st.integers(40, 400))
def test_a_seed_has_one_day(seed: int, payments: int) -> None:
    plan = make_plan(payments=payments, seed=seed)
    assert plan == make_plan(payments=payments, seed=seed)
    assert len(plan.buys) == payments
    assert plan.buys != make_plan(payments=payments, seed=seed + 1).buys


@given(seeds)
def test_every_course_is_played_and_known(seed: int) -> None:
    """A course that nobody wrote would be a plain purchase, so every name of the plan is in the table."""
    played = Counter(buy.course for buy in make_plan(payments=1_000, seed=seed).buys)
    assert set(played) == {USUAL, *SHARES}
    plain = {USUAL, "instant", "secured"}
    assert set(SHARES) - plain <= set(COURSES)
    assert all(played[course] == share for course, share in SHARES.items())


@given(seeds)
def test_baskets_are_what_the_api_takes(seed: int) -> None:
    known = {each.account for each in SELLERS}
    names = []
    for buy in make_plan(payments=300, seed=seed).buys:
        sellers = [each.seller for each in buy.orders]
        assert 1 <= len(sellers) <= 4 and len(set(sellers)) == len(sellers) and set(sellers) <= known
        assert len({each.currency for each in buy.orders}) == 1 or buy.course == "mixed"
        for order in buy.orders:
            assert order.minor > 0 and (order.currency != "KWD" or order.minor % 10 == 0)
            names.append(order.reference)
        if buy.course in OF_PATIENT:
            assert sellers == [PATIENT]
    assert len(set(names)) == len(names)


@given(seeds)
def test_wallets_hold_what_is_spent_from_them(seed: int) -> None:
    plan = make_plan(payments=500, seed=seed)
    left = plan.top_ups()
    for buy in plan.buys:
        if buy.course in FROM_WALLET:
            left[buy.buyer] -= buy.minor
    assert left and all(each == 500 for each in left.values())
    assert all(minor > 0 for _, _, minor in plan.grants())


@given(st.sampled_from(sorted(EXPONENTS)), st.integers(-(10**12), 10**12))
def test_amounts_there_and_back(unit: str, minor: int) -> None:
    assert minor_of(text_of(minor, unit), unit) == minor


@pytest.mark.parametrize(
    ("minor", "unit", "text"),
    [(1234, "USD", "12.34"), (5, "EUR", "0.05"), (1234, "JPY", "1234"), (1230, "KWD", "1.230")],
)
def test_amounts_as_the_api_has_them(minor: int, unit: str, text: str) -> None:
    assert text_of(minor, unit) == text
    assert text_of(-minor, unit) == f"-{text}"


def test_prices_abroad() -> None:
    assert [in_currency(1999, unit) for unit in ("USD", "EUR", "JPY", "KWD")] == [1999, 1799, 2998, 5990]


@pytest.mark.parametrize(
    ("at", "code"), [(59, "287082"), (1111111109, "081804"), (2000000000, "279037"), (20000000000, "353130")]
)
def test_one_time_codes_are_those_of_the_standard(at: int, code: str) -> None:
    """RFC 6238, appendix B, the last six of its eight digits."""
    assert one_time_code(b"12345678901234567890", at=at) == code


def test_a_page_is_read() -> None:
    page = Page(200, "/x", '<p>A &amp; B<input value="7&quot;" name="digest"><a href="/y/1/">y</a></p>')
    assert page.text == "A & B y"
    assert page.value("digest") == '7"'
    assert page.value("approval") == ""


def test_a_figure_holds_only_when_all_say_the_same() -> None:
    assert Row("captured", {"orders": 5, "provider": 5, "books": 5}).holds
    assert not Row("captured", {"orders": 5, "provider": 5, "books": 6}).holds
    assert Row("captured", {"provider": 5, "books": 6}, named=1, why="a break").holds
    assert not Row("captured", {"provider": 5, "books": 7}, named=1, why="a break").holds


def test_one_wrong_figure_spoils_the_proof() -> None:
    good, bad = Row("a", {"orders": 1, "books": 1}), Row("b", {"bank": 1, "books": 2})
    assert Proof({"USD": [good]}).holds
    spoilt = Proof({"USD": [good], "EUR": [bad]})
    assert not spoilt.holds
    assert "DIFFERS" in "\n".join(spoilt.lines())


class Moody(BaseHTTPRequestHandler):
    """Answers what the test says, one after the other, and keeps the keys it saw."""

    answers: list[int]
    keys: list[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.keys.append(self.headers.get("Idempotency-Key") or "")
        status = self.answers.pop(0)
        if not status:
            self.connection.close()
            return
        body = b'{"ok": true}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def moody() -> Iterator[Client]:
    Moody.answers, Moody.keys = [], []
    server = HTTPServer(("127.0.0.1", 0), Moody)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Client(f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    server.server_close()


def test_the_same_key_until_it_is_answered(moody: Client) -> None:
    Moody.answers = [503, 0, 429, 201]
    assert moody.post("/v1/payments", {"a": 1}, key="k") == {"ok": True}
    assert Moody.keys == ["k"] * 4


def test_a_no_is_not_asked_twice(moody: Client) -> None:
    Moody.answers = [422, 201]
    with pytest.raises(Refused):
        moody.post("/v1/payments", {"a": 1}, key="k")
    assert Moody.answers == [201]


def test_without_a_key_silence_is_not_repeated(moody: Client) -> None:
    Moody.answers = [0, 201]
    with pytest.raises(OSError):
        moody.post("/_sandbox/clock", {"seconds": 1})
    assert Moody.answers == [201]
