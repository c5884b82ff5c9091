"""When sellers get their money: delay, fulfilment, proof, reserve, debt; once, whatever happens meanwhile."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from core import clock
from core.drain import get_drain
from core.ids import public_id
from core.settings_store import put_setting
from core.transactions import at_edge
from events.models import OutboxEvent  # noqa: F401
from payments.models import Charge, OrderRelease, OrderShare
from payments.services import mark_proven
from tests.payments.conftest import Shop

pytestmark = [pytest.mark.database]
