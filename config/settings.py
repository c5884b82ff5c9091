"""All settings, in titled sections. Production differs by environment, never by module."""

from datetime import timedelta
from pathlib import Path

from config.console import console_settings
from config.env import database_from_url, env_bool, env_float, env_int, env_list, env_str
from config.openapi import openapi_settings

BASE_DIR = Path(__file__).resolve().parent.parent

# --- What this process is -------------------------------------------------------------------------
SECRET_KEY = env_str("SECRET_KEY")
DEBUG = env_bool("DEBUG", False)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "127.0.0.1,localhost")
PUBLIC_URL = env_str("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
# Failpoints and the movable clock; `check --deploy` refuses them.
TEST_HOOKS = env_bool("TEST_HOOKS", False)
HOOKS_DIR = env_str("HOOKS_DIR", "")

# --- Applications ---------------------------------------------------------------------------------
INSTALLED_APPS = [
    "core.apps.CoreConfig",
    "merchants.apps.MerchantsConfig",
    "channels.apps.ChannelsConfig",
    "events.apps.EventsConfig",
    "ledger.apps.LedgerConfig",
    "wallet.apps.WalletConfig",
    "risk.apps.RiskConfig",
    "payments.apps.PaymentsConfig",
    "payouts.apps.PayoutsConfig",
    "reconciliation.apps.ReconciliationConfig",
    "console.apps.ConsoleConfig",
    # The basic config leaves django's default site alone: ours is core.admin_site.site.
    "unfold.apps.BasicAppConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "csp",
    "django_otp",
    "django_otp.plugins.otp_totp",
]
MIDDLEWARE = [
    "core.api.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "core.security_headers.SecurityHeaders",
    # What follows is for pages; requests of programs go from here to their view.
    "core.api.middleware.ProgramsPass",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Must be last: it turns the refusal of a locked-out sign-in into an answer.
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Database -------------------------------------------------------------------------------------
# The application role owns nothing. Only schema commands log in as the owner (see manage.py), with no
# pool and no time-outs, because a migration may be long.
AS_OWNER = env_str("DATABASE_LOGIN", "app") == "owner"
DATABASE_URL = env_str("DATABASE_URL")
DATABASE_OWNER_URL = env_str("DATABASE_OWNER_URL", "")
# Read by provision_roles alone: the login that may create roles, and the one that may only look.
PROVISION_URL = env_str("PROVISION_URL", "")
READONLY_URL = env_str("READONLY_URL", "")
DATABASES = {"default": database_from_url(DATABASE_OWNER_URL if AS_OWNER else DATABASE_URL)}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
LOCK_TIMEOUT_MS = env_int("LOCK_TIMEOUT_MS", 2000)
STATEMENT_TIMEOUT_MS = env_int("STATEMENT_TIMEOUT_MS", 5000)
IDLE_IN_TRANSACTION_TIMEOUT_MS = env_int("IDLE_IN_TRANSACTION_TIMEOUT_MS", 10000)
if not AS_OWNER:
    DATABASES["default"]["OPTIONS"] |= {
        # A server that is gone without a word must not hold a request until the kernel gives up.
        "tcp_user_timeout": 15_000,
        "keepalives_idle": 30,
        "options": f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS}"
        f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS}"
        # What is prepared finds rows by their keys: one plan is as good as a new one for each value, and
        # making plans was a third of what the database did for a payment.
        " -c plan_cache_mode=force_generic_plan",
        # Django switches prepared statements off unless a number is given, and then also those that are asked
        # for (see core.rows). Its own statements carry their values in them and are never prepared.
        "prepare_threshold": 5,
        "pool": {
            "min_size": env_int("DATABASE_POOL_MIN", 1),
            "max_size": env_int("DATABASE_POOL_MAX", 8),
            "timeout": env_float("DATABASE_POOL_TIMEOUT", 5.0),
        },
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Work -----------------------------------------------------------------------------------------
# How long a worker may hold a provider operation; longer than the longest call (see PSP_DEADLINE).
OPERATION_LEASE_SECONDS = env_int("OPERATION_LEASE_SECONDS", 30)
# The same for a provider's event, and for a batch of deliveries to a store.
INBOX_LEASE_SECONDS = env_int("INBOX_LEASE_SECONDS", 30)
DELIVERY_LEASE_SECONDS = env_int("DELIVERY_LEASE_SECONDS", 60)

# --- Redis and Celery: may vanish at any moment ---------------------------------------------------
REDIS_URL = env_str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "socket_timeout": 0.1,
            "socket_connect_timeout": 0.1,
            "serializer": "core.cache_values.JsonSerializer",
        },
    }
}
# How long a request waits for the shared limits; then its process counts for itself for a while.
LIMITS_REDIS_TIMEOUT = env_float("LIMITS_REDIS_TIMEOUT", 0.05)
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than the longest drain; the two sweep settings make redelivery take seconds, not minutes.
    "visibility_timeout": env_int("CELERY_VISIBILITY_TIMEOUT", 300),
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 1,
    "socket_keepalive": True,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "default"

