from collections.abc import Iterator

import pytest

from channels import breaker, rows
from channels.types import ChannelData
from tests.channels.lines import open_channel
from tests.payments.psp.scripted import ScriptedProvider


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """Nothing remembered from the test before."""
    rows.forget()
    breaker.forget()
    yield


@pytest.fixture
def quick(settings: object) -> None:
    """A short deadline, so that waiting for it is affordable."""
    settings.PSP_CONNECT_TIMEOUT = 0.5
    settings.PSP_READ_TIMEOUT = 0.4
    settings.PSP_DEADLINE = 0.6


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    scripted = ScriptedProvider()
    yield scripted
    scripted.close()


@pytest.fixture
def channel(db: None, quick: None, provider: ScriptedProvider) -> ChannelData:
    return open_channel(base_url=provider.url)
