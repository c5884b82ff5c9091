"""Settlement files on their way in: received once, whole or refused whole, and versions of one document."""

from datetime import date
from io import BytesIO
from typing import Any

import pytest

from reconciliation.errors import FileRefused, FileTooLarge, SourceUnknown
from reconciliation.ingest import body as bodies
from reconciliation.models import LineChange, SettlementFile, SettlementFilePart, SettlementSource
from reconciliation.selectors import find_lines, get_file, list_changes, read_body
from reconciliation.services import receive_file
from reconciliation.types import ReceivedFile
from tests.reconciliation.conftest import Desk
from tests.reconciliation.plain import settlement

pytestmark = pytest.mark.django_db
GOOD = settlement(("ch_1", 10_000), ("ch_2", 5_000), ("re_1", -2_000))


def test_a_file_is_published_with_all_its_lines(desk: Desk) -> None:
    """What was received is kept byte for byte; what it says counts."""
    received = desk.send(desk.source(), GOOD)
    file = desk.file(received)
    assert (file.status, file.version, file.document) == ("PUBLISHED", 1, "2026-01-05")
    assert (file.staged_lines, file.lines_count, file.due_at, file.leased_until) == (3, 3, None, None)
    assert [(each.reference, each.net_minor, each.line_no) for each in desk.lines(received)] == [
        ("ch_1", 9_900, 2),
        ("ch_2", 4_950, 3),
        ("re_1", -2_020, 4),
    ]
    assert [each.reference for each in find_lines(file_id=file.id)] == ["ch_1", "ch_2", "re_1"]
    assert [each.reference for each in find_lines(file_id=file.id, reference="ch_2")] == ["ch_2"]
    assert file.totals["counted"]["EUR"]["net"] == 12_830
    assert b"".join(read_body(file_id=file.id)) == GOOD
    assert get_file(file_id=file.id).source_name == file.source.name


