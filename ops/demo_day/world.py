"""The running system as the day sees it: the API, the world outside, the console, the clocks, manage.py."""

from __future__ import annotations

import http.client
import json
import subprocess
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ops.demo_day.client import Client, Refused
from ops.demo_day.feed import Feed
from ops.demo_day.people import Person
from ops.messages import Stop

# What `celery call` does, of several tasks at once.
START = """
import sys
from config.celery import app
for task in sys.argv[1:]:
    app.send_task(task, queue="default")
"""


class World:
    """`facts` are those of the dev file; nothing here looks into the database."""

    def __init__(
        self, facts: Mapping[str, Any], *, python: Path, root: Path, env: Mapping[str, str], log_dir: Path
    ) -> None:
        self.facts, self._python, self._root, self._env = facts, python, root, dict(env)
        hooks = Path(env["HOOKS_DIR"])
        hooks.mkdir(exist_ok=True)
        self._clock, self._ahead = hooks / "clock", 0
        self._log = log_dir / "office.log"
        self._office: subprocess.Popen[str] | None = None
        self._at_office = threading.Lock()
        # Set when the day is to end early: nobody waits any longer.
        self.stop = threading.Event()
        key = {"Authorization": f"Bearer {facts['api_key']}"}
        self.api = Client(str(facts["api_url"]), key, stop=self.stop)
        self.outside = Client(str(facts["sandbox_url"]), stop=self.stop, keep_alive=False)
        self.feed = Feed(self.api, self.stop)
        # What no list of the API tells: who bought, top-ups, and refunds that went to wallets.
        self.buyers: set[str] = set()
        self.top_up_ids: list[str] = []
        self.to_wallets: list[tuple[str, int]] = []
        self.opened_on = self.now.date()

    @property
    def merchant(self) -> str:
        """The merchant's id."""
        return str(self.facts["merchant"])

    def person(self, name: str) -> Person:
        """Sign in as one of the people of the demo: admin, maker or checker."""
        said = {each: str(self.facts[f"{name}_{each}"]) for each in ("password", "totp_secret")}
        return Person(str(self.facts["api_url"]), name=str(self.facts[f"{name}_user"]), **said)

    def control(self, path: str, body: Mapping[str, Any]) -> Any:
        """Steer the sandbox."""
        return self.outside.post(f"/_sandbox/{path}", body)

    def ask(self, path: str) -> Any:
        """Read the sandbox's own books."""
        return self.outside.get(f"/_sandbox/{path}")

    def pay_late(self, intent: str) -> None:
        """A buyer pays what was declined, in another tab, with the provider's own script."""
        connection = http.client.HTTPConnection(self.outside.host, self.outside.port, timeout=30)
        headers = {
            "Authorization": f"Bearer {self.facts['psp_key']}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            path = f"/v1/payment_intents/{intent}/confirm"
            connection.request("POST", path, "payment_method=pm_card_visa", headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise Refused("POST", path, answer.status, answer.read())
        finally:
            connection.close()

    @property
    def top_ups(self) -> list[Any]:
        """Every top-up, as it is now."""
        return [self.api.get(f"/v1/top_ups/{each}") for each in self.top_up_ids]

    # Time

    @property
    def now(self) -> datetime:
        """The moment at which the day is."""
        return datetime.fromtimestamp(float(self.ask("clock")["now"]), UTC)

    def pass_seconds(self, seconds: int) -> None:
        """Let time go by, outside and with us."""
        self._ahead += seconds
        self.control("clock", {"seconds": seconds})
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(str(self._ahead))
        fresh.replace(self._clock)

    def pass_until(self, hour: int, *, days: int = 0) -> None:
        """Let time go by until an hour of the day, or of one `days` later; not before the next such hour."""
        now = self.now
        then = now.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=days)
        if then <= now:
            then += timedelta(days=1)
        self.pass_seconds(int((then - now).total_seconds()) + 1)

    # What an operator would type

    def office(self, what: str, **options: Any) -> Any:
        """Have `manage.py demo_day` do or tell something; one process answers all. Raises Stop."""
        with self._at_office:
            if self._office is None:
                self._office = subprocess.Popen(
                    [self._python, "manage.py", "demo_day", "listen", self.merchant],
                    cwd=self._root,
                    env=self._env,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._log.open("ab"),
                    text=True,
                )
            process = self._office
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps({"what": what, **options}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        answer = json.loads(line) if line else {"error": "it has ended"}
        if "error" in answer:
            raise Stop(
                f"`manage.py demo_day` could not do {what}.",
                evidence=answer["error"][-3000:],
                cure=f"read {self._log}.",
            )
        return answer["answer"]

    def close_office(self) -> None:
        """Let that process end."""
        if self._office is not None and self._office.stdin is not None:
            self._office.stdin.close()
            try:
                self._office.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._office.kill()
                self._office.wait()
        self._office = None

    def nudge(self, *tasks: str) -> None:
        """Start tasks now that beat starts every minute or so."""
        done = subprocess.run(
            [self._python, "-c", START, *tasks],
            cwd=self._root,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Stop(f"{', '.join(tasks)} could not be started.", evidence=done.stderr[-3000:])

    def audit(self) -> Any:
        """Examine every invariant over everything; return the report, also of a broken one."""
        done = subprocess.run(
            [self._python, "manage.py", "audit", "--full", "--json"],
            cwd=self._root,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise Stop("`manage.py audit` printed no report.", evidence=done.stderr[-3000:]) from None
