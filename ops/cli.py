"""The command line of `python3 -m ops`."""

from __future__ import annotations

import argparse
import errno
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from ops.layout import Layout, project_layout
from ops.messages import Interrupted, Stop, complain
from ops.process import die_with_parent

CURES = {
    errno.EACCES: "run as the user who owns the tree.",
    errno.EPERM: "run as the user who owns the tree.",
    errno.EROFS: "work in a tree that can be written.",
    errno.ENOSPC: "free some disk space and start again.",
}


def main(arguments: Sequence[str]) -> int:
    """Run one command. Refusals are printed with their cure and give a non-zero exit code."""
    ours, passed_on = split(arguments)
    options = parser().parse_args(ours)
    options.pytest_args = passed_on
    # A make that is killed says nothing to what it runs.
    if os.environ.get("MAKELEVEL"):
        die_with_parent()
    try:
        return _dispatch(options)
    except Interrupted:
        print("\nstopped", flush=True)
        return 0 if options.command == "run" else 130
    except Stop as stop:
        complain(stop)
        return stop.code
    except BrokenPipeError:
        # Whoever read our output has left (`make run | head`). Nobody is there to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        cure = CURES.get(error.errno or 0)
        if cure is None:
            raise
        complain(Stop(f"{error.filename or 'a file'}: {error.strerror}.", cure=cure))
        return 1


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    root = argparse.ArgumentParser(prog="python3 -m ops", allow_abbrev=False)
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("run", help="start everything; Ctrl-C stops it")
    day = commands.add_parser("demo-day", help="a day of traffic with faults, a night, and a proof")
    day.add_argument("--payments", type=int, default=5000, metavar="N", help="checkouts (5000)")
    day.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed: the same totals (1)")
    day.add_argument("--keep", action="store_true", help="leave the console open until Ctrl-C")
    commands.add_parser("check", help="ruff, import-linter, mypy, missing migrations")
    test = commands.add_parser("test", help="the checks, then the test suite on servers of its own")
    test.add_argument("--no-check", action="store_true", help="only the tests")
    test.add_argument(
        "--postgres", type=Path, metavar="BIN", help="run on the PostgreSQL whose programs are in BIN"
    )
    for name, says in (
        ("backup", "write the database into a file"),
        ("restore", "load it, into an empty one"),
    ):
        command = commands.add_parser(name, help=says, epilog="The login is DATABASE_OWNER_URL.")
        command.add_argument("file", type=Path, metavar="FILE")
    bench = commands.add_parser("bench", help="the measurements (tests marked benchmark)")
    chaos = commands.add_parser("chaos", help="thousands of random histories, races and crashes")
    for command in (test, bench, chaos):
        command.add_argument(
            "--fast-db",
            action="store_true",
            help="PostgreSQL without fsync: for quick runs while developing, numbers are worthless",
        )
        command.epilog = "What follows -- is given to pytest."
    return root


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and those after `--`."""
    ours = list(arguments)
    if "--" not in ours:
        return ours, []
    at = ours.index("--")
    return ours[:at], ours[at + 1 :]


def chaos_args(given: Sequence[str]) -> tuple[str, ...]:
    """What pytest is told; the seed is said beforehand, so that a failure can be had again with it."""
    args = ["-m", "chaos", "--hypothesis-profile=chaos"]
    if not any(each.startswith("--hypothesis-seed") for each in given):
        seed = secrets.randbelow(2**32)
        print(f"The same again: make chaos ARGS=--hypothesis-seed={seed}", flush=True)
        args.append(f"--hypothesis-seed={seed}")
    return (*args, *given)


def _copy(layout: Layout, command: str, file: Path) -> int:
    """Write or load a backup of the database that DATABASE_OWNER_URL names."""
    from ops.backup import back_up, restore
    from ops.environment import user_environment
    from ops.messages import Progress
    from ops.postgres import find_binaries
    from ops.venv import GIVEN_VENV, VirtualEnvironment

    env = user_environment(layout)
    owner_url = env.get("DATABASE_OWNER_URL")
    if not owner_url:
        raise Stop("DATABASE_OWNER_URL is not set.", cure="set it to the login of quittance_owner.")
    binaries = find_binaries(venv=VirtualEnvironment(Path(env.get(GIVEN_VENV) or layout.root / ".venv")))
    progress = Progress()
    if command == "backup":
        digest = back_up(binaries=binaries, owner_url=owner_url, target=file, progress=progress)
        progress.say(f"{file} is written; SHA-256 {digest}")
    else:
        restore(binaries=binaries, owner_url=owner_url, source=file, progress=progress)
        progress.say("restored; now run `manage.py migrate` and `manage.py audit --full`")
    return 0


def _dispatch(options: argparse.Namespace) -> int:
    layout = project_layout()
    if options.command == "run":
        from ops.run import run

        return run(layout=layout)
    if options.command == "demo-day":
        from ops.demo_day.command import demo_day

        return demo_day(layout=layout, payments=options.payments, seed=options.seed, keep=options.keep)
    if options.command in ("backup", "restore"):
        return _copy(layout, options.command, options.file)
    from ops.testing import TestPlan, run_tests

    if options.command == "check":
        plan = TestPlan(tests=False)
    elif options.command == "bench":
        args = ("-m", "benchmark", "-s", *options.pytest_args)
        plan = TestPlan(pytest_args=args, checks=False, careless_database=options.fast_db)
    elif options.command == "chaos":
        plan = TestPlan(
            pytest_args=chaos_args(options.pytest_args), checks=False, careless_database=options.fast_db
        )
    else:
        narrowed = bool(options.pytest_args or options.postgres)
        marker = () if "-m" in options.pytest_args else ("-m", "not benchmark")
        plan = TestPlan(
            pytest_args=(*marker, *options.pytest_args),
            checks=not options.no_check,
            careless_database=options.fast_db,
            postgres=options.postgres,
            oldest_leg=not narrowed and not options.no_check,
            lanes=not narrowed,
        )
    return run_tests(layout=layout.for_tests(), plan=plan)