def test_a_body_of_many_parts_is_kept_whole(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts and their end are where they were; a packed body too, and it is read from its end."""
    import gzip
    import io
    import zipfile

    from reconciliation.ingest import reading, receive

    for module in (bodies, reading, receive):
        monkeypatch.setattr(module, "PART_BYTES", 16)
    monkeypatch.setattr(receive, "_PARTS_AT_ONCE", 2)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("file.txt", GOOD)
    for packing, body in (("", GOOD), ("gzip", gzip.compress(GOOD)), ("zip", zipped.getvalue())):
        received = desk.send(desk.source(), body)
        file = desk.file(received)
        assert (file.status, file.packing, file.size) == ("PUBLISHED", packing, len(body))
        assert SettlementFilePart.objects.filter(file=file).count() == -(-len(body) // 16)
        assert b"".join(read_body(file_id=file.id)) == body


def test_the_same_body_again_has_no_effect(desk: Desk) -> None:
    """F-H2, I34: one file, one set of lines, whatever its name is; another source has its own."""
    source = desk.source()
    first = desk.send(source, GOOD)
    again = desk.send(source, GOOD, name="other.txt", by="user:bob")
    assert (again.file_id, again.is_new, again.status) == (first.file_id, False, "PUBLISHED")
    assert len(desk.lines(first)) == 3
    assert desk.send(desk.source(), GOOD).is_new


def test_the_first_body_is_known_before_it_is_staged(desk: Desk) -> None:
    """F-H2: between two sendings nothing need have happened."""
    source = desk.source()
    first, again = desk.receive(source, GOOD), desk.receive(source, GOOD)
    assert (first.is_new, again.is_new, again.status) == (True, False, "RECEIVED")


def test_other_bytes_that_say_the_same_are_a_duplicate(desk: Desk) -> None:
    """F-H2: the order of lines is no part of what a file says."""
    source = desk.source()
    first = desk.send(source, settlement(("a", 100), ("b", 200)))
    again = desk.send(source, settlement(("b", 200), ("a", 100)))
    assert again.is_new
    assert (desk.file(again).status, desk.file(again).version) == ("DUPLICATE", 2)
    assert desk.lines(again) == []
    assert desk.file(again).due_at is None
    assert desk.file(first).status == "PUBLISHED"
    assert not LineChange.objects.exists()


def test_a_correction_is_a_new_version_with_its_differences(desk: Desk) -> None:
    """F-H3, I34: one line changed, one new, one missing, two as they were; the old version counts no more."""
    source = desk.source()
    first = desk.send(source, settlement(("a", 100), ("b", 200), ("c", 300), ("twice", 1), ("twice", 1)))
    second = desk.send(source, settlement(("a", 100), ("b", 350), ("d", 400), ("twice", 1), ("twice", 1)))
    old, new = desk.file(first), desk.file(second)
    assert (old.status, new.status, new.version, new.supersedes_id) == ("SUPERSEDED", "PUBLISHED", 2, old.id)
    ids = {each.pk: each.reference for each in (*desk.lines(first), *desk.lines(second))}
    changes = {
        (each.kind, ids.get(each.before or 0), ids.get(each.after or 0), each.what)
        for each in list_changes(file_id=new.id)
    }
    assert changes == {
        ("changed", "b", "b", ("gross_minor", "fee_minor", "net_minor")),
        ("added", None, "d", ()),
        ("removed", "c", None, ()),
    }
    third = desk.send(source, settlement(("a", 100)))
    assert [desk.file(each).status for each in (first, second, third)] == [
        *("SUPERSEDED", "SUPERSEDED", "PUBLISHED")
    ]


def test_an_older_version_never_replaces_a_newer_one(desk: Desk) -> None:
    """F-H3: what was received first and read last is refused, because a newer one counts."""
    source = desk.source()
    older = desk.receive(source, settlement(("a", 100)))
    SettlementFile.objects.filter(pk=older.file_id).update(due_at=None)  # It waits in a dead letter, say.
    newer = desk.send(source, settlement(("a", 200)))
    assert desk.file(newer).status == "PUBLISHED"
    SettlementFile.objects.filter(pk=older.file_id).update(due_at="2026-01-01T00:00:00Z")
    desk.work()
    assert desk.refused(older) == ("older_version", None)
    assert desk.cases("settlement_file_refused") == []
    assert desk.file(newer).status == "PUBLISHED"


def test_a_newer_version_waits_for_an_older_one_that_is_worked_on(desk: Desk) -> None:
    """F-H3: two workers may come to the end in the wrong order; the versions keep theirs."""
    source = desk.source()
    older = desk.receive(source, settlement(("a", 100)))
    newer = desk.receive(source, settlement(("a", 200)))
    SettlementFile.objects.filter(pk=older.file_id).update(leased_until="2099-01-01T00:00:00Z")
    desk.work()
    waiting = desk.file(newer)
    assert (waiting.status, waiting.lines_count, waiting.leased_until) == ("STAGING", 1, None)
    assert find_lines(file_id=newer.file_id) == []
    SettlementFile.objects.filter(pk=older.file_id).update(leased_until=None)
    desk.work()
    SettlementFile.objects.filter(pk=newer.file_id).update(due_at="2026-01-01T00:00:00Z")
    desk.work()
    assert [desk.file(each).version for each in (older, newer)] == [1, 2]
    assert desk.file(newer).status == "PUBLISHED"


def test_cut_at_every_byte_nothing_counts(desk: Desk) -> None:
    """F-H1, I33: whatever is missing of a file, it is refused whole, and a person is told."""
    body = settlement(("c", 100), identity="5", batch="")
    for length in range(len(body)):
        source = desk.source()
        received = desk.send(source, body[:length])
        desk.refused(received)
        assert desk.file(received).refusal["code"] in ("truncated", "format_mismatch", "date_invalid")
    assert len(desk.cases("settlement_file_refused")) == len(body)
    assert desk.file(desk.send(source, body)).status == "PUBLISHED"
    assert len(desk.cases("settlement_file_refused")) == len(body) - 1


@pytest.mark.parametrize(
    ("declared", "says"), [((4, 12_830), "4 as lines, its lines give 3"), ((3, 12_831), "128.31 EUR as net")]
)
def test_declared_totals_that_do_not_fit(desk: Desk, declared: tuple[int, int], says: str) -> None:
    """F-H4, I33: refused with the line of the total and both figures."""
    body = settlement(("ch_1", 10_000), ("ch_2", 5_000), ("re_1", -2_000), declared=declared)
    received = desk.send(desk.source(), body)
    assert desk.refused(received) == ("control_mismatch", 5)
    assert says in desk.file(received).refusal["message"]
    assert desk.cases("settlement_file_refused")[0].summary.count("(line 5)") == 1


def test_another_currency_than_the_sources(desk: Desk) -> None:
    """F-H5, I35: a source with a currency takes no other."""
    received = desk.send(desk.source(currency="USD"), GOOD)
    assert desk.refused(received) == ("currency_unexpected", 2)


def test_sums_never_cross_currencies(desk: Desk) -> None:
    """F-H5: two currencies in one file are counted apart; one total for both is refused."""
    lines = "L|a|charge|EUR|100|0|100|2026-01-05|\nL|b|charge|USD|200|0|200|2026-01-05|\n"
    head = "H|2026-01-05|2026-01-05|2026-01-05||yes\n"
    one = desk.send(desk.source(), f"{head}{lines}T|2|300|\n".encode())
    assert desk.refused(one) == ("control_mismatch", 4)
    other = desk.send(desk.source(), f"{head}{lines}T|2|100|EUR\n".encode())
    counted = desk.file(other).totals["counted"]
    assert (counted["EUR"]["net"], counted["USD"]["net"]) == (100, 200)
    crossed = desk.send(desk.source(), f"{head}{lines}T|2|300|EUR\n".encode())
    assert desk.refused(crossed) == ("control_mismatch", 4)


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030", "iso-8859-1"])
def test_another_encoding_than_declared(desk: Desk, encoding: str) -> None:
    """F-H6: the source says which encoding its files have; nothing is guessed."""
    received = desk.send(desk.source(), GOOD.replace(b"ch_1", "münchen".encode()).decode().encode(encoding))
    desk.refused(received)


def test_gross_less_fee_is_net(desk: Desk) -> None:
    """I35: a line that does not add up refuses the file."""
    body = b"H|x|2026-01-05|2026-01-05||yes\nL|a|charge|EUR|100|1|98|2026-01-05|\nT|1|98|EUR\n"
    assert desk.refused(desk.send(desk.source(), body)) == ("line_does_not_add_up", 2)


@pytest.mark.parametrize(
    ("reference", "gross", "code"),
    [("r" * 256, 1, "value_too_large"), ("r", 2**63, "value_too_large"), ("a\0b", 1, "character_invalid")],
)
def test_what_no_column_can_hold(desk: Desk, reference: str, gross: int, code: str) -> None:
    """F-H10: refused with the line, and no crash."""
    line = f"L|{reference}|charge|EUR|{gross}|0|{gross}|2026-01-05|\n"
    body = f"H|x|2026-01-05|2026-01-05||yes\nL|a|charge|EUR|0|0|0|2026-01-05|\n{line}T|2|{gross}|EUR\n"
    assert desk.refused(desk.send(desk.source(), body.encode())) == (code, 3)


@pytest.mark.parametrize(
    "text", ["tab\there", "back\\slash", "\\N", "\\.", "carriage\rreturn", "quote\"'", "☃"]
)
def test_any_text_arrives_as_it_was(desk: Desk, text: str) -> None:
    """What stands in a file is never mistaken for the syntax of COPY."""
    received = desk.send(desk.source(), settlement((text, 100), ("next", 1), batch=text))
    assert [(each.reference, each.batch) for each in desk.lines(received)] == [(text, text), ("next", text)]


def test_one_reference_twice_in_a_file(desk: Desk) -> None:
    """F-H11: both lines are staged; which is which is for the matching to say."""
    received = desk.send(desk.source(), settlement(("same", 100), ("same", 100)))
    assert [each.reference for each in desk.lines(received)] == ["same", "same"]


def test_the_day_is_the_providers(desk: Desk) -> None:
    """F-H15: a line keeps the business day that the file gives it, whatever UTC says of the moment."""
    source = desk.source(time_zone="Asia/Shanghai")
    first = desk.send(source, settlement(("late", 100), identity="5", day="2026-01-05"))
    second = desk.send(source, settlement(("early", 100), identity="6", day="2026-01-06"))
    days = [line.business_date for each in (first, second) for line in desk.lines(each)]
    assert days == [date(2026, 1, 5), date(2026, 1, 6)]


def test_a_digest_that_was_declared(desk: Desk) -> None:
    """F-H21: one flipped byte, and nothing is kept; a good file ends the case."""
    from hashlib import sha1, sha256

    source = desk.source()
    flipped = bytes([GOOD[0] ^ 1]) + GOOD[1:]
    for algorithm, digest in (("sha256", sha256(GOOD).hexdigest()), ("sha1", sha1(GOOD).hexdigest())):
        with pytest.raises(FileRefused) as refusal:
            desk.receive(source, flipped, declared_digest=f"{algorithm}:{digest}")
        assert refusal.value.reason == "digest_mismatch"
    assert not SettlementFile.objects.exists()
    assert len(desk.cases("settlement_file_refused")) == 1
    received = desk.send(source, GOOD, declared_digest=f"sha256:{sha256(GOOD).hexdigest().upper()}")
    assert desk.file(received).status == "PUBLISHED"
    assert desk.cases("settlement_file_refused") == []


def test_lines_of_the_future_and_of_long_ago(desk: Desk) -> None:
    """F-H22: put aside, counted, and a person is told; tomorrow is not the future."""
    rows = [
        f"L|{day}|charge|EUR|1|0|1|{day}|" for day in ("2026-01-11", "2026-01-12", "2024-12-06", "2024-12-05")
    ]
    body = "\n".join(["H|x|2026-01-05|2026-01-05||yes", *rows, "T|4|4|EUR", ""]).encode()
    received = desk.send(desk.source(), body)
    assert [each.quarantine for each in desk.lines(received)] == ["", "future_dated", "", "too_old"]
    assert (desk.file(received).status, desk.file(received).quarantined_count) == ("PUBLISHED", 2)
    assert len(desk.cases("settlement_lines_quarantined")) == 1


def test_an_unknown_kind_is_no_reason_to_put_a_line_aside(desk: Desk) -> None:
    """It is for a person too, but by the matching."""
    received = desk.send(desk.source(), settlement(("a", 1)).replace(b"|charge|", b"|unknown|"))
    assert [(each.kind, each.quarantine) for each in desk.lines(received)] == [("unknown", "")]


def test_two_downloads_of_a_day_that_is_not_over(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-H23: provisional while the day lasts; the download after it counts, with the differences."""
    from tests.reconciliation.conftest import stand_still

    source = desk.source()
    first = desk.send(source, settlement(("a", 100), day="2026-01-10"))
    assert desk.file(first).status == "PROVISIONAL"
    assert len(find_lines(file_id=first.file_id)) == 1
    stand_still(monkeypatch, day=date(2026, 1, 11))
    second = desk.send(source, settlement(("a", 100), ("b", 100), day="2026-01-10"))
    assert [desk.file(each).status for each in (first, second)] == ["SUPERSEDED", "PUBLISHED"]
    assert [each.kind for each in list_changes(file_id=second.file_id)] == ["added"]


@pytest.mark.parametrize("again", ["the same body", "other bytes"])
def test_a_provisional_file_that_says_the_same_afterwards(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    """F-H23: nothing came after it, so that it is final."""
    from tests.reconciliation.conftest import stand_still

    source = desk.source()
    body = settlement(("a", 100), ("b", 1), day="2026-01-10")
    first = desk.send(source, body)
    assert desk.send(source, body).status == "PROVISIONAL"
    stand_still(monkeypatch, day=date(2026, 1, 11))
    if again == "the same body":
        assert desk.send(source, body).status == "PUBLISHED"
    else:
        second = desk.send(source, settlement(("b", 1), ("a", 100), day="2026-01-10"))
        assert desk.file(second).status == "DUPLICATE"
    assert desk.file(first).status == "PUBLISHED"


def test_a_file_without_the_mark_of_its_end_is_provisional(desk: Desk) -> None:
    """F-H23: the day is over, but the provider has not finished."""
    source = desk.source()
    first = desk.send(source, settlement(("a", 100), complete="no"))
    assert desk.file(first).status == "PROVISIONAL"
    second = desk.send(source, settlement(("a", 100), complete="yes"))
    assert [desk.file(each).status for each in (first, second)] == ["PUBLISHED", "DUPLICATE"]


def test_an_unfinished_file_never_replaces_a_finished_one(desk: Desk) -> None:
    """F-H23: a download that came too early, or was cut where the provider makes its mark."""
    source = desk.source()
    first = desk.send(source, settlement(("a", 100), ("b", 1)))
    second = desk.send(source, settlement(("a", 100), complete="no"))
    assert desk.refused(second) == ("unfinished_version", None)
    assert desk.file(first).status == "PUBLISHED"


def test_a_number_that_is_missing(desk: Desk) -> None:
    """F-H16: the days after it are worked on; the case ends when the file comes."""
    source = desk.source()
    for number, day in ((1, "01"), (2, "02"), (5, "05")):
        body = settlement((f"c{number}", 1), identity=f"{number}", day=f"2026-01-{day}", sequence=f"{number}")
        assert desk.file(desk.send(source, body)).status == "PUBLISHED"
    assert [each.detail["sequence"] for each in desk.cases("settlement_sequence_gap")] == [3, 4]
    desk.send(source, settlement(("c4", 1), identity="4", day="2026-01-04", sequence="4"))
    assert [each.detail["sequence"] for each in desk.cases("settlement_sequence_gap")] == [3]


def test_numbers_that_are_missing_after_an_older_file(desk: Desk) -> None:
    """R3: a file from before the first one that was here is followed by a gap as well."""
    source = desk.source()
    for number, day in ((5, "05"), (2, "02")):
        desk.send(
            source,
            settlement((f"c{number}", 1), identity=f"{number}", day=f"2026-01-{day}", sequence=f"{number}"),
        )
    assert [each.detail["sequence"] for each in desk.cases("settlement_sequence_gap")] == [3, 4]


def test_a_good_file_ends_the_case_of_its_day_only(desk: Desk) -> None:
    """What is still missing stays a case."""
    source = desk.source()
    for day in (4, 5):
        desk.send(
            source,
            settlement(("a", day), declared=(9, 9), identity=f"{day}"),
            asked_from=date(2026, 1, day),
            asked_to=date(2026, 1, day),
        )
    assert len(desk.cases("settlement_file_refused")) == 2
    desk.send(source, settlement(("a", 4), identity="4", day="2026-01-04"))
    (left,) = desk.cases("settlement_file_refused")
    assert (
        left.subject
        == desk.file(desk.receive(source, settlement(("a", 5), declared=(9, 9), identity="5"))).public_id
    )


def test_a_fault_of_ours_is_tried_again_and_then_buried(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file stays, nothing of it is seen, and a replay finishes it."""
    from core.transactions import at_edge
    from reconciliation.services import replay_file
    from tests.reconciliation.plain import PlainSettlement

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("a fault")

    source = desk.source()
    with monkeypatch.context() as patch:
        patch.setattr(PlainSettlement, "_item", broken)
        received = desk.receive(source, GOOD)
        for _ in range(8):
            SettlementFile.objects.filter(due_at__isnull=False).update(due_at="2026-01-01T00:00:00Z")
            desk.work()
    (letter,) = desk.letters()
    assert (letter.attempts, desk.file(received).status, desk.file(received).due_at) == (8, "STAGING", None)
    assert "ZeroDivisionError" in letter.error
    at_edge(replay_file)(letter)
    desk.work()
    assert desk.file(received).status == "PUBLISHED"


def test_what_cannot_be_received(desk: Desk) -> None:
    """A source that is not there; a body that is too large, of which nothing is kept."""
    from core.settings_store import put_setting
    from core.transactions import at_edge

    source = desk.source()
    at_edge(put_setting)(name="reconciliation.max_file_bytes", value=10, actor="user:x", reason="test")
    with pytest.raises(FileTooLarge):
        desk.receive(source, GOOD)
    with pytest.raises(SourceUnknown):
        receive_file(source_id=desk.merchant_id, name="x", body=BytesIO(b""), origin="upload", by="user:x")
    assert not SettlementFile.objects.exists()


def test_a_refused_file_is_read_again_when_its_source_is_mended(desk: Desk) -> None:
    """The same body is known, so that it cannot be sent again; a person says why it is read again."""
    from core.errors import InvalidState
    from core.models import AuditRecord
    from core.transactions import at_edge
    from reconciliation.services import read_file_again

    source = desk.source(currency="USD")
    received = desk.send(source, GOOD)
    assert desk.refused(received) == ("currency_unexpected", 2)
    assert desk.send(source, GOOD).status == "REFUSED"
    SettlementSource.objects.filter(pk=source.id).update(currency="EUR")
    again = at_edge(read_file_again)
    again(file_id=received.file_id, by="user:mia", reason="the source is in EUR")
    desk.work()
    file = desk.file(received)
    assert (file.status, file.refusal, len(desk.lines(received))) == ("PUBLISHED", None, 3)
    assert desk.cases("settlement_file_refused") == []
    assert AuditRecord.objects.filter(action="settlement_file.read_again", subject=file.public_id).exists()
    with pytest.raises(InvalidState):
        again(file_id=received.file_id, by="user:mia", reason="once more")


STRIPE = (
    "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id,automatic_payout_id"
    ",description\ntxn_1,2026-01-05 10:00:00,eur,10.00,0.30,9.70,charge,ch_1,po_1,{0}\n"
    "txn_2,2026-01-05 11:00:00,eur,-1.00,0.00,-1.00,refund,re_1,po_1,plain\n"
)


def stripe(desk: Desk, text: str, encoding: str = "utf-8") -> ReceivedFile:
    """A file in a real format, from its source to its end."""
    source = desk.source(format="stripe.payout_reconciliation")
    day = date(2026, 1, 5)
    return desk.send(source, text.encode(encoding), asked_from=day, asked_to=day)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "iso-8859-1", "utf-32"])
def test_a_real_format_in_six_encodings(desk: Desk, encoding: str) -> None:
    """F-H6: what is declared is read, with or without its byte order mark; anything else refuses the file."""
    received = stripe(desk, STRIPE.format("Größe"), encoding)
    if encoding in ("utf-8", "utf-8-sig"):
        assert [each.net_minor for each in desk.lines(received)] == [970, -100]
    else:
        assert desk.refused(received)[0] == "encoding_invalid"


@pytest.mark.parametrize(
    ("description", "code", "line"),
    [('"not closed', "quote_unclosed", 2), ("x" * 131_073, "field_too_long", 2)],
    ids=["F-H9", "F-H10"],
)
def test_a_real_format_with_a_broken_record(desk: Desk, description: str, code: str, line: int) -> None:
    """F-H9, F-H10: refused with the line, whole, without a crash."""
    assert desk.refused(stripe(desk, STRIPE.format(description))) == (code, line)
    assert desk.letters() == []
