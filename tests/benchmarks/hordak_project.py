"""django-hordak in a Django project of its own: a process that does what it is told on standard input.

One JSON object per line in, one out: {"do": "single", "count": 50} answers {"seconds": [...]}. It shares the
PostgreSQL server with the product and nothing else: other settings, other database.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import django
from django.conf import settings

from config.env import database_from_url

CURRENCY = "USD"


def configure() -> None:
    """The least that hordak needs; connections as in the product: kept, without health checks."""
    settings.configure(
        SECRET_KEY="benchmark",
        DATABASES={"default": database_from_url(os.environ["HORDAK_URL"])},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        HORDAK_INTERNAL_CURRENCY=CURRENCY,
        DEFAULT_CURRENCY=CURRENCY,
        CURRENCIES=[CURRENCY],
        USE_TZ=True,
        DEBUG=False,
    )
    django.setup()


class Books:
    """Three accounts as in the product's benchmark: what is owed by the provider, earned, and due as tax."""

    def __init__(self) -> None:
        from django.core.management import call_command
        from hordak.models import Account, AccountType

        call_command("migrate", verbosity=0, interactive=False)
        self.clearing, self.commission, self.tax, self.wallet = (
            Account.objects.create(name=name, code=str(number), type=kind, currencies=[CURRENCY])
            for number, (name, kind) in enumerate(
                [
                    ("clearing", AccountType.asset),
                    ("commission", AccountType.income),
                    ("tax", AccountType.liability),
                    ("wallet", AccountType.liability),
                ],
                1,
            )
        )

    def single(self, count: int) -> list[float]:
        """One entry of three legs per commit, as its documentation shows it."""
        from django.db import transaction
        from hordak.models import Leg, Transaction
        from moneyed import Money

        def post() -> None:
            with transaction.atomic():
                entry = Transaction.objects.create(description="bench")
                Leg.objects.create(transaction=entry, account=self.clearing, debit=Money(1, CURRENCY))
                Leg.objects.create(
                    transaction=entry, account=self.commission, credit=Money(Decimal("0.80"), CURRENCY)
                )
                Leg.objects.create(
                    transaction=entry, account=self.tax, credit=Money(Decimal("0.20"), CURRENCY)
                )

        return [timed(post) for _ in range(count)]

    def batch(self, size: int, count: int) -> list[float]:
        """So many entries per commit with bulk_create, the fastest way that its models offer."""
        from django.db import transaction
        from hordak.models import Leg, Transaction
        from moneyed import Money

        legs = (
            (self.clearing, {"debit": Money(1, CURRENCY)}),
            (self.commission, {"credit": Money(Decimal("0.80"), CURRENCY)}),
            (self.tax, {"credit": Money(Decimal("0.20"), CURRENCY)}),
        )

        def post() -> None:
            with transaction.atomic():
                entries = Transaction.objects.bulk_create(
                    [Transaction(description="bench") for _ in range(size)]
                )
                Leg.objects.bulk_create(
                    [
                        Leg(transaction=entry, account=account, currency=CURRENCY, **amount)
                        for entry in entries
                        for account, amount in legs
                    ]
                )

        return [timed(post) for _ in range(count)]

    def contended(self, clients: int, count: int) -> float:
        """Clients that spend from one account under a lock, with its balance checked; seconds for all."""
        from django.db import connection, transaction
        from hordak.models import Account
        from moneyed import Money

        one = Money(1, CURRENCY)
        with transaction.atomic():
            self.wallet.transfer_to(self.clearing, Money(clients * count, CURRENCY))

        def spend(start: threading.Barrier) -> None:
            connection.ensure_connection()
            start.wait()
            for _ in range(count):
                with transaction.atomic():
                    wallet = Account.objects.select_for_update().get(pk=self.wallet.pk)
                    if wallet.get_balance()[CURRENCY] < one:
                        raise ValueError("not enough")
                    self.tax.transfer_to(wallet, one)
            connection.close()

        start = threading.Barrier(clients + 1)
        threads = [threading.Thread(target=spend, args=(start,)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        start.wait()
        return timed(lambda: [thread.join() for thread in threads])

    def fill(self, lines: int) -> None:
        """Give the clearing account so many legs, by SQL with the checks switched off."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE hordak_leg DISABLE TRIGGER USER")
            cursor.execute(
                "INSERT INTO hordak_transaction (uuid, timestamp, date, description)"
                " VALUES (gen_random_uuid(), now(), current_date, 'fill') RETURNING id"
            )
            (entry,) = cursor.fetchone()
            cursor.execute(
                "INSERT INTO hordak_leg (uuid, transaction_id, account_id, debit, currency, description)"
                " SELECT gen_random_uuid(), %s, %s, 1, %s, '' FROM generate_series(1, %s)",
                [entry, self.clearing.pk, CURRENCY, lines],
            )
            cursor.execute("ALTER TABLE hordak_leg ENABLE TRIGGER USER")
            cursor.execute("ANALYZE hordak_leg")

    def balance(self, count: int) -> list[float]:
        """Read the balance of the clearing account, the way its documentation recommends."""
        from hordak.models import Account

        return [
            timed(lambda: Account.objects.with_balances().get(pk=self.clearing.pk).balance)
            for _ in range(count)
        ]


def timed(work: Callable[[], object]) -> float:
    """Seconds that some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Obey until standard input ends."""
    configure()
    books = Books()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        order: dict[str, Any] = json.loads(line)
        answer = getattr(books, order.pop("do"))(**order)
        print(json.dumps({"answer": answer}), flush=True)


if __name__ == "__main__":
    main()
