"""Entry point of `python3 -m ops`.

This file must be readable by old Pythons: it is the one that tells the user that theirs is too old.
"""

import os
import shutil
import sys

OLDEST = (3, 11)


def newer_python():
    """Path of a Python on PATH that is new enough, or None."""
    for minor in (13, 12, 11, 14):
        found = shutil.which("python3.%d" % minor)  # noqa: UP031
        if found:
            return found
    return None


def main():
    """Check the interpreter, then hand over to the command line."""
    if sys.version_info < OLDEST:
        better = newer_python()
        if better:
            os.execv(better, [better, "-m", "ops", *sys.argv[1:]])  # noqa: S606
        sys.stderr.write(
            "\nPython %d.%d is too old: the project needs 3.11 or newer.\n"  # noqa: UP031
            "Cure: install one (`apt-get install python3.11`, or `uv python install 3.12`), then\n"
            "      `make run PYTHON=/path/to/python3.11`.\n" % sys.version_info[:2]
        )
        return 2
    from ops.cli import main as run_command_line

    return run_command_line(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
