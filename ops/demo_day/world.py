"""The running system as the day sees it: the API, the world outside, the console, the clocks, manage.py."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ops.demo_day.client import Client
from ops.demo_day.feed import Feed
from ops.demo_day.people import Person
from ops.messages import Stop

DAY = 86_400


class World:
    """`facts` are those of the dev file; nothing here looks into the database."""

    def __init__(
        self, facts: Mapping[str, Any], *, python: Path, root: Path, env: Mapping[str, str], hooks: Path
    ) -> None:
        self.facts, self._python, self._root, self._env = facts, python, root, dict(env)
        self._clock = hooks / "clock"
        self._ahead = 0
        hooks.mkdir(exist_ok=True)
        self.api = Client(str(facts["api_url"]), {"Authorization": f"Bearer {facts['api_key']}"})
        self.outside = Client(str(facts["sandbox_url"]))
        self.feed = Feed(self.api)
        # What no list of the API tells: who bought, top-ups, and refunds that went to wallets.
        self.buyers: set[str] = set()
        self.top_up_ids: list[str] = []
        self.to_wallets: list[tuple[str, int]] = []

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
        parts = urllib.parse.urlencode({"payment_method": "pm_card_visa"}).encode()
        request = urllib.request.Request(f"{self.facts['sandbox_url']}/v1/payment_intents/{intent}/confirm", parts)
        request.add_header("Authorization", f"Bearer {self.facts['psp_key']}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()

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

    def manage(self, *command: str) -> str:
        """Run a management command and return what it prints. Raises Stop with its last lines."""
        done = subprocess.run(
            [self._python, "manage.py", *command],
            cwd=self._root,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Stop(
                f"`manage.py {' '.join(command)}` failed with exit code {done.returncode}.",
                evidence=(done.stdout + done.stderr)[-3000:],
            )
        return done.stdout

    def manage_json(self, *command: str) -> Any:
        """The same of a command that prints JSON."""
        return json.loads(self.manage(*command))

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

    def nudge(self, *tasks: str) -> None:
        """Start tasks now that beat starts every minute or so."""
        for task in tasks:
            subprocess.run(
                [self._python, "-m", "celery", "-A", "config.celery", "call", task, "--queue=default"],
                cwd=self._root,
                env=self._env,
                capture_output=True,
                check=True,
            )
