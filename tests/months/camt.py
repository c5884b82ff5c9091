"""camt.053.001.08 (ISO 20022): one statement a message, written as a stream."""

from collections.abc import Iterator
from datetime import date
from io import TextIOWrapper
from typing import BinaryIO
from xml.sax.saxutils import escape

from tests.months.bank import OWN_ACCOUNT, Booking, Statement
from tests.months.options import major
from tests.months.seller_payouts import Payout

__all__ = ["name", "write"]

_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def name(statement: Statement) -> str:
    """Return the name of the file of a statement."""
    return f"camt053-{statement.day}.xml"


def write(out: BinaryIO, statement: Statement, currency: str) -> None:
    """Write a statement as one message."""
    text = TextIOWrapper(out, encoding="utf-8", newline="\n")
    text.writelines(_message(statement, currency))
    text.flush()
    text.detach()


def _message(statement: Statement, currency: str) -> Iterator[str]:
    day, number = statement.day, statement.number
    identity = f"{day:%Y}{number:05d}"
    yield (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_NAMESPACE}">\n<BkToCstmrStmt>\n'
        f"<GrpHdr><MsgId>ST{identity}</MsgId><CreDtTm>{day}T23:30:00Z</CreDtTm>"
        "<MsgPgntn><PgNb>1</PgNb><LastPgInd>true</LastPgInd></MsgPgntn></GrpHdr>\n"
        f"<Stmt><Id>{identity}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><LglSeqNb>{number}</LglSeqNb>"
        f"<CreDtTm>{day}T23:30:00Z</CreDtTm>"
        f"<FrToDt><FrDtTm>{day}T00:00:00Z</FrDtTm><ToDtTm>{day}T23:59:59Z</ToDtTm></FrToDt>"
        f"<Acct><Id><IBAN>{OWN_ACCOUNT}</IBAN></Id><Ccy>{currency}</Ccy></Acct>\n"
        f"{_balance('OPBD', statement.opening_minor, currency, day)}"
        f"{_balance('CLBD', statement.closing_minor, currency, day)}"
    )
    for booking in statement.bookings():
        yield from _entry(booking, currency, day)
    yield "</Stmt>\n</BkToCstmrStmt>\n</Document>\n"


def _amount(minor: int, currency: str) -> str:
    side = "DBIT" if minor < 0 else "CRDT"
    return f'<Amt Ccy="{currency}">{major(abs(minor), currency)}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def _balance(kind: str, minor: int, currency: str, day: date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{_amount(minor, currency)}"
        f"<Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )


def _entry(booking: Booking, currency: str, day: date) -> Iterator[str]:
    domain, family, sub = booking.code
    yield (
        f"<Ntry>{_amount(booking.amount_minor, currency)}<Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
        f"<AcctSvcrRef>{booking.reference}</AcctSvcrRef>"
        f"<BkTxCd><Domn><Cd>{domain}</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>{sub}</SubFmlyCd></Fmly></Domn></BkTxCd>"
        "<NtryDtls>"
    )
    if booking.details is None:
        yield _single(booking, currency)
    else:
        yield (
            f"<Btch><MsgId>{booking.batch}</MsgId><NbOfTxs>{booking.count}</NbOfTxs>"
            f'<TtlAmt Ccy="{currency}">{major(-booking.amount_minor, currency)}</TtlAmt>'
            "<CdtDbtInd>DBIT</CdtDbtInd></Btch>\n"
        )
        for payout in booking.details():
            yield _paid(payout, currency)
    yield "</NtryDtls></Ntry>\n"


def _single(booking: Booking, currency: str) -> str:
    reason = f"<RtrInf><Rsn><Cd>{booking.return_reason}</Cd></Rsn></RtrInf>" if booking.return_reason else ""
    # Who is on the other side: debtor of what comes in; of a return, the creditor that it was meant for.
    role = "Dbtr" if booking.amount_minor > 0 and not reason else "Cdtr"
    party = _party(role, booking.counterparty, booking.account) if booking.account else ""
    return (
        f"<TxDtls><Refs><EndToEndId>{booking.end_to_end or 'NOTPROVIDED'}</EndToEndId></Refs>"
        f"{_amount(booking.amount_minor, currency)}{party}"
        f"<RmtInf><Ustrd>{escape(booking.text)}</Ustrd></RmtInf>{reason}</TxDtls>"
    )


def _paid(payout: Payout, currency: str) -> str:
    return (
        f"<TxDtls><Refs><EndToEndId>{payout.reference}</EndToEndId></Refs>"
        f"{_amount(-payout.amount_minor, currency)}{_party('Cdtr', payout.name, payout.account)}"
        f"<RmtInf><Ustrd>Payout {payout.reference}</Ustrd></RmtInf></TxDtls>\n"
    )


def _party(role: str, name: str, account: str) -> str:
    return (
        f"<RltdPties><{role}><Pty><Nm>{escape(name)}</Nm></Pty></{role}>"
        f"<{role}Acct><Id><IBAN>{account}</IBAN></Id></{role}Acct></RltdPties>"
    )
