"""Bank files: the contract over the sandbox's drop and through a folder, and what only files do."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from channels.services import set_enabled
from core.failpoints import FailpointRaised, arm
from payouts.providers.contract import BatchKind, NewsKind
from payouts.providers.files.pain001 import VERSIONS
from payouts.providers.sepa import SepaFiles
from tests.channels.lines import open_channel
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payouts.providers.banks import Bank, DropBench, FolderBench
from tests.payouts.providers.contract_suite import ProviderContract
from tests.payouts.providers.orders import instruction, order_of

pytestmark = pytest.mark.django_db
PROVIDER = SepaFiles()


@pytest.fixture
def bank(sandbox: SandboxProcess) -> Bank:
    return Bank(sandbox)


@pytest.fixture
def drop(bank: Bank, settings: Any) -> DropBench:
    return DropBench(bank, settings, message=VERSIONS[1])


@pytest.fixture
def folder(bank: Bank, settings: Any, tmp_path: Path) -> FolderBench:
    settings.PAYOUT_FILES_DIR = str(tmp_path / "files")
    return FolderBench(bank, tmp_path / "files")


class TestDrop(ProviderContract):
    @pytest.fixture
    def bench(self, drop: DropBench) -> DropBench:
        return drop


class TestFolder(ProviderContract):
    @pytest.fixture
    def bench(self, folder: FolderBench) -> FolderBench:
        return folder


def test_a_bank_that_reads_the_older_version(bank: Bank, settings: Any) -> None:
    bench = DropBench(bank, settings, message=VERSIONS[0])
    order = bench.order("paid", "closed")
    assert PROVIDER.submit(bench.channel, order).kind is BatchKind.TAKEN
    bench.take_time()
    news = PROVIDER.ask(bench.channel, order).news
    assert [one.kind for one in news] == [NewsKind.PAID, NewsKind.REFUSED]


def test_what_sepa_cannot_carry_is_refused_and_the_rest_leaves(drop: DropBench) -> None:
    """The same ones each time, so that asking after a crash tells the same; alone, they make no file."""
    bad, good = instruction(holder_name="李小龙"), instruction()
    order = order_of([bad, good])
    sent, asked = PROVIDER.submit(drop.channel, order), PROVIDER.ask(drop.channel, order)
    assert (sent.kind, asked.kind) == (BatchKind.TAKEN, BatchKind.TAKEN)
    refused = {bad.reference: NewsKind.REFUSED}
    assert {news.reference: news.kind for news in sent.news} == {
        **refused,
        good.reference: NewsKind.ACCEPTED,
    }
    # The bank reads a file a moment after it came: it may have said already that it took the good one.
    taken = {good.reference: NewsKind.ACCEPTED}
    assert {news.reference: news.kind for news in asked.news} in (refused, {**refused, **taken})
    drop.take_time()
    assert drop.effects() == {good.reference: (1, 1000)}
    alone = order_of([bad])
    assert PROVIDER.message(drop.channel, alone) is None
    refused = PROVIDER.submit(drop.channel, alone)
    assert (refused.kind, len(refused.news)) == (BatchKind.REFUSED, 1)


def test_bytes_other_than_those_recorded_are_not_sent_f_f4(drop: DropBench) -> None:
    """F-F4: the digest that was stored before decides, and so does the name."""
    order = drop.order("paid")
    message = PROVIDER.message(drop.channel, order)
    assert message is not None and message.file_name == f"{order.reference}.xml"
    for changes in ({"sha256": bytes(32)}, {"file_name": "other.xml"}):
        changed = order_of(order.instructions, reference=order.reference, **changes)
        outcome = PROVIDER.submit(drop.channel, changed)
        assert (outcome.kind, outcome.error) == (
            BatchKind.NOT_SENT,
            "BadFile: the file is not the one that was recorded",
        )
    drop.take_time()
    assert drop.effects() == {}


def test_other_bytes_under_our_name_are_nobodys_guess(drop: DropBench) -> None:
    order = drop.order("paid")
    drop.bank.request("PUT", f"files/{order.reference}.xml", b"<other/>")
    assert PROVIDER.submit(drop.channel, order).kind is BatchKind.UNKNOWN
    assert PROVIDER.ask(drop.channel, order).kind is BatchKind.UNKNOWN


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("http_500", BatchKind.UNKNOWN), ("http_503", BatchKind.UNKNOWN), ("broken_json", BatchKind.UNKNOWN),
     ("http_429", BatchKind.NOT_SENT), ("connection_reset_after_body", BatchKind.UNKNOWN)],
)  # fmt: skip
def test_answers_that_settle_nothing(drop: DropBench, fault: str, kind: BatchKind) -> None:
    """Whatever it was, asking finds the file or proves that it is not there, and then it is paid once."""
    order = drop.order("paid")
    drop.bank.sandbox.arm(fault, operation="bank.files.put", account=drop.bank.key)
    assert PROVIDER.submit(drop.channel, order).kind is kind
    if PROVIDER.ask(drop.channel, order).kind is BatchKind.ABSENT:
        assert PROVIDER.submit(drop.channel, order).kind is BatchKind.TAKEN
    drop.take_time()
    assert [times for times, _ in drop.effects().values()] == [1]


def test_absence_is_not_proved_while_reports_cannot_be_read(drop: DropBench) -> None:
    order = drop.order("paid")
    drop.bank.sandbox.arm("http_500", operation="bank.reports.list", account=drop.bank.key)
    assert PROVIDER.ask(drop.channel, order).kind is BatchKind.UNKNOWN
    assert PROVIDER.ask(drop.channel, order).kind is BatchKind.ABSENT


def test_a_refused_file_is_refused_whole_and_a_duplicate_is_not_f_f14(drop: DropBench) -> None:
    """F-F14: AM05 for a file, because its message id was used before, is news of the first one."""
    order = drop.order("paid")
    assert PROVIDER.submit(drop.channel, order).kind is BatchKind.TAKEN
    message = PROVIDER.message(drop.channel, order)
    assert message is not None
    drop.bank.request("PUT", "files/again.xml", message.content)
    drop.take_time()
    outcome = PROVIDER.ask(drop.channel, order)
    assert (outcome.kind, [news.kind for news in outcome.news]) == (BatchKind.TAKEN, [NewsKind.PAID])

    broken = drop.order("paid")
    text = PROVIDER.message(drop.channel, broken).content.replace(b"<NbOfTxs>1<", b"<NbOfTxs>2<")
    drop.bank.request("PUT", "files/broken.xml", text)
    drop.bank.read()
    outcome = PROVIDER.ask(drop.channel, broken)
    assert outcome.kind is BatchKind.REFUSED and outcome.failure is not None
    assert [news.kind for news in outcome.news] == [NewsKind.REFUSED]


def test_another_orders_reports_are_none_of_ours(drop: DropBench) -> None:
    ours, others = drop.order("paid"), drop.order("closed")
    assert PROVIDER.submit(drop.channel, others).kind is BatchKind.TAKEN
    drop.take_time()
    outcome = PROVIDER.ask(drop.channel, ours)
    assert (outcome.kind, outcome.news, outcome.error) == (
        BatchKind.ABSENT, (), "the bank has no file of this name",
    )  # fmt: skip


def test_what_a_report_says_is_kept_without_names(drop: DropBench) -> None:
    order = drop.order("closed")
    PROVIDER.submit(drop.channel, order)
    drop.take_time()
    said = [json.loads(one.body) for one in PROVIDER.ask(drop.channel, order).calls if one.kind == "pain.002"]
    assert [order.instructions[0].reference, "RJCT", "AC04"] in said[-1]["transactions"]


@pytest.mark.parametrize("way", ["drop", "folder"])
def test_a_channel_that_is_switched_off_sends_nothing_and_is_asked(
    way: str, request: pytest.FixtureRequest
) -> None:
    bench = request.getfixturevalue(way)
    order = bench.order("paid")
    with transaction.atomic():
        channel = set_enabled(channel_id=bench.channel.id, enabled=False, actor="ann", reason="test")
    assert PROVIDER.submit(channel, order).kind is BatchKind.NOT_SENT
    assert PROVIDER.ask(channel, order).kind is BatchKind.ABSENT


@pytest.mark.parametrize(
    ("place", "found"),
    [("payout_file.kept", BatchKind.UNKNOWN), ("payout_file.laid_out", BatchKind.TAKEN)],
)
@pytest.mark.parametrize("taken_away", [False, True])
def test_killed_while_a_file_is_laid_out_f_f5(
    folder: FolderBench, hooks: Path, place: str, found: BatchKind, taken_away: bool
) -> None:
    """F-F5: it is laid out at most once, whenever we die, and whenever the bank's client comes by."""
    order = folder.order("paid")
    arm(place, "raise")
    with pytest.raises(FailpointRaised):
        PROVIDER.submit(folder.channel, order)
    if taken_away:
        folder.courier()
        for file in (folder.place / "inbox").iterdir():
            file.unlink()  # The bank has not answered yet.
        # With the file gone nobody knows whether it was there.
        found = BatchKind.UNKNOWN
    assert PROVIDER.ask(folder.channel, order).kind is found
    assert PROVIDER.submit(folder.channel, order).kind is found
    folder.take_time()
    times = [times for times, _ in folder.effects().values()]
    assert times == [1] * (place == "payout_file.laid_out")
    if times:
        # The bank's report settles what the folder could not.
        assert PROVIDER.ask(folder.channel, order).kind is BatchKind.TAKEN
    else:
        (folder.place / "kept" / f"{order.reference}.xml").unlink()  # A person found that it never left.
        assert PROVIDER.ask(folder.channel, order).kind is BatchKind.ABSENT
        assert PROVIDER.submit(folder.channel, order).kind is BatchKind.TAKEN


