"""One sandbox put together: file, clock, faults, webhooks, provider, store, listeners."""

from __future__ import annotations

import json
import os
import secrets
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sandbox import pages
from sandbox.alarms import Alarms
from sandbox.bank import HTML, Bank
from sandbox.banking import pages as bank_overview
from sandbox.banking.api import BankApi
from sandbox.checkout import Checkout
from sandbox.clock import Clock
from sandbox.control import Control, reply
from sandbox.database import Database
from sandbox.faults import Faults
from sandbox.psp import events
from sandbox.psp.api import Api
from sandbox.psp.call import Call
from sandbox.server import MAX_CONNECTIONS, Listener, Request, Response
from sandbox.settings import Settings
from sandbox.store import Store
from sandbox.vendor import Vendor
from sandbox.webhooks import EVERYBODY, Webhooks


class World:
    """Everything outside the product."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.data / "sandbox.sqlite3")
        self.clock = Clock(self.database)
        self.faults = Faults(hang_seconds=settings.hang_seconds)
        self.webhooks = Webhooks(
            database=self.database, clock=self.clock, schedule=settings.retry_schedule,
            timeout=settings.webhook_timeout, lanes=settings.lanes,
        )  # fmt: skip
        pool = ThreadPoolExecutor(MAX_CONNECTIONS, thread_name_prefix="connection")
        self.main = Listener(host=settings.host, port=settings.port, handler=self.handle, pool=pool)
        self.side = Listener(
            host=settings.host, port=settings.control_port, handler=self.handle_side, pool=pool
        )
        self._pool = pool
        self.main.open()
        self.side.open()
        self.base_url = settings.public_url or f"http://{settings.host}:{self.main.port}"
        self.api = Api(
            database=self.database, clock=self.clock, faults=self.faults, webhooks=self.webhooks,
            base_url=self.base_url, version=settings.api_version,
        )  # fmt: skip
        self.bank = Bank(self.database, self.api)
        self.checkout = Checkout(self.database, self.clock, self.api)
        self.vendor = Vendor(self.database, self.clock, self.faults, self.api)
        self.bank_api = BankApi(
            database=self.database, faults=self.faults, webhooks=self.webhooks, api=self.api
        )
        self.alarms = Alarms(database=self.database, clock=self.clock, api=self.api)
        self.store = Store(self.database, self.api.stopping, base_url=self.base_url, now=self.webhooks.now)
        self.control = Control(self)

    def start(self) -> None:
        """Send what is open, and tell where the sandbox listens in ``sandbox.json`` of the data folder."""
        self._own_endpoints()
        self.webhooks.start()
        self.alarms.start()
        self.store.courier.start()
        place = self.settings.data / "sandbox.json"
        partial = place.with_suffix(".partial")
        partial.write_text(json.dumps({"pid": os.getpid(), **self.addresses()}))
        partial.replace(place)

    def stop(self) -> None:
        """Close the listeners, end what sleeps, close the file."""
        self.api.stopping.set()
        self.main.stop()
        self.side.stop()
        self.webhooks.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.database.close()

    def reset(self) -> None:
        """Forget everything but the settings."""
        self.faults.disarm()
        self.webhooks.clear()
        self.webhooks.schedule = self.settings.retry_schedule
        self.store.clear()
        self.vendor.reset()
        self.database.reset()
        self.clock.reset()
        self.api.keys.clear()
        self.api.kept.reload()
        self._own_endpoints()

    def _own_endpoints(self) -> None:
        """Register the endpoints of the command line, once per data folder."""
        for url in self.settings.webhook_urls:
            known = self.database.rows(
                "SELECT body FROM object WHERE account = ? AND type = 'webhook_endpoint' AND type <> 'event'",
                (EVERYBODY,),
            )
            if any(json.loads(row["body"])["url"] == url for row in known):
                continue
            secret = self.settings.webhook_secret or f"whsec_{secrets.token_hex(24)}"

            def act(call: Call, url: str = url, secret: str = secret) -> Any:
                return events.make_endpoint(call, url=url, enabled=["*"], secret=secret)

            self.api.perform(account=EVERYBODY, operation="settings.webhook_endpoint", action=act)

    def addresses(self) -> dict[str, Any]:
        """Where this sandbox listens."""
        return {
            "port": self.main.port,
            "control_port": self.side.port,
            "url": self.base_url,
            "control_url": f"http://{self.settings.host}:{self.side.port}",
            "api_version": self.settings.api_version,
        }

    def describe(self) -> dict[str, Any]:
        """Addresses, clock and sizes."""
        return {
            **self.addresses(),
            "pid": os.getpid(),
            "clock_offset": self.clock.offset,
            "listening": self.main.is_open,
            "webhooks": self.webhooks.mode,
            "counts": self.counts(),
        }

    def counts(self) -> dict[str, int]:
        """How much there is of everything."""
        sql = (
            "SELECT type AS name, count(*) AS n FROM object GROUP BY type"
            " UNION ALL SELECT 'journal entries', count(*) FROM journal"
            " UNION ALL SELECT 'requests', count(*) FROM request_log"
            " UNION ALL SELECT 'webhook deliveries', count(*) FROM delivery"
            " UNION ALL SELECT 'webhooks received by the store', count(*) FROM store_webhook"
            " UNION ALL SELECT 'payments of the bank', count(*) FROM bank_payment"
        )
        return {row["name"]: row["n"] for row in self.database.rows(sql)}

    def handle_side(self, request: Request) -> Response:
        """Requests on the control port, which stays open when the main port refuses."""
        request.headers["x-sandbox-control-port"] = "1"
        return self.handle(request)

    def handle(self, request: Request) -> Response:
        """Answer any request."""
        try:
            return self._dispatch(request)
        except Exception:  # a defect of the sandbox itself: say so loudly, and keep serving
            traceback.print_exc(file=sys.stderr)
            return reply(500, {"error": {"type": "api_error", "message": "The sandbox itself is broken."}})

    def _dispatch(self, request: Request) -> Response:
        path = request.path
        if path.startswith("/v1/"):
            return self.api.handle(request)
        if path == "/healthz":
            return reply(200, {"status": "ok"})
        if path.startswith("/_sandbox"):
            return self.control.handle(request)
        if path.startswith("/_bank/"):
            return self.bank.handle(request)
        if path.startswith("/bank/"):
            return self.bank_api.handle(request)
        if path == "/bank" and request.method == "GET":
            return Response(200, bank_overview.overview(self.database), HTML)
        if path.startswith("/_vendor/"):
            return self.vendor.handle(request)
        if path.startswith("/c/pay/"):
            return self.checkout.handle(request)
        if path == "/store/webhooks" and request.method == "POST":
            return self.store.receive(request)
        if path == "/store" or path.startswith("/store/"):
            return self.store.shop.handle(request)
        if path == "/" and request.method == "GET":
            page = pages.index(
                base_url=self.base_url,
                control_url=str(self.addresses()["control_url"]),
                version=self.settings.api_version,
                counts=self.counts(),
            )
            return Response(200, page, HTML)
        return Response(404, pages.message("Nothing here", "The sandbox has no such page."), HTML)
