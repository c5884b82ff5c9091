"""A bank's statements over HTTP: one camt.053 for each day of an account."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from tempfile import TemporaryFile
from urllib.parse import quote

from channels.types import ChannelData
from core.transactions import forbids_transaction
from reconciliation.fetchers.contract import Errand, Fetched, FetchFailed, NotYet
from reconciliation.sources.types import SourceSettings

__all__ = ["BankStatements"]

_PROVIDERS = ("sandbox", "sepa")


class BankStatements:
    """Statements of a bank that answers under its channel's base URL."""

    name, title = "bank", "The bank's statements, over HTTP"

    def why_not(self, settings: SourceSettings, channel: ChannelData | None) -> str:
        """It takes a bank's channel, and an account to ask for."""
        if settings.kind != "bank" or channel is None or channel.provider not in _PROVIDERS:
            return "Statements are asked for over a bank's channel."
        if not settings.account:
            return "Say of which account the statements are."
        return ""

    @forbids_transaction
    def fetch(self, errand: Errand) -> Sequence[Fetched]:
        """Bring a statement for each day since the last business day: money moves on holidays, too."""
        found: list[Fetched] = []
        try:
            for day in _days(errand.day.first, errand.day.day):
                found.append(self._statement(errand, day))
        except BaseException:
            for each in found:
                each.body.close()
            raise
        return found

    def _statement(self, errand: Errand, day: date) -> Fetched:
        account = errand.source.settings.account
        body = TemporaryFile()  # noqa: SIM115 - whoever gets it closes it
        try:
            url = f"/bank/statements/{quote(account, safe='')}?date={day}"
            status = errand.download("statement", url, body)
            if status == 404:
                raise NotYet("the bank has no statement of the account")
            if status != 200:
                raise FetchFailed(f"the bank answered {status}")
            body.seek(0)
        except BaseException:
            body.close()
            raise
        return Fetched(f"{account[-16:]}-{day}.xml", body, asked_from=day, asked_to=day)


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)
