"""Payment orders: valid, summing up, the same bytes for the same order, and nothing that was not asked."""

import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.currencies import EXPONENTS
from payouts.providers.contract import Instruction
from payouts.providers.files import pain001
from payouts.providers.files.pain001 import VERSIONS, write_payment_order
from payouts.providers.files.payment_order import read_payment_order
from payouts.providers.files.refusals import refusal_of
from payouts.providers.files.sepa_text import is_sepa_text, sepa_text
from payouts.providers.files.xml import BadFile
from tests.payouts.providers.orders import DEBTOR, IBAN, iban, instruction, order_of

versions = pytest.mark.parametrize("version", VERSIONS)
COUNTRIES = ["AT", "BE", "BG", "CY", "DE", "ES", "FI", "FR", "GR", "IE", "IT", "LT", "MT", "NL", "PT", "SE"]
ibans = st.builds(
    iban,
    st.sampled_from(COUNTRIES),
    st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=11, max_size=30),
)
# Any text at all: what cannot be written is refused before, and that is part of the property.
names = st.one_of(st.text(max_size=160), st.text("ÄöüßŁøαΩЩжé&_ '-", min_size=1, max_size=160))


@st.composite
def payouts(draw: st.DrawFn) -> Instruction:
    return instruction(
        iban=draw(ibans),
        holder_name=draw(names),
        amount_minor=draw(st.integers(1, 99_999_999_999)),
        remittance=draw(names),
        **draw(st.sampled_from([{}, {"bic": "DEUTDEFF"}, {"bic": "BYLADEM1001"}])),
    )


@versions
@settings(max_examples=6)  # Each one compiles the schema.
@given(items=st.lists(payouts(), min_size=1, max_size=20))
def test_any_order_is_valid_and_made_twice_alike(version: str, items: list[Instruction]) -> None:
    """F-F4: and no text reaches the file but in the letters of SEPA, and as long as allowed."""
    items = [item for item in items if refusal_of(item) is None]
    order = order_of(items)
    if not items:
        return
    content = write_payment_order(order, items, DEBTOR, version=version, validate=True)
    assert write_payment_order(order, items, DEBTOR, version=version) == content
    read = read_payment_order(content)
    assert read.message_id == order.reference
    assert [item.end_to_end_id for item in read.transfers] == [item.reference for item in items]
    assert [item.iban for item in read.transfers] == [item.details["iban"] for item in items]
    assert sum(item.amount for item in read.transfers) * 100 == sum(item.amount_minor for item in items)
    for item in read.transfers:
        assert is_sepa_text(item.name) and 1 <= len(item.name) <= 70
        assert is_sepa_text(item.remittance) and 1 <= len(item.remittance) <= 140


@versions
def test_the_largest_order(version: str) -> None:
    items = [instruction(amount_minor=number) for number in range(1, 1001)]
    content = write_payment_order(order_of(items), items, DEBTOR, version=version, validate=True)
    read = read_payment_order(content)
    assert len(read.transfers) == 1000
    assert sum(item.amount for item in read.transfers) == Decimal("5005.00")


@versions
def test_what_is_in_it(version: str) -> None:
    """Time, day, account and level of service are the order's; nothing of it is random or now."""
    item = instruction(reference="po1-1", bic="DEUTDEFF", amount_minor=5)
    order = order_of([item], reference="pob1")
    text = write_payment_order(order, [item], DEBTOR, version=version).decode()
    day = "<Dt>2026-12-01</Dt>" if version.endswith("09") else "2026-12-01"
    bic = "BICFI" if version.endswith("09") else "BIC"
    for part in (
        "<MsgId>pob1</MsgId><CreDtTm>2026-11-30T10:00:00Z</CreDtTm><NbOfTxs>1</NbOfTxs><CtrlSum>0.05</CtrlSum>",
        "<PmtInfId>pob1</PmtInfId><PmtMtd>TRF</PmtMtd>",
        "<SvcLvl><Cd>SEPA</Cd></SvcLvl>",
        f"<ReqdExctnDt>{day}</ReqdExctnDt>",
        f"<DbtrAgt><FinInstnId><{bic}>BYLADEM1001</{bic}></FinInstnId></DbtrAgt>",
        f"<CdtrAgt><FinInstnId><{bic}>DEUTDEFF</{bic}></FinInstnId></CdtrAgt>",
        '<EndToEndId>po1-1</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">0.05</InstdAmt></Amt>',
    ):
        assert part in text
    assert f"xsd:{version}" in text


