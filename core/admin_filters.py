"""What many lists of the console are narrowed to."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db import connection
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from core import clock
from core.ids import first_key

__all__ = ["NumberedSinceFilter", "SinceFilter", "distinct_values"]

_HOURS = {
    "24": gettext_lazy("The last 24 hours"),
    "168": gettext_lazy("The last 7 days"),
    "720": gettext_lazy("The last 30 days"),
    "2160": gettext_lazy("The last 90 days"),
}


class SinceFilter(SimpleListFilter):
    """Rows since a moment, found by key: keys grow with time."""

    title = gettext_lazy("time")
    parameter_name = "since"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """From the last day to the last 90 days."""
        return list(_HOURS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what began since then."""
        value = str(self.value() or "")
        if value not in _HOURS:
            return queryset
        return queryset.filter(pk__gte=first_key(clock.now() - timedelta(hours=int(value))))


# Halves the range until the first row of the moment is found: some thirty rows are read by their key, in a
# table of any length, and no index has to be kept for it.
_FIRST_NUMBER = """
    WITH RECURSIVE search AS (
        SELECT coalesce(min({key}), 0) AS low, coalesce(max({key}), 0) + 1 AS high FROM {table}
        UNION ALL
        SELECT CASE WHEN at < %(since)s THEN middle + 1 ELSE low END,
            CASE WHEN at < %(since)s THEN high ELSE middle END
        FROM (SELECT low, high, (low + high) / 2 AS middle,
            (SELECT {column} FROM {table} WHERE {key} >= (low + high) / 2 ORDER BY {key} LIMIT 1) AS at
            FROM search WHERE low < high) AS half
    ) SELECT max(low) FROM search
"""
# Numbers are drawn before their rows are committed, so neighbours may be this much out of order.
_DISORDER = timedelta(minutes=1)


class NumberedSinceFilter(SinceFilter):
    """The same for rows that are numbered as they are recorded, at the moment in `recorded_at`."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what was recorded since then."""
        value = str(self.value() or "")
        if value not in _HOURS:
            return queryset
        since = clock.now() - timedelta(hours=int(value))
        return queryset.filter(
            pk__gte=_first_number(queryset.model, since - _DISORDER), recorded_at__gte=since
        )


# Goes from one value to the next by the index, instead of through every row.
_NEXT_VALUE = """
    WITH RECURSIVE found AS (
        SELECT min({column}) AS value FROM {table}
        UNION ALL
        SELECT (SELECT min({column}) FROM {table} WHERE {column} > found.value) FROM found
        WHERE found.value IS NOT NULL
    ) SELECT value FROM found WHERE value IS NOT NULL
"""


def distinct_values(model: type[Model], column: str) -> list[str]:
    """Return the values of a column that an index begins with: of few values, in a table of any length."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_VALUE.format(table=model._meta.db_table, column=column))
        return [value for (value,) in cursor.fetchall()]


def _first_number(model: type[Model], since: datetime) -> int:
    meta = model._meta
    assert meta.pk is not None
    names = {"table": meta.db_table, "key": meta.pk.column, "column": "recorded_at"}
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_NUMBER.format(**names), {"since": since})
        return int(cursor.fetchone()[0])
