"""Alerts reach people: by email, and by a signed POST.

Each message is a row, once for an alert and a way. It may be sent twice when a process dies between sending
and writing that down; both copies then carry the id of the row (Message-ID, webhook-id), so they are one.
"""

import json
import time
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage

from core import clock
from core.alert_notices import QUEUE, ways
from core.alerts import get_alert
from core.dead_letters import bury
from core.drain import Claim, Drain
from core.failpoints import failpoint
from core.ids import public_id
from core.locks import lock_alert_notice
from core.models import AlertNotice, DeadLetter
from core.nudges import nudge
from core.redaction import hide_secrets
from core.retry import Retry, Strategy
from core.transactions import at_edge, forbids_transaction, requires_transaction
from events.sender import Sender
from events.signing import sign
from events.targets import read_own_target

__all__ = ["AlertDrain", "NotTold", "replay_notice"]

# About three hours in all: a mail server may be away for a while, and then a person must see it elsewhere.
_RETRY = Retry(Strategy.EXPONENTIAL, base=5, cap=3600, limit=12)


class NotTold(Exception):
    """Nobody has taken the message."""


class AlertDrain(Drain):
    """Sends what is due to those who answer for the system."""

    name = QUEUE
    model = AlertNotice
    lease_seconds = 60
    batch = 10

    def handle(self, claim: Claim) -> None:
        """Send one message, then write down that it was sent."""
        notice = AlertNotice.objects.select_related("case").get(pk=claim.id)
        # A way that was taken away since is no failure: nobody is there to be told.
        said = _send(notice) if notice.way in ways() else "this way was switched off"
        failpoint("alerts.sent")
        _record(claim, said)

    def failed(self, claim: Claim, error: Exception) -> None:
        """Try again later; after the last try a dead letter says so in the console."""
        super().failed(claim, error)
        _try_again(claim, error)


@requires_transaction
def replay_notice(letter: DeadLetter) -> None:
    """Make the message of a dead letter due again."""
    notice = lock_alert_notice(notice_id=UUID(letter.subject))
    notice.due_at, notice.leased_until, notice.attempts = clock.now(), None, 0
    notice.save(update_fields=["due_at", "leased_until", "attempts"])
    nudge(QUEUE)


@forbids_transaction
def _send(notice: AlertNotice) -> str:
    """Return an empty string when it was taken. Raises NotTold, or what the mail server says."""
    content = _content(notice)
    if notice.way == "email":
        _mail(content)
    else:
        _post(content)
    return ""


def _content(notice: AlertNotice) -> dict[str, Any]:
    case, alert = notice.case, get_alert(notice.case.kind)
    return {
        "id": public_id("alert", notice.pk),
        "alert": alert.name,
        "severity": notice.severity,
        "title": alert.title,
        "says": alert.says,
        "subject": case.subject,
        "summary": hide_secrets(case.summary),
        "value_minor": None if case.value_minor is None else str(case.value_minor),
        "currency": case.currency,
        "opened_at": case.opened_at.isoformat(),
        "case": public_id("case", case.pk),
        "console": f"{settings.PUBLIC_URL}/admin/core/case/{case.pk}/change/",
        "runbook": alert.runbook,
        "environment": settings.ENVIRONMENT,
    }


def _mail(content: dict[str, Any]) -> None:
    lines = [
        content["says"],
        "",
        f"{content['subject']}: {content['summary']}",
        *(
            [f"At risk: {content['value_minor']} minor units of {content['currency']}"]
            if content["currency"]
            else []
        ),
        f"Since {content['opened_at']}",
        "",
        f"Console: {content['console']}",
        f"What to do: {content['runbook']}",
    ]
    subject = f"[{content['environment']} {content['severity']}] {content['title']}: {content['subject']}"
    message = EmailMessage(
        # A line break in a subject would be refused: it could end the header.
        subject=" ".join(subject.split())[:200],
        body="\n".join(lines),
        to=list(settings.ALERT_EMAIL_TO),
        headers={"Message-ID": f"<{content['id']}@quittance>", "Auto-Submitted": "auto-generated"},
    )
    if not message.send():
        raise NotTold("the mail server took the message for nobody")


def _post(content: dict[str, Any]) -> None:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    seconds = int(clock.now().timestamp())
    headers = {
        "content-type": "application/json",
        "user-agent": "Quittance-Alerts/1",
        "webhook-id": content["id"],
        "webhook-timestamp": str(seconds),
        "webhook-signature": sign(
            secrets=[settings.ALERT_WEBHOOK_SECRET], message_id=content["id"], timestamp=seconds, body=body
        ),
    }
    sender = Sender()
    begun = time.monotonic()
    try:
        answer = sender.send(read_own_target(settings.ALERT_WEBHOOK_URL), body=body, headers=headers)
    finally:
        sender.close()
    if answer.status is None or not 200 <= answer.status < 300:
        raise NotTold(f"{answer.error or answer.status} after {time.monotonic() - begun:.1f} s")


@at_edge
def _record(claim: Claim, said: str) -> None:
    notice = _held(claim)
    if notice is None:
        return
    notice.due_at = notice.leased_until = None
    notice.error, notice.told = said, "" if said else _told(notice.way)
    notice.sent_at = None if said else clock.now()
    notice.save(update_fields=["due_at", "leased_until", "error", "told", "sent_at"])


def _told(way: str) -> str:
    """Who is told this way; of an address on the web the host alone, because the rest may be a secret."""
    if way == "email":
        return ", ".join(settings.ALERT_EMAIL_TO)[:300]
    return urlsplit(settings.ALERT_WEBHOOK_URL).hostname or ""


@at_edge
def _try_again(claim: Claim, error: Exception) -> None:
    notice = _held(claim)
    if notice is None:
        return
    notice.attempts += 1
    notice.error = hide_secrets(f"{type(error).__name__}: {error}".replace("\x00", ""))[:300]
    notice.leased_until = None
    pause = _RETRY.pause(notice.attempts)
    notice.due_at = None if pause is None else clock.now() + pause
    notice.save(update_fields=["attempts", "error", "leased_until", "due_at"])
    if pause is None:
        bury(
            queue=QUEUE,
            subject=str(notice.pk),
            error=notice.error,
            attempts=notice.attempts,
            detail={"way": notice.way, "alert": notice.case.kind},
        )


def _held(claim: Claim) -> AlertNotice | None:
    """Return the claimed message, locked, or None when a later claimer took it over."""
    notice = lock_alert_notice(notice_id=claim.id)
    return notice if notice.fence == claim.fence and notice.due_at is not None else None
