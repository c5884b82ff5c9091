"""What the footers of PayPal's reports declare: how many rows there are, and their sums by currency."""

from collections import defaultdict

from reconciliation.formats.contract import Control, Refused
from reconciliation.formats.paypal_rows import count, hundredths

__all__ = ["Footers"]

# In this order behind the currency; balances follow, which are not ours to check.
_SUMS = ("gross_credits", "gross_debits", "fee_credits", "fee_debits")
_ORDER = {"SF": 0, "SC": 1, "RF": 2, "RC": 3, "FF": 4}

Sums = dict[str, list[int]]


class Footers:
    """The footers of one file, and how many of its rows are no lines."""

    def __init__(self) -> None:
        self.ignored = 0
        self.ends_report = self.ends_file = False
        self._unmoved: set[str] = set()
        self._sums: dict[str, Sums] = {"SF": {}, "RF": {}}
        self._places: dict[str, int] = {}
        self._counts: defaultdict[str, int] = defaultdict(int)

    def ignore(self, currency: str) -> None:
        """Count a row that moves no balance. The sums of its currency may have it, or not."""
        self.ignored += 1
        self._unmoved.add(currency)

    def add(self, line_no: int, row: list[str]) -> None:
        """Take a footer. Raises Refused."""
        record = row[0]
        if self.ends_file or (self.ends_report and _ORDER[record] < _ORDER["RF"]):
            raise Refused("record_out_of_place", f"{record} where none can be", line_no)
        self.ends_report = self.ends_report or record in ("RF", "RC")
        self.ends_file = record == "FF"
        self._places[record] = line_no
        if record in self._sums and len(row) > 2:
            self._add_sums(line_no, row)
        else:
            self._add_count(line_no, row)

    def _add_count(self, line_no: int, row: list[str]) -> None:
        counted = count(row[1]) if len(row) == 2 else None
        if counted is None:
            raise Refused("footer_invalid", f"{row[0]} has no figures", line_no)
        self._counts[row[0]] += counted

    def _add_sums(self, line_no: int, row: list[str]) -> None:
        record, currency = row[0], row[1]
        if len(row) < 2 + len(_SUMS):
            raise Refused("footer_invalid", f"{record} of {currency[:10]!r} has not all sums", line_no)
        sums = [hundredths(text, currency, line_no) for text in row[2:6]]
        known = self._sums[record].get(currency)
        if known and record == "RF":
            raise Refused("footer_invalid", f"the report has two totals of {currency}", line_no)
        self._sums[record][currency] = [a + b for a, b in zip(known, sums, strict=True)] if known else sums

    def controls(self, *, is_split: bool) -> tuple[Control, ...]:
        """Return the figures to compare; those with the scope "report" count lines of other files too.

        Raises Refused with `totals_contradict` where the totals of sections are not those of the report.
        """
        sections, report = self._sums["SF"], self._sums["RF"]
        if sections and report and sections != report and not is_split:
            message = "the totals of the sections are not those of the report"
            raise Refused("totals_contradict", message, self._places["RF"])
        found = [self._count(record, is_split) for record in self._counts]
        record = "RF" if report else "SF"
        for currency, sums in (report or sections).items():
            # Nothing says whether rows that moved no balance are in the sums of their currency.
            scope = "report" if is_split or currency in self._unmoved else ""
            for what, value in zip(_SUMS, sums, strict=True):
                found.append(Control(what, value, currency, scope, self._places[record]))
        return tuple(found)

    def _count(self, record: str, is_split: bool) -> Control:
        scope = "report" if is_split and record != "FF" else ""
        value = self._counts[record] - (0 if scope else self.ignored)
        return Control("lines", value, scope=scope, line_no=self._places[record])
