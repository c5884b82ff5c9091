"""PostgreSQL refuses to run as root, and as a user without an entry in the password file: ways round it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ops.messages import Stop
from ops.process import Identity

NOBODY = 65_534
UNPRIVILEGED_USERS = ("postgres", "nobody")
NO_ENTRY = (
    "PostgreSQL wants a user with an entry in the password file; user {uid} has none, and this machine "
    "permits no user namespaces.",
    "start as a user of this machine, or add an entry for {uid} to /etc/passwd, or set DATABASE_URL to a "
    "PostgreSQL of yours.",
)
NO_UNPRIVILEGED_WAY = (
    "PostgreSQL can't run as root, and this machine permits no way to give root up "
    "(no user namespaces, and no unprivileged user who can reach the tree).",
    "start as an ordinary user; or permit user namespaces "
    "(`sysctl -w kernel.unprivileged_userns_clone=1`, or the container's "
    "`--security-opt seccomp=unconfined`); or set DATABASE_URL to a PostgreSQL of yours.",
)


@dataclass(frozen=True)
class Confinement:
    """How to start a program without root's rights: a command in front of it, or another user."""

    prefix: tuple[str, ...] = ()
    identity: Identity | None = None

    def give(self, path: Path) -> None:
        """Hand a file or an empty folder to whom the program runs as."""
        if self.identity:
            os.chown(path, self.identity.uid, self.identity.gid)


def confinement_for(*, program: Path, data_dir: Path) -> Confinement:
    """The first way that can run `program` and use `data_dir` (which may not exist yet).

    Raises Stop when there is none. A user with an entry in the password file needs none.
    """
    uid = os.geteuid()
    if uid != 0 and _has_entry(uid):
        return Confinement()
    for candidate in _candidates(data_dir) if uid == 0 else _namespace():
        if _works(candidate, program=program, folder=data_dir.parent):
            return candidate
    problem, cure = NO_ENTRY if uid else NO_UNPRIVILEGED_WAY
    raise Stop(problem.format(uid=uid), cure=cure.format(uid=uid))


def _candidates(data_dir: Path) -> Iterator[Confinement]:
    """Whoever owns the data already; a namespace of our own (no user is needed); another user."""
    if data_dir.exists() and (owner := data_dir.stat()).st_uid != 0:
        yield Confinement(identity=Identity(uid=owner.st_uid, gid=owner.st_gid))
        return
    yield from _namespace()
    if data_dir.exists():
        return  # root's own files: handing them to another user would be a change nobody asked for
    for name in UNPRIVILEGED_USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        yield Confinement(identity=Identity(uid=user.pw_uid, gid=user.pw_gid))


def _namespace() -> Iterator[Confinement]:
    """A user namespace in which we are somebody else; our files remain ours."""
    unshare = shutil.which("unshare")
    if unshare:
        uid = _known_user()
        yield Confinement(prefix=(unshare, "--user", f"--map-user={uid}", f"--map-group={uid}", "--"))


def _known_user() -> int:
    """Some user of this machine: initdb looks its own user up and gives up when there is none.

    Not nobody if we can help it, because every user outside a namespace is shown as nobody within.
    """
    others = [entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid not in (0, NOBODY)]
    return min(others, default=NOBODY)


def _has_entry(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _works(candidate: Confinement, *, program: Path, folder: Path) -> bool:
    """Whether the program starts this way and its data folder's parent can be reached."""
    script = 'test -x "$1" && "$0" --version'
    identity = candidate.identity
    try:
        done = subprocess.run(
            [*candidate.prefix, "/bin/sh", "-c", script, str(program), str(folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=identity.uid if identity else None,
            group=identity.gid if identity else None,
            extra_groups=[] if identity else None,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