# --- Time and language ----------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = "config.formats"

# --- Identity -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Keys of the encrypted fields: "id:base64 of 32 bytes, …"; the first one writes, all of them read.
FIELD_KEYS = env_list("FIELD_KEYS")
# The class that answers for them; a key service brings its own.
FIELD_KEY_PROVIDER = env_str("FIELD_KEY_PROVIDER", "core.keys.EnvironmentKeys")

# --- Calls to payment providers (seconds) -----------------------------------------------------------
PSP_CONNECT_TIMEOUT = env_float("PSP_CONNECT_TIMEOUT", 3.0)
PSP_READ_TIMEOUT = env_float("PSP_READ_TIMEOUT", 20.0)
# For one whole call, whatever it waits for; shorter than any time-out of the process around it.
PSP_DEADLINE = env_float("PSP_DEADLINE", 23.0)
# An answer later than this counts against the channel, good as it may be.
PSP_SLOW_CALL = env_float("PSP_SLOW_CALL", 8.0)
# This many failures within the window, and half of the calls, close the line for the rest.
PSP_BREAKER_FAILURES = env_int("PSP_BREAKER_FAILURES", 5)
PSP_BREAKER_WINDOW = env_float("PSP_BREAKER_WINDOW", 30.0)
PSP_BREAKER_REST = env_float("PSP_BREAKER_REST", 15.0)
# A web process opens the provider's page for a payment it has just accepted, if this many are not at it
# already (0: never) and within this time; otherwise a worker does it.
INLINE_REGISTRATIONS = env_int("INLINE_REGISTRATIONS", 2)
INLINE_REGISTRATION_DEADLINE = env_float("INLINE_REGISTRATION_DEADLINE", 2.5)
# How long the body of a request may take to arrive; what drips in for longer is cut off.
BODY_SECONDS = env_float("BODY_SECONDS", 10.0)
# How far a webhook's time may be from ours, either way; there is no value that switches this off.
PSP_WEBHOOK_TOLERANCE = env_int("PSP_WEBHOOK_TOLERANCE", 300)

# --- Bank files -------------------------------------------------------------------------------------
# The folder of folders through which banks are reached that take files; empty where none is.
PAYOUT_FILES_DIR = env_str("PAYOUT_FILES_DIR", "")
# The folder of folders in which providers' clients lay settlement files and statements; empty where none do.
SETTLEMENT_FILES_DIR = env_str("SETTLEMENT_FILES_DIR", "")

# --- Who calls, and how much at once ---------------------------------------------------------------
# Proxies of ours in front, each of which adds the address it was called from to X-Forwarded-For; with none
# the header is not read.
TRUSTED_PROXIES = env_int("TRUSTED_PROXIES", 0)
# Web processes in all, on every machine: the share of a limit that one may use alone while Redis is away.
WEB_PROCESSES = env_int("WEB_PROCESSES", 2)
# Requests that one web process can work on at once: its threads, or its database connections if fewer.
WEB_IN_FLIGHT = env_int("WEB_IN_FLIGHT", env_int("DATABASE_POOL_MAX", 8))

