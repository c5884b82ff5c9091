"""The environment variables that the project's processes get."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.credentials import Credentials
from ops.layout import Layout
from ops.messages import Stop
from ops.ports import HOST
from ops.procfs import LAUNCH_MARK

DATABASE = "quittance"
OWNER_ONLY = ("DATABASE_OWNER_URL", "READONLY_URL", "PROVISION_URL")
# May be given as NAME_FILE, the path of a file that holds it.
MOUNTED = ("SECRET_KEY", "FIELD_KEYS", "DATABASE_URL", "REDIS_URL", *OWNER_ONLY)


@dataclass(frozen=True)
class DatabaseUrls:
    """Who logs in to the database how. `provision` may create roles; None when nobody gave one."""

    app: str
    owner: str
    readonly: str
    provision: str | None

    @classmethod
    def local(cls, *, port: int, credentials: Credentials) -> DatabaseUrls:
        """The three roles and the superuser of a server of our own."""

        def url(user: str, password: str, database: str = DATABASE) -> str:
            return f"postgresql://{user}:{password}@{HOST}:{port}/{database}"

        return cls(
            app=url("quittance_app", credentials.app_password),
            owner=url("quittance_owner", credentials.owner_password),
            readonly=url("quittance_readonly", credentials.readonly_password),
            provision=url("postgres", credentials.superuser_password, "postgres"),
        )

    @classmethod
    def given(cls, env: Mapping[str, str]) -> DatabaseUrls | None:
        """The user's own, None when DATABASE_URL is not set. Raises Stop when the owner's is missing."""
        app = env.get("DATABASE_URL")
        if not app:
            return None
        owner = env.get("DATABASE_OWNER_URL")
        if not owner:
            raise Stop(
                "DATABASE_URL is set but DATABASE_OWNER_URL is not: the tables belong to another role "
                "than the one that works with them.",
                cure="set DATABASE_OWNER_URL to the login of quittance_owner; or unset DATABASE_URL "
                "to use the embedded PostgreSQL.",
            )
        return cls(
            app=app,
            owner=owner,
            readonly=env.get("READONLY_URL", ""),
            provision=env.get("PROVISION_URL") or None,
        )


@dataclass(frozen=True)
class Environment:
    """What the processes get: `app` runs the business, `owner` changes the schema."""

    app: dict[str, str]
    owner: dict[str, str]


def compose(
    *,
    base: Mapping[str, str],
    layout: Layout,
    credentials: Credentials,
    database: DatabaseUrls,
    redis_url: str,
    launch_id: str,
    defaults: Mapping[str, str],
) -> Environment:
    """Put the variables together: the user's win over `defaults`, our servers' addresses over both.

    Processes of the business never see the owner's login.
    """
    common = dict(defaults)
    common.setdefault("SECRET_KEY", credentials.secret_key)
    common.setdefault("FIELD_KEYS", credentials.field_keys)
    common.update({name: value for name, value in base.items() if value or name not in common})
    common.update(
        {
            "DATABASE_URL": database.app,
            "REDIS_URL": redis_url,
            LAUNCH_MARK: launch_id,
            "PYTHONUNBUFFERED": "1",
        }
    )
    common.pop("DJANGO_SETTINGS_MODULE", None)
    if not common.get("HOME"):
        common["HOME"] = str(layout.var / "home")
    app = {name: value for name, value in common.items() if name not in OWNER_ONLY}
    owner = app | {"DATABASE_OWNER_URL": database.owner}
    if database.readonly:
        owner["READONLY_URL"] = database.readonly
    if database.provision:
        owner["PROVISION_URL"] = database.provision
    return Environment(app=app, owner=owner)


def user_environment(layout: Layout) -> dict[str, str]:
    """The variables of the shell over those of the `.env` file; an empty one of the shell does not count.

    What is given as NAME_FILE is read here, so that the launcher and its processes see the same servers.
    """
    from ops.envfile import load

    found = load(layout.root / ".env")
    found.update({name: value for name, value in os.environ.items() if value or name not in found})
    for name in MOUNTED:
        if path := found.pop(f"{name}_FILE", ""):
            try:
                found[name] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                problem = f"{name}_FILE={path} can't be read: {error.strerror}."
                raise Stop(problem, cure=f"correct or unset {name}_FILE.") from error
    return found
