"""A client that is killed, or loses its connection, between any two of its steps towards the database.

Started once as `python -m tests.stateful.client_process`; for every line on its input, the name of a file
with a cast and its calls, it forks a client that does these calls one after the other. A step is whatever
the client waits for: each statement, each BEGIN and each COMMIT is one when it was sent, and one when it
was answered. At every step the client passes the failpoint `step.N`, where a test may have armed "kill", or
"raise", which here ends the client's session on the server. The client then repeats the same call on a new
connection, as a client does.
"""

import os
import sys
import time
import traceback
from collections.abc import Generator
from pathlib import Path
from typing import Any

import django


def main() -> None:
    """Fork a client for every program, and say how it ended."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    # Before the forks, so that they need not; the calls of holds make themselves known.
    import tests.stateful.holds
    import tests.stateful.written  # noqa: F401

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        client = os.fork()
        if not client:
            code = 1
            try:
                _be_a_client(Path(line.strip()))
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        _, status = os.waitpid(client, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _be_a_client(program: Path) -> None:
    from django.db import InterfaceError, OperationalError, connection

    from tests.stateful.calls import perform, perform_in_halves
    from tests.stateful.written import read, written

    cast, calls, in_halves = read(program.read_text())
    do = perform_in_halves if in_halves else perform
    _pass_failpoints()
    with program.with_suffix(".answers").open("ab", buffering=0) as answers:
        for call in calls:
            answer = None
            while answer is None:
                began = time.monotonic()
                try:
                    answer = do(cast, call)
                except (OperationalError, InterfaceError):
                    connection.close()
                # One write: the test knows the whole answer or nothing; None is a call that was cut off.
                answers.write(f"{written([began, time.monotonic(), answer])}\n".encode())


def _pass_failpoints() -> None:
    """Make every connection of this process pass a failpoint at each step of its conversation."""
    import psycopg

    from core.failpoints import FailpointRaised, failpoint

    wait, steps = psycopg.Connection.wait, iter(range(1, 1_000_000))

    def step(session: psycopg.Connection[Any]) -> None:
        try:
            failpoint(f"step.{next(steps)}")
        except FailpointRaised:
            _end(session)

    def conversation(session: psycopg.Connection[Any], talk: Any) -> Generator[Any, Any, Any]:
        try:
            awaited = next(talk)
            while True:
                step(session)
                awaited = talk.send((yield awaited))
        except StopIteration as done:
            return done.value

    def stepwise(session: psycopg.Connection[Any], talk: Any, *args: Any, **options: Any) -> Any:
        value = wait(session, conversation(session, talk), *args, **options)
        step(session)
        return value

    psycopg.Connection.wait = stepwise  # type: ignore[method-assign]


def _end(session: Any) -> None:
    """What an administrator does: end the session on the server, and wait until it is gone."""
    from psycopg import pq

    lost = session.pgconn
    # Not a connection of the driver, whose every step would come here again.
    login = {
        "host": lost.host,
        "port": lost.port,
        "dbname": lost.db,
        "user": lost.user,
        "password": lost.password,
    }
    other = pq.PGconn.connect(b" ".join(name.encode() + b"=" + value for name, value in login.items()))
    try:
        done = other.exec_(b"SELECT pg_terminate_backend(%d, 10000)" % lost.backend_pid)
        assert done.status == pq.ExecStatus.TUPLES_OK, other.error_message
    finally:
        other.finish()


if __name__ == "__main__":
    main()
