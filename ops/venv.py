"""The virtual environment: made when missing, filled when the requirement files changed."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.layout import Layout
from ops.messages import Progress, Stop, tail_of
from ops.process import run_logged
from ops.signals import Signals

GIVEN_VENV = "QUITTANCE_VENV"
NO_VENV_MODULE = (
    "this Python can't make virtual environments (the venv or ensurepip module is missing).",
    "as root `apt-get install python3-venv`; or install uv (https://docs.astral.sh/uv/), "
    "which is then used by itself.",
)


@dataclass(frozen=True)
class VirtualEnvironment:
    """A virtual environment's folder."""

    path: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.path / "bin" / "python"

    def tool(self, name: str) -> Path:
        """A command that a package has installed in it."""
        return self.path / "bin" / name

    def find(self, pattern: str) -> Path | None:
        """The first file in its packages that matches a glob pattern."""
        for folder in ("lib", "lib64"):
            for found in sorted(self.path.glob(f"{folder}/python*/site-packages/{pattern}")):
                return found
        return None


def ensure(
    *,
    layout: Layout,
    requirements: Iterable[str],
    kind: str,
    given: str,
    signals: Signals,
    progress: Progress,
) -> VirtualEnvironment:
    """The project's virtual environment with these requirement files installed.

    `kind` names the stamp that remembers what is installed. `given` (QUITTANCE_VENV) is an environment to
    use as it is, empty for none. Raises Stop with the cure when none can be made or filled.
    """
    if given:
        venv = VirtualEnvironment(Path(given).absolute())
        if not venv.python.exists():
            raise Stop(f"{GIVEN_VENV}={given} holds no bin/python.", cure=f"unset {GIVEN_VENV}.")
        return venv
    venv = VirtualEnvironment(layout.root / ".venv")
    files = [layout.root / name for name in requirements]
    stamp_file = venv.path / f".installed-{kind}"
    wanted = stamp(files)
    if venv.python.exists() and _read(stamp_file) == wanted:
        return venv
    _Builder(layout=layout, venv=venv, signals=signals, progress=progress).build(files)
    stamp_file.write_text(wanted, encoding="utf-8")
    return venv


def stamp(files: Iterable[Path]) -> str:
    """A digest of the requirement files, those they include, and the running Python's version."""
    digest = hashlib.sha256(sys.version.encode())
    queue, seen = list(files), set()
    while queue:
        file = queue.pop(0)
        if file in seen:
            continue
        seen.add(file)
        text = file.read_text(encoding="utf-8")
        digest.update(text.encode() + b"\0")
        for line in text.splitlines():
            if line.startswith("-r "):
                queue.append(file.parent / line[3:].strip())
    return digest.hexdigest()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


class _Builder:
    """Makes the environment with the first means this machine has, and installs into it."""

    def __init__(
        self, *, layout: Layout, venv: VirtualEnvironment, signals: Signals, progress: Progress
    ) -> None:
        self.layout = layout
        self.venv = venv
        self.signals = signals
        self.progress = progress
        self.log = layout.log_dir / "install.log"
        self.uv = shutil.which("uv")
        self.has_venv = importlib.util.find_spec("venv") is not None
        self.has_ensurepip = importlib.util.find_spec("ensurepip") is not None
        self.has_pip = importlib.util.find_spec("pip") is not None
        self.env = installer_environment(os.environ, spare_home=layout.var / "home")

    def build(self, files: list[Path]) -> None:
        """Make the environment unless a sound one is there, then install the requirement files."""
        if not self._sound():
            with self.progress.step("making the virtual environment .venv"):
                self._make()
        with self.progress.step("installing the requirements"):
            installer = [*self._installer(), *(part for file in files for part in ("-r", str(file)))]
            self._run(installer, problem="the requirements could not be installed.")

    def _sound(self) -> bool:
        if not self.venv.python.exists():  # also a link to a Python that was removed
            return False
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        # One that was being made when the launcher was killed has no pip yet.
        has_installer = self.venv.tool("pip").exists() or self.uv or self.has_pip
        return (self.venv.path / "lib" / version).is_dir() and bool(has_installer)

    def _make(self) -> None:
        # An unsound one is ours to replace: it is git-ignored and made of the requirement files alone.
        if self.venv.path.exists():
            shutil.rmtree(self.venv.path)
        target = str(self.venv.path)
        if self.has_venv and self.has_ensurepip:
            command = [sys.executable, "-m", "venv", target]
        elif self.uv:
            command = [self.uv, "venv", "--python", sys.executable, target]
        elif self.has_venv and self.has_pip:
            command = [sys.executable, "-m", "venv", "--without-pip", target]
        else:
            problem, cure = NO_VENV_MODULE
            raise Stop(problem, cure=cure)
        self._run(command, problem="the virtual environment could not be made.")

    def _installer(self) -> list[str]:
        python = str(self.venv.python)
        if self.venv.tool("pip").exists():
            return [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        if self.uv:
            return [self.uv, "pip", "install", "--python", python]
        return [sys.executable, "-m", "pip", "--python", python, "install", "--no-input"]

    def _run(self, command: list[str], *, problem: str) -> None:
        offset = self.log.stat().st_size if self.log.exists() else 0
        code = run_logged(
            command,
            env=self.env,
            cwd=self.layout.root,
            log=self.log,
            signals=self.signals,
            progress=self.progress,
        )
        if code != 0:
            evidence = tail_of(self.log, since=offset)
            raise Stop(problem, evidence=evidence, cure=_install_cure(evidence, log=self.log))


def _install_cure(evidence: str, *, log: Path) -> str:
    if "No space left" in evidence:
        return "free some disk space (about 1 GB is needed) and start again."
    if "ensurepip" in evidence:
        return NO_VENV_MODULE[1]
    return (
        "check the network and pip's configuration (proxy, index, certificates: `pip config list`), "
        f"then start again; the whole output is in {log}."
    )


def installer_environment(env: Mapping[str, str], *, spare_home: Path) -> dict[str, str]:
    """The environment for pip: the user's own configuration, and a home folder in any case.

    A user without an entry in the password file and without HOME would get a folder named "~".
    """
    result = {name: value for name, value in env.items() if name not in ("PYTHONHOME", "VIRTUAL_ENV")}
    if not env.get("HOME") and not Path(os.path.expanduser("~")).is_dir():
        spare_home.mkdir(parents=True, exist_ok=True)
        result["HOME"] = str(spare_home)
    return result