@pytest.mark.parametrize(
    "change",
    [
        lambda payment: payment | {"amount": payment["amount"] + 1},
        lambda payment: payment | {"IBAN": DEBTOR.iban},
        lambda payment: payment | {"endtoend_id": "po2-1"},
        lambda payment: payment | {"name": "Bob"},
        lambda payment: payment | {"currency": "USD"},
    ],
)
def test_a_writer_that_errs_is_noticed(change: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the check after writing: without it, each of these would leave."""
    right = pain001._payment
    monkeypatch.setattr(pain001, "_payment", lambda order, item: change(right(order, item)))
    item = instruction()
    with pytest.raises(BadFile, match="not what was to be paid"):
        write_payment_order(order_of([item]), [item], DEBTOR, version=VERSIONS[0])


def test_what_the_schema_refuses_is_not_written_and_not_quoted() -> None:
    item = instruction(bic="nonsense")
    with pytest.raises(BadFile) as caught:
        write_payment_order(order_of([item]), [item], DEBTOR, version=VERSIONS[0], validate=True)
    assert "nonsense" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


@pytest.mark.parametrize("currency", sorted(set(EXPONENTS) - {"EUR"}))
def test_other_currencies_are_refused_and_never_scaled_f_f12(currency: str) -> None:
    """F-F12: SEPA pays euro; a yen or a dinar never becomes a hundredth or ten times of something."""
    refused = refusal_of(instruction(currency=currency))
    assert refused is not None and refused.code == "currency_unsupported"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iban": "DE89370400440532013001"}, "destination_invalid"),
        ({"iban": "de89370400440532013000"}, "destination_invalid"),
        ({"iban": ""}, "destination_invalid"),
        ({"bic": "DEUTDE"}, "destination_invalid"),
        ({"holder_name": "李小龙"}, "destination_invalid"),
        ({"holder_name": "\u202e\u200b - "}, "destination_invalid"),
        ({"kind": "us_account"}, "destination_unsupported"),
        ({"amount_minor": 0}, "amount_unsupported"),
        ({"amount_minor": 10**11}, "amount_unsupported"),
        ({"reference": "po_1"}, "instruction_invalid"),
        ({"reference": "p" * 36}, "instruction_invalid"),
    ],
)
def test_what_sepa_cannot_carry(changes: dict[str, object], code: str) -> None:
    refused = refusal_of(instruction(**changes))
    assert refused is not None and refused.code == code
    assert refusal_of(instruction()) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Jürgen Größe & Söhne", "Juergen Groesse + Soehne"),
        ("Αθηνά Παπαδόπουλος", "Athina Papadopoylos"),
        ("Дойче Щастие ООД", "Doyche Shtastie OOD"),
        ("Ştefan Łuczak; Þór", "Stefan Luczak, Thor"),
        ("ﬁrm № 5 [Ltd_]", "firm No 5 (Ltd-)"),
        ("ＡＣＭＥ\t 李", "ACME"),
        ("раураl", "raural"),
        ("pay\u200bpal\u202eX", "paypalX"),
        ("...", ""),
    ],
)
def test_the_rule_of_letters_a_f17(text: str, said: str) -> None:
    """A-F17: look-alikes are spelled as what they are, and marks that nobody sees do not leave."""
    assert sepa_text(text, longest=70) == said


@given(text=st.text(max_size=200), longest=st.integers(1, 140))
def test_a_text_is_cut_and_stays_as_it_is_when_said_again(text: str, longest: int) -> None:
    said = sepa_text(text, longest=longest)
    assert is_sepa_text(said) and len(said) <= longest
    assert sepa_text(said, longest=longest) == said


def _sample(name: str) -> bytes:
    folder = os.environ.get("QUITTANCE_SAMPLES", "")
    path = Path(folder) / "pain001" / name
    if not folder or not path.is_file():
        pytest.skip("needs QUITTANCE_SAMPLES: a folder of sample files from elsewhere")
    return path.read_bytes()


def test_a_sample_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(BadFile, match=r"declares a sum of 2 and has|declares 2 transactions and has"):
        read_payment_order(_sample("pain001__pain.001.001.03.xml"))
    swiss = read_payment_order(_sample("sps_king__pain.001.001.03.ch.02.xml"))
    assert (len(swiss.transfers), sum(item.amount for item in swiss.transfers)) == (
        3,
        Decimal("15849.00") + 1,
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<NbOfTxs>2</NbOfTxs>", b"<NbOfTxs>6</NbOfTxs>"),
        (b"<CtrlSum>20.00</CtrlSum>", b"<CtrlSum>2</CtrlSum>"),
        (b">10.00<", b">11.00<"),
        (b">10.00<", b">ten<"),
        (b"<CreDtTm>", b"<!DOCTYPE x><CreDtTm>"),
        (b"CstmrCdtTrfInitn", b"CstmrDrctDbtInitn"),
        (b"</Document>", b""),
    ],
)
def test_an_order_that_contradicts_itself_is_refused(old: bytes, new: bytes) -> None:
    items = [instruction(), instruction()]
    content = write_payment_order(order_of(items), items, DEBTOR, version=VERSIONS[0])
    assert len(read_payment_order(content).transfers) == 2
    with pytest.raises(BadFile):
        read_payment_order(content.replace(old, new))


def test_an_account_that_cannot_be_named_pays_nobody() -> None:
    item = instruction(iban=IBAN)
    with pytest.raises(BadFile, match="name of the account"):
        write_payment_order(order_of([item]), [item], replace(DEBTOR, name="李"), version=VERSIONS[0])
    with pytest.raises(ValueError, match="none of"):
        write_payment_order(order_of([item]), [item], DEBTOR, version="pain.001.001.02")
