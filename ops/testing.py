"""`make test`, `make check` and `make bench`: servers of their own, then the tools."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.checks import run_checks
from ops.environment import DatabaseUrls, Environment, compose
from ops.layout import Layout
from ops.messages import Interrupted, Stop
from ops.postgres import Binaries, binaries_in, system_binaries
from ops.process import end, spawn
from ops.session import Session, opened, own_path
from ops.venv import VirtualEnvironment

NO_TESTS_COLLECTED = 5
OLDEST_LEG = 15
CLEAN_UP_SECONDS = 60.0


@dataclass(frozen=True)
class TestPlan:
    """What one call of the command is to do."""

    pytest_args: tuple[str, ...] = ()
    checks: bool = True
    tests: bool = True
    careless_database: bool = False
    postgres: Path | None = None
    oldest_leg: bool = False


def run_tests(*, layout: Layout, plan: TestPlan) -> int:
    """Start the test servers, run what the plan says, stop the servers. The first failing exit code.

    A check that fails does not keep the tests from running: both reports are wanted.
    """
    with opened(layout=layout, what="a test run") as session:
        venv = session.virtual_environment(development=True)
        codes = []
        redis_url = session.start_broker(venv=venv) if plan.tests else "redis://127.0.0.1:1/0"
        if plan.checks:
            codes.append(_checks(session, venv=venv, redis_url=redis_url))
        if plan.tests:
            chosen = binaries_in(plan.postgres) if plan.postgres else None
            codes.append(_leg(session, venv=venv, redis_url=redis_url, plan=plan, binaries=chosen))
        if plan.oldest_leg:
            codes.append(_oldest_leg(session, venv=venv, redis_url=redis_url, plan=plan))
        verdict = next((code for code in codes if code), 0)
        session.progress.say(f"{'passed' if verdict == 0 else 'FAILED'} in {session.progress.elapsed:.1f} s")
        return verdict


def _checks(session: Session, *, venv: VirtualEnvironment, redis_url: str) -> int:
    """The checks read the models, not the database: an address where nobody listens will do."""
    nowhere = DatabaseUrls.local(port=1, credentials=session.credentials)
    env = _environment(session, venv=venv, database=nowhere, redis_url=redis_url)
    # Without the pool of the app's login, which would wait for the database.
    return 0 if run_checks(session, venv=venv, env=env.owner | {"DATABASE_LOGIN": "owner"}) else 1


def _leg(
    session: Session,
    *,
    venv: VirtualEnvironment,
    redis_url: str,
    plan: TestPlan,
    binaries: Binaries | None,
    extra_args: Sequence[str] = (),
) -> int:
    """pytest on one PostgreSQL."""
    name = f"postgres-{binaries.major}" if binaries else "postgres"
    # Test data is worth nothing: each run starts on an empty server, whatever the last one left.
    session.forget_data(name)
    database = session.start_database(
        venv=venv, binaries=binaries, name=name, careless=plan.careless_database
    )
    env = _environment(session, venv=venv, database=database, redis_url=redis_url)
    session.provision(venv=venv, env=env.owner, name=name, options=["--owner-creates-databases"])
    return _pytest(session, venv=venv, env=env.owner, args=[*extra_args, *plan.pytest_args])


def _oldest_leg(session: Session, *, venv: VirtualEnvironment, redis_url: str, plan: TestPlan) -> int:
    """The tests of the SQL once more on the oldest PostgreSQL we promise, where the machine has it."""
    found = [each for each in system_binaries() if each.major == OLDEST_LEG]
    if not found:
        session.progress.say(
            f"SKIPPED: the database tests on PostgreSQL {OLDEST_LEG}, which is not installed here "
            f"(`apt-get install postgresql-{OLDEST_LEG}` on Debian 12)."
        )
        return 0
    session.progress.say(f"the database tests again, on the machine's PostgreSQL {OLDEST_LEG}")
    only_database = TestPlan(careless_database=plan.careless_database)
    code = _leg(
        session,
        venv=venv,
        redis_url=redis_url,
        plan=only_database,
        binaries=found[0],
        extra_args=["-m", "database"],
    )
    if code == NO_TESTS_COLLECTED:
        session.progress.say(f"FAILED: no test is marked `database`, nothing ran on PostgreSQL {OLDEST_LEG}.")
    return code


def _environment(
    session: Session, *, venv: VirtualEnvironment, database: DatabaseUrls, redis_url: str
) -> Environment:
    hooks = session.layout.var / "hooks"
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


def _pytest(session: Session, *, venv: VirtualEnvironment, env: dict[str, str], args: Sequence[str]) -> int:
    """Run pytest in the foreground, so that a debugger can read the keyboard; Ctrl-C reaches it directly."""
    child = spawn([venv.python, "-m", "pytest", *args], env=env, cwd=session.layout.root, new_session=False)
    session.guardian.watch(pid=child.pid, stop_signal=signal.SIGINT, grace=5.0)
    while child.poll() is None:
        if session.signals.stopping:
            end(child, grace=CLEAN_UP_SECONDS, signals=session.signals, number=signal.SIGINT, group=False)
            raise Interrupted
        session.supervisor.tend()
        session.signals.wait(0.5)
    if child.returncode < 0:
        raise Stop(f"pytest was killed by signal {-child.returncode}.")
    return child.returncode
