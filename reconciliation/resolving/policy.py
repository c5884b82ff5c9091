"""What people are told about breaks that nobody deals with."""

from datetime import timedelta

from core.alerts import Alert

__all__ = ["ALERTS", "OVERDUE"]

OVERDUE = "breaks_overdue"

ALERTS = (
    Alert(
        OVERDUE,
        "Breaks are not dealt with in time",
        "The time in which a break must be explained is over. Until it is, nobody knows whose the money is,"
        " and the day is not closed.",
        timedelta(hours=24),
        page="console:breaks",
        query="?queue=all&overdue=1",
    ),
)
