"""The other contender: django-hordak, in a database of its own beside the product's."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from config.env import database_from_url
from tests.stack import ROOT

__all__ = ["Hordak", "hordak"]


class Hordak:
    """A running process that posts and reads with django-hordak when asked."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, do: str, **arguments: Any) -> Any:
        """Let it do one thing and return what it measured."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        return self.read()["answer"]

    def read(self) -> dict[str, Any]:
        """The next line that it says."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "django-hordak's process ended; what it said is above"
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def hordak() -> Iterator[Hordak]:
    """A fresh database on the server under test with hordak's own migrations; both go afterwards."""
    owner = database_from_url(settings.DATABASE_OWNER_URL)
    name = f"{connection.settings_dict['NAME']}_hordak"
    login = {
        "host": owner["HOST"],
        "port": owner["PORT"],
        "user": owner["USER"],
        "password": owner["PASSWORD"],
    }
    with psycopg.connect(dbname=owner["NAME"], autocommit=True, **login) as maintenance:
        maintenance.execute(f'DROP DATABASE IF EXISTS "{name}"')
        maintenance.execute(f'CREATE DATABASE "{name}"')
        url = f"postgresql://{login['user']}:{login['password']}@{login['host']}:{login['port']}/{name}"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.hordak_project"],
            cwd=ROOT,
            env=os.environ | {"HORDAK_URL": url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            contender = Hordak(process)
            contender.read()
            yield contender
        finally:
            process.kill()
            process.communicate()
            # Without FORCE: that would have to end the server's own vacuum, which only a superuser may.
            maintenance.execute(f'DROP DATABASE IF EXISTS "{name}"')
