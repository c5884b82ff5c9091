"""R6: what a month ends in depends neither on the order of rows and files nor on how many work on it."""

import pytest

from tests.months import Month, Shape, month
from tests.reconciliation.proof.story import Story, story_of
from tests.reconciliation.proof.whole import Whole, open_whole
from tests.reconciliation.stager import start, stager_env, told

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
