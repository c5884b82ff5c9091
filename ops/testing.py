"""`make test`, `make check` and `make bench`: servers of their own, then the tools."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ops.checks import run_checks
from ops.environment import DatabaseUrls, Environment, compose
from ops.lanes import Lane, run_lanes, slug
from ops.layout import Layout
from ops.postgres import Binaries, binaries_in, system_binaries
from ops.session import Session, opened, own_path
from ops.venv import VirtualEnvironment

NO_TESTS_COLLECTED = 5
OLDEST_LEG = 15
# What runs beside the rest, which keeps one core busy: first what surrounds the product or is seen from
# outside (it starts families of processes and waits for them), then what would make the rest too long.
BESIDE = {
    "its surroundings": ("docs", "e2e", "faults", "night", "openapi", "ops", "sandbox"),
    "reconciliation": ("months", "reconciliation"),
}


@dataclass(frozen=True)
class TestPlan:
    """What one call of the command is to do. `lanes`: the whole suite, in parts that run side by side."""

    pytest_args: tuple[str, ...] = ()
    checks: bool = True
    tests: bool = True
    careless_database: bool = False
    postgres: Path | None = None
    oldest_leg: bool = False
    lanes: bool = False


def run_tests(*, layout: Layout, plan: TestPlan) -> int:
    """Start the test servers, run what the plan says, stop the servers. The first failing exit code.

    A check that fails does not keep the tests from running: both reports are wanted.
    """
    with opened(layout=layout, what="a test run") as session:
        venv = session.virtual_environment(development=True)
        codes = []
        if plan.checks:
            codes.append(_checks(session, venv=venv))
        if plan.tests:
            lanes = _lanes(session, venv=venv, plan=plan)
            codes += run_lanes(session, venv=venv, lanes=lanes, at_once=_at_once(session))
            for lane, code in zip(lanes, codes[-len(lanes) :], strict=True):
                if code == NO_TESTS_COLLECTED:
                    session.progress.say(f"FAILED: no test was found for {lane.name}.")
        verdict = next((code for code in codes if code), 0)
        session.progress.say(f"{'passed' if verdict == 0 else 'FAILED'} in {session.progress.elapsed:.1f} s")
        return verdict


def _checks(session: Session, *, venv: VirtualEnvironment) -> int:
    """The checks read the models, not the database: an address where nobody listens will do."""
    nowhere = DatabaseUrls.local(port=1, credentials=session.credentials)
    env = _environment(session, venv=venv, database=nowhere, redis_url="redis://127.0.0.1:1/0", name="checks")
    # Without the pool of the app's login, which would wait for the database.
    return 0 if run_checks(session, venv=venv, env=env.owner | {"DATABASE_LOGIN": "owner"}) else 1


def _at_once(session: Session) -> int:
    """Servers that the user gave are one database and one Redis: there the parts take turns."""
    are_given = {"DATABASE_URL", "REDIS_URL"} & session.user_env.keys()
    return 1 if are_given or (os.cpu_count() or 1) < 2 else 2


def _lanes(session: Session, *, venv: VirtualEnvironment, plan: TestPlan) -> list[Lane]:
    chosen = binaries_in(plan.postgres) if plan.postgres else None

    def lane(name: str, *args: str, binaries: Binaries | None = chosen) -> Lane:
        def prepare() -> dict[str, str]:
            return _servers(session, venv=venv, plan=plan, binaries=binaries, name=name)

        return Lane(name, args, prepare)

    if not plan.lanes:
        lanes = [lane("all", *plan.pytest_args)]
    else:
        beside = {name: [f"tests/{folder}" for folder in folders] for name, folders in BESIDE.items()}
        left_out = [f"--ignore={folder}" for folders in beside.values() for folder in folders]
        lanes = [
            lane("the product", *plan.pytest_args, *left_out),
            *(lane(name, *plan.pytest_args, *folders) for name, folders in beside.items()),
        ]
    oldest = _oldest(session) if plan.oldest_leg else None
    if oldest:
        lanes.append(lane(f"PostgreSQL {OLDEST_LEG}", "-m", "database", binaries=oldest))
    return lanes


def _oldest(session: Session) -> Binaries | None:
    """The tests of the SQL run once more on the oldest PostgreSQL we promise, where the machine has it."""
    found = next((each for each in system_binaries() if each.major == OLDEST_LEG), None)
    if found is None:
        session.progress.say(
            f"SKIPPED: the database tests on PostgreSQL {OLDEST_LEG}, which is not installed here "
            f"(`apt-get install postgresql-{OLDEST_LEG}` on Debian 12)."
        )
    return found


def _servers(
    session: Session, *, venv: VirtualEnvironment, plan: TestPlan, binaries: Binaries | None, name: str
) -> dict[str, str]:
    """Start the servers of one lane; return the environment of its pytest."""
    part = slug(name)
    # Test data is worth nothing: each run starts on an empty server, whatever the last one left.
    session.forget_data(f"postgres-{part}")
    redis_url = session.start_broker(venv=venv, name=f"valkey-{part}")
    database = session.start_database(
        venv=venv, binaries=binaries, name=f"postgres-{part}", careless=plan.careless_database
    )
    env = _environment(session, venv=venv, database=database, redis_url=redis_url, name=part)
    session.provision(
        venv=venv, env=env.owner, name=f"postgres-{part}", options=["--owner-creates-databases"]
    )
    return env.owner


def _environment(
    session: Session, *, venv: VirtualEnvironment, database: DatabaseUrls, redis_url: str, name: str
) -> Environment:
    hooks = session.layout.var / f"hooks-{name}"
    hooks.mkdir(exist_ok=True)
    return compose(
        base=session.user_env | {"PATH": own_path(venv)},
        layout=session.layout,
        credentials=session.credentials,
        database=database,
        redis_url=redis_url,
        launch_id=session.launch_id,
        defaults={
            "DEBUG": "True",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "TEST_HOOKS": "True",
            "HOOKS_DIR": str(hooks),
            # A test waits for a busy disk; production gives up sooner and tries again.
            "LOCK_TIMEOUT_MS": "5000",
            "STATEMENT_TIMEOUT_MS": "20000",
        },
    )
