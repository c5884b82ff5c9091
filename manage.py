#!/usr/bin/env python3
"""Run a management command.

Commands that change the schema or own objects log in as the owner role; everything else logs in as
the application role, which owns nothing (see docs/operating/database-roles.md).
"""

import os
import sys

OWNER_COMMANDS = {"migrate", "sqlmigrate", "flush", "showmigrations"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if len(sys.argv) > 1 and sys.argv[1] in OWNER_COMMANDS:
        os.environ["DATABASE_LOGIN"] = "owner"
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
