"""XML that somebody made to hurt us is refused early; an honest file of any length takes little memory."""

import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO, RawIOBase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.formats.camt import CAMT_053
from reconciliation.formats.contract import Entry, Refused, Totals
from reconciliation.formats.xml_stream import steps
from tests.reconciliation.formats.bank_reading import options, refusal
from tests.reconciliation.formats.test_camt import balance, entry, message

MIB = 1024**2
PARTS = {"Document": {"*": {"Stmt": {"Ntry": {}}}}}


class Made(RawIOBase):
    """A body that is made while it is read, and never there as a whole."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts, length = [self._rest], len(self._rest)
        while length < size and (piece := next(self._pieces, b"")):
            parts.append(piece)
            length += len(piece)
        whole = b"".join(parts)
        self._rest = whole[size:]
        return whole[:size]


def repeated(before: bytes, piece: bytes, times: int, after: bytes = b"") -> Made:
    return Made(iter([before, *[piece] * times, after]))


def code_of(body: Made | bytes) -> str:
    opened = BytesIO(body) if isinstance(body, bytes) else body
    with pytest.raises(Refused) as caught:
        for _ in CAMT_053.read(opened, options()):  # type: ignore[arg-type]
            pass
    return caught.value.code


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]>
<Document><BkToCstmrStmt>&b;</BkToCstmrStmt></Document>"""
EXTERNAL = b"""<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>"""
OUTSIDE = b"""<!DOCTYPE Document SYSTEM "http://127.0.0.1/evil.dtd"><Document/>"""


@pytest.mark.parametrize("body", [BOMB, EXTERNAL, OUTSIDE, b"<!DOCTYPE Document><Document/>"])
def test_document_types_and_entities_are_forbidden(body: bytes) -> None:
    assert refusal(CAMT_053, body)[0] == "xml_forbidden"


def test_an_entity_that_nobody_declared_is_no_xml() -> None:
    assert refusal(CAMT_053, b"<Document><a>&nbsp;</a></Document>") == ("xml_invalid", 1)


HEAD = b"<Document><BkToCstmrStmt><Stmt>"
ENTERED = message(balance("OPBD", "0"), balance("CLBD", "1"), entry("1")).removesuffix(
    b"</Stmt></BkToCstmrStmt></Document>"
)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(lambda: b"<Document>" + b"<a>" * 100, id="deep"),
        pytest.param(lambda: b"<a>" * 100, id="deep envelope"),
        pytest.param(lambda: b"<Document><AppHdr>" + b"<Svcr>" * 100, id="deep in what is skipped"),
        pytest.param(lambda: repeated(HEAD + b"<Id>", b"x" * 1024, 1024), id="long text"),
        pytest.param(lambda: repeated(HEAD + b"<Svcr>", b"x" * 1024, 1024), id="long text, skipped"),
        pytest.param(lambda: repeated(HEAD + b"<Id a='", b"x" * 1024, 4096), id="long attribute"),
        pytest.param(lambda: repeated(HEAD + b"<", b"x" * 1024, 4096), id="long name"),
        pytest.param(lambda: repeated(HEAD + b"<!--", b"x" * 1024, 4096), id="long comment"),
        pytest.param(lambda: repeated(HEAD, b"<Bal/>", 50_000), id="many in a head"),
        pytest.param(lambda: repeated(ENTERED, b"<Bal/>", 50_000), id="many behind a part"),
        pytest.param(lambda: repeated(HEAD, b"<Id>" + b"x" * 8192 + b"</Id>", 1000), id="much in a head"),
        pytest.param(
            lambda: Made(iter([HEAD, *(b"<n%d/>" % number for number in range(5000))])), id="many names"
        ),
        pytest.param(
            lambda: Made(iter([HEAD, *(b"<a xmlns:n%d='u%d'/>" % (n, n) for n in range(5000))])),
            id="many namespaces",
        ),
    ],
)
def test_what_is_larger_than_any_honest_file_is_refused(body) -> None:  # type: ignore[no-untyped-def]
    tracemalloc.start()
    try:
        assert code_of(body()) == "xml_too_large"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 24 * MIB


@pytest.mark.parametrize("inside", [True, False], ids=["one entry, many details", "many entries"])
def test_memory_does_not_grow_with_the_file(inside: bool) -> None:
    """F-H7: one collective booking with as many details as one likes, or as many entries."""
    assert _peak(inside, 3_000) < _peak(inside, 500) + MIB


def _peak(inside: bool, count: int) -> int:
    """How much memory reading takes at most."""
    detail = b"<TxDtls><Refs><EndToEndId>E</EndToEndId></Refs><Amt Ccy='EUR'>1</Amt></TxDtls>"
    before, _, after = message(
        balance("OPBD", "0"), balance("CLBD", "1"), entry("1", details="@" if inside else "") + "~"
    ).partition(b"@" if inside else b"~")
    piece = detail if inside else entry("1").encode()
    body = Made(iter([before, *[piece] * count, after.replace(b"~", b"")]))
    seen = 0
    tracemalloc.start()
    try:
        for item in CAMT_053.read(body, options()):  # type: ignore[arg-type]
            seen += isinstance(item, Entry)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seen == count + 1
    return peak


def test_a_part_is_whole_when_the_next_step_comes_however_it_was_cut() -> None:
    text = b"<Document><M><Stmt><a>1</a><Ntry><b>2</b></Ntry><c>3</c><Ntry/><d>4</d></Stmt></M></Document>"

    class Byte(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(1)

    for body in (BytesIO(text), Byte(text)):
        seen, before = [], None
        for step in steps(body, PARTS):
            if before is not None:
                seen.append((before.name, before.is_end, [child.tag for child in before.element]))
            before = step
        assert seen == [
            ("Document", False, []),
            ("M", False, []),
            ("Stmt", False, ["a"]),
            ("Ntry", False, ["b"]),
            ("Ntry", True, ["b"]),
            ("Ntry", False, []),
            ("Ntry", True, []),
            ("Stmt", True, ["c", "d"]),
            ("M", True, []),
        ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_the_encoding_that_the_file_declares_counts(encoding: str) -> None:
    """F-H6."""
    named = encoding.removesuffix("-sig")
    text = message(balance("OPBD", "0"), balance("CLBD", "1"), entry("1", note="Überweisung")).decode()
    body = f'<?xml version="1.0" encoding="{named}"?>{text}'.encode(encoding)
    found = [item for item in CAMT_053.read(BytesIO(body), options()) if isinstance(item, Entry)]
    assert [item.text for item in found] == ["Überweisung"]


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0" encoding="no-such"?><Document/>',
        b'<?xml version="1.0" encoding="gb18030"?><Document/>',
        "<Document>Überweisung</Document>".encode("iso-8859-1"),
        b"\x00\x01",
        b"",
    ],
)
def test_another_encoding_than_declared_is_refused(body: bytes) -> None:
    """F-H6."""
    assert refusal(CAMT_053, body)[0] in {"xml_invalid", "encoding_invalid", "truncated"}


@given(noise=st.binary(max_size=40), at=st.floats(0, 1))
def test_whatever_the_bytes_are_nothing_but_a_refusal_is_raised(noise: bytes, at: float) -> None:
    good = message(balance("OPBD", "0"), balance("CLBD", "1"), entry("1", details="<TxDtls/>"))
    cut = int(at * len(good))
    with suppress(Refused):
        items = list(CAMT_053.read(BytesIO(good[:cut] + noise + good[cut:]), options()))
        assert isinstance(items[-1], Totals)
