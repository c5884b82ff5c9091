"""The WSGI entry point that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from config.memory import settle  # noqa: E402
from core.checks import assert_startable  # noqa: E402 - the settings must be loaded first

assert_startable()
settle()
