"""Which ways of fetching there are. A new one is a module beside this one, and a line in `FETCHERS`."""

from channels.types import ChannelData
from reconciliation.fetchers.bank import BankStatements
from reconciliation.fetchers.contract import DayFetcher, Fetcher, Sweeper
from reconciliation.fetchers.folder import DropFolder
from reconciliation.fetchers.stripe import StripeReports
from reconciliation.sources.types import SourceSettings

__all__ = ["DAY_FETCHERS", "FETCHERS", "SWEEPERS"]


class _Upload:
    """People bring the files."""

    name, title = "upload", "People upload it"

    def why_not(self, settings: SourceSettings, channel: ChannelData | None) -> str:
        """Every file can be brought."""
        return ""


DAY_FETCHERS: dict[str, DayFetcher] = {each.name: each for each in (StripeReports(), BankStatements())}
SWEEPERS: dict[str, Sweeper] = {each.name: each for each in (DropFolder(),)}
FETCHERS: dict[str, Fetcher] = {**DAY_FETCHERS, **SWEEPERS, _Upload.name: _Upload()}
