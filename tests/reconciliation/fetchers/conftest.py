from collections.abc import Iterator
from pathlib import Path

import pytest

from channels import breaker, rows
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.reconciliation.fetchers.nights import Nights


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """Nothing remembered from the test before."""
    rows.forget()
    breaker.forget()
    yield


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """The sandbox's bank and provider, as a process."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


@pytest.fixture
def nights(sandbox: SandboxProcess, hooks: Path) -> Iterator[Nights]:
    """An account that is paid out every night."""
    found = Nights(sandbox)
    yield found
    found.end()
