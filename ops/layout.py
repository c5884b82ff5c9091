"""Where things are: the project tree and the folder of one launcher's data."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ops.messages import Stop


@dataclass(frozen=True)
class Layout:
    """The tree at `root` and the git-ignored folder `var` where a run keeps everything it writes."""

    root: Path
    var: Path

    @property
    def log_dir(self) -> Path:
        """Folder of the log files, one a process."""
        return self.var / "log"

    @property
    def lock_file(self) -> Path:
        """File that the running launcher keeps locked."""
        return self.var / "launcher.lock"

    def prepare(self) -> None:
        """Make the folders. Raises Stop when they can't be written."""
        try:
            self.log_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self.unwritable(error) from error
        if not os.access(self.var, os.W_OK | os.X_OK) or not os.access(self.log_dir, os.W_OK | os.X_OK):
            raise self.unwritable(PermissionError(13, "Permission denied", str(self.var)))

    def unwritable(self, error: OSError) -> Stop:
        """The refusal for a data folder that this user can't write."""
        return Stop(
            f"{self.var} can't be written: {error.strerror or error}.",
            cure="run as the user who owns the tree, or remove the var folder if another user made it.",
        )

    def for_tests(self) -> Layout:
        """The same tree with the data of the test servers."""
        return Layout(root=self.root, var=self.root / "var" / "test")


def project_layout() -> Layout:
    """The layout of the tree that this file lies in."""
    root = Path(__file__).resolve().parent.parent
    return Layout(root=root, var=root / "var")