def test_nothing_in_the_folder_is_overwritten_or_half_written(folder: FolderBench) -> None:
    order = folder.order("paid")
    outbox = folder.place / "outbox" / f"{order.reference}.xml"
    outbox.write_bytes(b"<other/>")
    assert PROVIDER.submit(folder.channel, order).kind is BatchKind.UNKNOWN
    assert PROVIDER.ask(folder.channel, order).kind is BatchKind.UNKNOWN
    assert outbox.read_bytes() == b"<other/>"
    assert [file.name for file in (folder.place / "outbox").iterdir()] == [outbox.name]


def test_junk_in_the_inbox_is_passed_over(folder: FolderBench, tmp_path: Path) -> None:
    order = folder.order("paid")
    PROVIDER.submit(folder.channel, order)
    folder.take_time()
    inbox = folder.place / "inbox"
    (inbox / "aaa.xml").write_bytes(b"no xml")
    (inbox / "statement.xml").write_bytes(b"<Document><BkToCstmrStmt/></Document>")
    (inbox / "cut.xml").write_bytes(next(inbox.glob("*pain002*")).read_bytes()[:-30])
    (inbox / ".hidden.xml").write_bytes(b"no xml")
    (inbox / "notes.txt").write_bytes(b"no xml")
    secret = tmp_path / "secret.xml"
    secret.write_bytes(next(inbox.glob("*pain002*")).read_bytes())
    (inbox / "link.xml").symlink_to(secret)
    (inbox / "folder.xml").mkdir()
    outcome = PROVIDER.ask(folder.channel, order)
    assert (outcome.kind, [news.kind for news in outcome.news]) == (BatchKind.TAKEN, [NewsKind.PAID])
    assert "cut.xml: the file is no XML" in outcome.error
    assert "link.xml" not in outcome.error and "aaa.xml" not in outcome.error


def test_a_channel_without_its_account_or_folder_sends_nothing(folder: FolderBench, settings: Any) -> None:
    order = folder.order("paid")
    settings.PAYOUT_FILES_DIR = ""
    assert PROVIDER.submit(folder.channel, order).kind is BatchKind.NOT_SENT
    assert PROVIDER.ask(folder.channel, order).kind is BatchKind.UNKNOWN
    stripe = open_channel(merchant_id=folder.channel.merchant_id)
    assert PROVIDER.message(stripe, order) is None
    assert PROVIDER.submit(stripe, order).kind is BatchKind.NOT_SENT
    assert PROVIDER.ask(stripe, order).kind is BatchKind.UNKNOWN
