"""Sources for tests, as people set them up."""

from collections.abc import Iterable
from datetime import date, time
from itertools import count
from typing import Any
from uuid import UUID

from django.db import transaction

from core.drain import get_drain
from core.ids import public_id
from core.models import Case, JobRun
from reconciliation.models import SettlementFile
from reconciliation.services import create_source
from reconciliation.sources.fetching import JOB
from reconciliation.types import SourceData, SourceSettings

__all__ = ["BY", "activity", "camt", "cases", "files_of", "runs", "set_up", "settings_of", "stage"]

BY = "user:olga"
_serial = count(1)


def settings_of(**changes: Any) -> SourceSettings:
    """A payment provider's reports, brought by people, due at noon of the next day."""
    values: dict[str, Any] = {
        "kind": "psp",
        "provider": "stripe",
        "channel_id": None,
        "account": "",
        "currency": "",
        "format": "stripe.balance_activity",
        "encoding": "utf-8",
        "time_zone": "UTC",
        "fetcher": "upload",
        "calendar": "EVERY_DAY",
        "expected_after": 1,
        "expected_by": time(12),
        "begins_on": date(2026, 11, 2),
    }
    return SourceSettings(**values | changes)


def set_up(merchant_id: UUID, *, name: str = "", **changes: Any) -> SourceData:
    """Set up a source."""
    with transaction.atomic():
        return create_source(
            merchant_id=merchant_id,
            name=name or f"source-{next(_serial)}",
            settings=settings_of(**changes),
            by=BY,
            reason="test",
        )


def activity(day: date, nets: Iterable[str] = ("10.00",), *, mark: str = "") -> bytes:
    """A report of Stripe's with one charge for each net amount, on one day."""
    head = (
        "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id,description"
    )
    lines = [
        f"txn_{name},{day} 10:00:00,usd,{net},0.00,{net},charge,ch_{name},"
        for number, net in enumerate(nets)
        for name in [f"{day:%m%d}{number}{mark}"]
    ]
    return "\n".join([head, *lines, ""]).encode()


def camt(number: int, day: date, opening: str, closing: str, amount: str) -> bytes:
    """A camt.053 of one day in EUR, with one entry that comes in."""

    def balance(code: str, value: str) -> str:
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='EUR'>{value}</Amt>"
            f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
        )

    entry = (
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt><AcctSvcrRef>REF{number}</AcctSvcrRef>"
        "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
        f"<NtryDtls><TxDtls><Refs><EndToEndId>E2E{number}</EndToEndId></Refs>"
        "<RmtInf><Ustrd>STRIPE PAYOUT</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>M{number}</MsgId><CreDtTm>{day}T23:00:00</CreDtTm></GrpHdr>"
        f"<Stmt><Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><CreDtTm>{day}T23:00:00</CreDtTm>"
        f"<FrToDt><FrDtTm>{day}T00:00:00</FrDtTm><ToDtTm>{day}T23:59:59</ToDtTm></FrToDt>"
        "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        f"{balance('OPBD', opening)}{balance('CLBD', closing)}{entry}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def stage() -> None:
    """Read what was received to its end."""
    get_drain("settlement_files").run()


def files_of(source: SourceData) -> list[SettlementFile]:
    """What was received, in order."""
    return list(SettlementFile.objects.filter(source_id=source.id).order_by("pk"))


def runs(source: SourceData) -> dict[date, JobRun]:
    """What is known of its days."""
    return {run.business_date: run for run in JobRun.objects.filter(job=JOB, scope=str(source.id))}


def cases(kind: str, source: SourceData) -> list[Case]:
    """What is open about a source."""
    rows = Case.objects.filter(kind=kind, subject__startswith=public_id("src", source.id))
    return list(rows.exclude(status="CLOSED").order_by("subject"))
