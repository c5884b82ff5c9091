"""What the first page shows to one person: only figures of pages that the person may open."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest

from console.today.figures import RIGHTS, Read, figures
from console.today.measures import BREAKS, DAYS, MONEY, PAYMENTS
from console.today.pictures import (
    acceptance_chart,
    breaks_chart,
    currencies,
    hours_chart,
    money_chart,
)
from console.today.trends import AGES
from core import clock
from core.figures import current, earlier, tallied

__all__ = ["today"]


def today(request: HttpRequest) -> dict[str, Any]:
    """Return figures, charts and the moment that they are about."""
    names = [name for name, right in RIGHTS.items() if request.user.has_perm(right)]
    measured = [name for name in names if name != PAYMENTS]
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    read = Read(
        now=current(measured) if measured else {},
        past=earlier(measured, ages=AGES) if measured else {},
        hours=tallied(PAYMENTS, since=midnight - timedelta(days=DAYS - 1)) if PAYMENTS in names else {},
    )
    seen = [reading.made_at for reading in read.now.values()]
    return {
        "figures": figures(read),
        "figures_at": min(seen, default=None),
        "mode": read.now[MONEY].data["mode"] if MONEY in read.now else "",
        **_charts(request, read),
    }


def _charts(request: HttpRequest, read: Read) -> dict[str, Any]:
    charts = [hours_chart(read), acceptance_chart(read)] if read.hours else []
    offered = currencies(read) if MONEY in read.now else []
    chosen = request.GET.get("currency", "")
    chosen = chosen if chosen in offered else next(iter(offered), "")
    if chosen:
        charts.append(money_chart(read, chosen))
    if BREAKS in read.now:
        charts.append(breaks_chart(read))
    return {"charts": charts, "currencies": offered, "currency": chosen}
