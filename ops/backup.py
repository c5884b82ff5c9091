"""`python3 -m ops backup FILE` and `python3 -m ops restore FILE`: the whole database in one file, and back.

With pg_dump and pg_restore of the server's own version: those of the project or of the machine. A newer
pg_restore speaks of settings that an older server does not know, and an older one can't read a newer dump.
The dump is one consistent picture, taken while the system works. Beside it lies FILE.sha256. The field keys
are not in it: without those of its time the encrypted columns of a backup cannot be read.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from ops.messages import Progress, Stop
from ops.postgres import Binaries

__all__ = ["back_up", "restore"]

_PIECE = 1024 * 1024
_HAS_TABLES = (
    "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
)

# A dump names the rights of a table beyond PostgreSQL's own defaults. In a database whose new tables get
# rights by ALTER DEFAULT PRIVILEGES those would be added, and append-only tables could be changed. So these
# defaults are taken away first; the dump brings them again after the tables.
_NO_DEFAULTS = """
    DO $$ DECLARE given record; BEGIN
        FOR given IN
            SELECT DISTINCT a.grantee::regrole AS role, CASE d.defaclobjtype WHEN 'r' THEN 'TABLES'
                WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' END AS kind
            FROM pg_default_acl d, aclexplode(d.defaclacl) a
            WHERE d.defaclrole = current_user::regrole AND d.defaclnamespace = 0
                AND d.defaclobjtype IN ('r', 'S', 'f') AND a.grantee NOT IN (0, d.defaclrole)
        LOOP
            EXECUTE format('ALTER DEFAULT PRIVILEGES REVOKE ALL ON %s FROM %s', given.kind, given.role);
        END LOOP;
    END $$
"""


def back_up(*, binaries: Binaries, owner_url: str, target: Path, progress: Progress) -> str:
    """Write the database of the owner's login into a new file; return its SHA-256.

    The file appears whole or not at all, and only its owner can read it. Raises Stop when it exists already
    or the dump fails.
    """
    if target.exists():
        raise Stop(f"{target} exists already.", cure="name another file; backups are not written over.")
    programs = _programs(binaries, owner_url)
    half = target.with_name(target.name + ".part")
    half.unlink(missing_ok=True)
    os.close(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with progress.step("dumping the database"):
            _run(programs, "pg_dump", owner_url, "--format=custom", "--compress=6", f"--file={half}")
        with progress.step("reading the file back"):
            # A list of contents can be read only of a file that has its end.
            _run(programs, "pg_restore", "", "--list", "--file=/dev/null", str(half))
            digest = _digest(half)
        half.rename(target)
    finally:
        half.unlink(missing_ok=True)
    _sum_file(target).write_text(f"{digest}  {target.name}\n", encoding="utf-8")
    return digest


def restore(*, binaries: Binaries, owner_url: str, source: Path, progress: Progress) -> None:
    """Load a backup into an empty database, as its owner, all of it or nothing.

    The database and the roles are made before (`manage.py provision_roles`); rights on tables and functions
    are in the file. Raises Stop when the file was altered, the database holds tables, or loading fails.
    """
    _require_intact(source)
    programs = _programs(binaries, owner_url)
    if _run(programs, "psql", owner_url, "-XAtc", _HAS_TABLES).strip() != "0":
        raise Stop(
            "the database holds tables already.",
            cure="restore into an empty database: make one with `manage.py provision_roles`, and let "
            "DATABASE_OWNER_URL name it.",
        )
    _run(programs, "psql", owner_url, "-Xqc", _NO_DEFAULTS)
    with progress.step("restoring the database"):
        _run(
            *(programs, "pg_restore", owner_url),
            *("--no-owner", "--exit-on-error", "--single-transaction", str(source)),
        )
    with progress.step("gathering statistics"):
        _run(programs, "psql", owner_url, "-Xqc", "ANALYZE")


def _programs(binaries: Binaries, owner_url: str) -> Path:
    """The folder with the programs of the server's own version.

    Raises Stop when the machine has none: a dump and its way back belong together.
    """
    said = _run(binaries.folder, "psql", owner_url, "-XAtc", "SHOW server_version_num").strip()
    major = int(said) // 10_000
    if major == binaries.major:
        return binaries.folder
    for folder in (Path(f"/usr/lib/postgresql/{major}/bin"), Path(f"/usr/pgsql-{major}/bin")):
        if all((folder / program).exists() for program in ("pg_dump", "pg_restore", "psql")):
            return folder
    raise Stop(
        f"the server is PostgreSQL {major}, and this machine has the programs of {binaries.major} only.",
        cure=f"`apt-get install postgresql-client-{major}`.",
    )


def _require_intact(source: Path) -> None:
    try:
        wanted = _sum_file(source).read_text(encoding="utf-8").split()[0]
    except (OSError, IndexError) as error:
        raise Stop(
            f"{_sum_file(source)} can't be read: whether the backup is whole is not known.",
            cure="bring the file that was written with the backup.",
        ) from error
    if _digest(source) != wanted:
        raise Stop(f"{source} is not what was written.", cure="take another copy of it, or another backup.")


def _sum_file(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()


def _run(programs: Path, program: str, url: str, *arguments: str) -> str:
    """Run one of PostgreSQL's programs; the password is in its environment, never on its command line."""
    login, secret = _without_password(url) if url else ("", {})
    done = subprocess.run(
        [programs / program, *([f"--dbname={login}", "--no-password"] if login else []), *arguments],
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", **secret},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Stop(f"{program} failed.", evidence=done.stderr[-2000:], cure="read the lines above.")
    return done.stdout


def _without_password(url: str) -> tuple[str, Mapping[str, str]]:
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    name, _, _password = user.partition(":")
    netloc = f"{name}@{place}" if name else place
    secret = {"PGPASSWORD": unquote(parts.password)} if parts.password else {}
    return urlunsplit(parts._replace(netloc=netloc)), secret