# --- Sign-in of people ----------------------------------------------------------------------------
OTP_TOTP_ISSUER = "Quittance"
# Whoever comes to the door without saying where to.
LOGIN_REDIRECT_URL = "admin:index"
# Five wrong passwords for one name from one address: locked, even for the right password.
AXES_FAILURE_LIMIT = env_int("LOGIN_FAILURE_LIMIT", 5)
AXES_COOLOFF_TIME = timedelta(minutes=env_int("LOGIN_COOLOFF_MINUTES", 15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "core.client_address.client_address"
AXES_LOCKOUT_TEMPLATE = "admin/locked_out.html"
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
# A session ends with the browser, or after this many seconds without a request.
SESSION_COOKIE_AGE = env_int("SESSION_IDLE_SECONDS", 1800)
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True

# --- Transport and headers ------------------------------------------------------------------------
IS_HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if IS_HTTPS else []
SECURE_SSL_REDIRECT = IS_HTTPS
# Health is asked from inside; a client that sends its key over http must fail, not be redirected.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$", r"^v1/"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
# Only behind a proxy that sets this header itself and drops the client's.
if env_bool("BEHIND_TLS_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
# What answers of programs and plain pages need: nothing. Areas that need more say what, by path.
_NOTHING = {name: ["'none'"] for name in ("default-src", "form-action", "base-uri", "frame-ancestors")}
CONTENT_SECURITY_POLICY = {"DIRECTIVES": _NOTHING}
CONTENT_SECURITY_POLICY_AREAS = {
    # The console's Alpine evaluates expressions in attributes and sets styles; charts and codes are data.
    "/admin/": {
        **_NOTHING,
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
    },
    "/docs/errors": _NOTHING,
    # What shows the description of the API sets styles from its scripts, and holds pictures of its own.
    "/docs": {
        **_NOTHING,
        "script-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
    },
    # The buyer's page sends nothing anywhere; it only looks again.
    "/pay/": {
        **_NOTHING,
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
    },
}

# --- Console --------------------------------------------------------------------------------------
# The badge on every page: DEV, TEST or LIVE.
ENVIRONMENT = env_str("ENVIRONMENT", "DEV" if DEBUG else "LIVE")
UNFOLD = console_settings()

# --- Webhooks -------------------------------------------------------------------------------------
# Private networks that endpoints of test merchants may be in, for a store on the developer's machine:
# "127.0.0.1/32:8200, …"; `check --deploy` refuses any.
WEBHOOK_ALLOWED_NETWORKS = env_list("WEBHOOK_ALLOWED_NETWORKS")

# --- Event stream ---------------------------------------------------------------------------------
# Where events go for many independent readers: "redis", "kafka" or "off".
EVENT_STREAM = env_str("EVENT_STREAM", "redis")
# The Redis of the stream, and how many entries it keeps (about 1 KB each).
EVENT_STREAM_REDIS_URL = env_str("EVENT_STREAM_REDIS_URL", REDIS_URL)
EVENT_STREAM_LENGTH = env_int("EVENT_STREAM_LENGTH", 100_000)
KAFKA_BOOTSTRAP_SERVERS = env_str("KAFKA_BOOTSTRAP_SERVERS", "")
KAFKA_TOPIC = env_str("KAFKA_TOPIC", "quittance.events")
# More properties of librdkafka: "security.protocol=SASL_SSL, sasl.mechanism=SCRAM-SHA-512, …".
KAFKA_OPTIONS = env_list("KAFKA_OPTIONS")

# --- REST -----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["merchants.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["core.api.caller.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.negotiation.JsonNegotiation",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "core.api.envelope.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "core.api.openapi.description.Description",
}
SPECTACULAR_SETTINGS = openapi_settings()

# --- Static files ---------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True

# --- Alerts to people -----------------------------------------------------------------------------
# Whom an alert is told by email, and where it is posted, signed like webhooks to stores; empty: not that way.
ALERT_EMAIL_TO = env_list("ALERT_EMAIL_TO")
ALERT_WEBHOOK_URL = env_str("ALERT_WEBHOOK_URL", "")
ALERT_WEBHOOK_SECRET = env_str("ALERT_WEBHOOK_SECRET", "")
DEFAULT_FROM_EMAIL = env_str("EMAIL_FROM", "quittance@localhost")
EMAIL_HOST = env_str("EMAIL_HOST", "localhost")
EMAIL_PORT = env_int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env_str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env_str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = env_bool("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10

# --- Metrics --------------------------------------------------------------------------------------
# Who sends it as a bearer token may read /metrics from elsewhere; without one only this machine may.
METRICS_TOKEN = env_str("METRICS_TOKEN", "")
# The folder in which the processes of a machine keep what they count, so that any of them can add it up; the
# name is that of prometheus_client, which reads it as well. Without it each process tells of itself.
METRICS_DIR = env_str("PROMETHEUS_MULTIPROC_DIR", "")

# --- Tracing --------------------------------------------------------------------------------------
# Where spans are sent; the exporter reads this and the other OTEL_… variables itself. Empty: off.
OTEL_ENDPOINT = env_str("OTEL_EXPORTER_OTLP_ENDPOINT", "")

# --- Logging --------------------------------------------------------------------------------------
LOG_LEVEL = env_str("LOG_LEVEL", "INFO")
LOGGING_CONFIG = "config.logging.configure"
LOGGING = {"level": LOG_LEVEL}
