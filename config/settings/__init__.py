"""Django settings; every one that changes between installations comes from the environment."""

from datetime import timedelta
from pathlib import Path

from csp.constants import NONCE, NONE, SELF
from environ import Env

from config.settings.admin_site import UNFOLD as UNFOLD
from config.settings.env import (
    BASE_DIR,
    DEBUG,
    brokers,
    choice,
    currency,
    flag,
    header_value,
    http_addresses,
    mail_address,
    mail_domain,
    mail_rate,
    mail_server,
    networks,
    origin,
    port_or_none,
    rate,
    seconds,
    secret_key,
    secret_key_fallbacks,
    server_url,
    socket_server,
    text,
    whole_number,
    words,
)
from config.settings.kafka_security import require_sound_kafka_security
from config.settings.log_levels import log_levels
from config.settings.payment_gateway import STRIPE_ITSELF, require_silent_library, require_sound_payments
from config.settings.tracing import SAMPLERS, collector, require_known_protocol, share, trace_page
from config.settings.watched import watched_certificates, watched_disks
from foundation.logging import logging_config
from foundation.rates import Rate

_DEVELOPMENT_KEY = "development-only-key-that-production-refuses"
SECRET_KEY = secret_key(_DEVELOPMENT_KEY)
# What is accepted beside a secret while it is replaced by another one (docs/rotation.md).
SECRET_KEY_FALLBACKS = secret_key_fallbacks(_DEVELOPMENT_KEY)

ALLOWED_HOSTS = words("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
FRONTEND_URL = origin("FRONTEND_URL")
# Where people reach the installation: no request says it, whose Host header its sender chooses.
PUBLIC_URL = origin("PUBLIC_URL") or ("http://localhost:8000" if DEBUG else "")
# Where pages find the sockets; empty: behind the address of the page itself.
PUBLIC_WS_URL = socket_server("PUBLIC_WS_URL")

# Plain HTTP is for one machine alone (config/checks.py); everywhere else cookies travel by HTTPS only.
PLAIN_HTTP = flag("PLAIN_HTTP", default=DEBUG)
TRUSTED_PROXIES = whole_number("TRUSTED_PROXIES", 0, minimum=0)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not PLAIN_HTTP
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = 0 if PLAIN_HTTP else whole_number("HSTS_SECONDS", 31_536_000, minimum=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
# Browsers' own lists of HTTPS sites are permanent: the owner of a domain decides whether it joins them.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
# A browser is signed in until it closes, and so many hours at most.
SESSION_COOKIE_AGE = 3600 * whole_number("SESSION_HOURS", 8)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_ENGINE = "web.sessions"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
# How long clients may take, and how many connections they may have (web/server/limits.py).
CONNECTIONS_PER_ADDRESS = whole_number("CONNECTIONS_PER_ADDRESS", 512)
HEAD_SECONDS = whole_number("HEAD_SECONDS", 10)
BODY_SECONDS = whole_number("BODY_SECONDS", 30)
WEB_LIMITS = {
    "head_seconds": HEAD_SECONDS,
    "body_seconds": BODY_SECONDS,
    "idle_seconds": whole_number("IDLE_SECONDS", 75),
    "slow_seconds": whole_number("SLOW_READER_SECONDS", 30),
    "stuck_seconds": whole_number("STUCK_SECONDS", 120),
    # Behind proxies all connections come from their addresses: they limit their own clients.
    "connections_per_address": 0 if TRUSTED_PROXIES else CONNECTIONS_PER_ADDRESS,
    "body_bytes": DATA_UPLOAD_MAX_MEMORY_SIZE,
}

# The front door tells newcomers how to sign in to the demo, and where its inbox is.
DEMO = flag("DEMO", default=False)
INBOX_URL = http_addresses("INBOX_URL")

MONITOR_ADDRESSES = networks("MONITOR_ADDRESSES", ("127.0.0.0/8", "::1"))
MONITOR_TOKEN = header_value("MONITOR_TOKEN")
MONITOR_TOKEN_FALLBACKS = words("MONITOR_TOKEN_FALLBACKS", ())

# The servers
DATABASE_URL = server_url(
    "DATABASE_URL", ("postgres", "postgresql"), "postgres://postgres@127.0.0.1:5432/stockbridge"
)
DATABASES = {"default": Env.db_url_config(DATABASE_URL)}
DATABASES["default"] |= {
    "CONN_MAX_AGE": 600,
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {
        **DATABASES["default"].get("OPTIONS", {}),
        "connect_timeout": 3,
        "server_side_binding": True,
        "prepare_threshold": 5,
        "options": " ".join(
            (
                # An open writing transaction holds back every reader of the order log: none may last.
                "-c transaction_timeout=60000 -c idle_in_transaction_session_timeout=30000",
                # A plan that is kept from when a table was small reads all of it when it is large.
                "-c plan_cache_mode=force_custom_plan",
            )
        ),
    },
}
MONGODB_URI = server_url(
    "MONGODB_URI", ("mongodb", "mongodb+srv"), "mongodb://127.0.0.1:27017/stockbridge?replicaSet=rs0"
)
EMAIL_URL = text("EMAIL_URL", "consolemail://" if DEBUG else "").strip()
globals().update(mail_server("EMAIL_URL", EMAIL_URL))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = mail_address("MAIL_FROM", f"Stockbridge <no-reply@{mail_domain(PUBLIC_URL)}>")
MAIL_RATE = mail_rate("MAIL_RATE")
KAFKA_BROKERS = brokers("KAFKA_BROKERS", "127.0.0.1:9092")
KAFKA_SECURITY_PROTOCOL = choice(
    "KAFKA_SECURITY_PROTOCOL", "PLAINTEXT", ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
)
KAFKA_SASL_MECHANISM = text("KAFKA_SASL_MECHANISM")
KAFKA_SASL_USERNAME = text("KAFKA_SASL_USERNAME")
KAFKA_SASL_PASSWORD = text("KAFKA_SASL_PASSWORD")
KAFKA_SSL_CA = text("KAFKA_SSL_CA")
KAFKA_SSL_CERTIFICATE = text("KAFKA_SSL_CERTIFICATE")
KAFKA_SSL_KEY = text("KAFKA_SSL_KEY")
require_sound_kafka_security(
    protocol=KAFKA_SECURITY_PROTOCOL,
    sasl={
        "KAFKA_SASL_MECHANISM": KAFKA_SASL_MECHANISM,
        "KAFKA_SASL_USERNAME": KAFKA_SASL_USERNAME,
        "KAFKA_SASL_PASSWORD": KAFKA_SASL_PASSWORD,
    },
    files={
        "KAFKA_SSL_CA": KAFKA_SSL_CA,
        "KAFKA_SSL_CERTIFICATE": KAFKA_SSL_CERTIFICATE,
        "KAFKA_SSL_KEY": KAFKA_SSL_KEY,
    },
)
KAFKA_REPLICATION_FACTOR = whole_number("KAFKA_REPLICATION_FACTOR", 1 if DEBUG else 3)
KAFKA_PARTITIONS = whole_number("KAFKA_PARTITIONS", 3)
KAFKA_RETENTION_DAYS = whole_number("KAFKA_RETENTION_DAYS", 7)
SCHEMA_REGISTRY_URL = http_addresses("SCHEMA_REGISTRY_URL")

# Money: without the two secrets, orders cannot be paid through the gateway.
CURRENCY = currency("CURRENCY", "USD")
STRIPE_SECRET_KEY = header_value("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRET = header_value("STRIPE_WEBHOOK_SECRET")
STRIPE_WEBHOOK_SECRET_FALLBACKS = words("STRIPE_WEBHOOK_SECRET_FALLBACKS", ())
STRIPE_API_BASE = text("STRIPE_API_BASE", STRIPE_ITSELF).strip().rstrip("/")
require_sound_payments(
    secrets={"STRIPE_SECRET_KEY": STRIPE_SECRET_KEY, "STRIPE_WEBHOOK_SECRET": STRIPE_WEBHOOK_SECRET},
    api_base=STRIPE_API_BASE,
    plain_http=PLAIN_HTTP,
)
require_silent_library(text("STRIPE_LOG"))

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "axes",
    "channels",
    "corsheaders",
    "django_filters",
    "rest_framework",
    "rest_framework_api_key",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "config",
    "web",
    "orders_app",
    "products_app",
    "kafka_workers",
]

MIDDLEWARE = [
    "web.middleware.observe_requests",
    "web.middleware.normalise_path",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "web.address_limit.limit_addresses",
    "web.refused_requests.answer_refused",
    "web.page_policy.PagePolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "axes.middleware.AxesMiddleware",
    "web.admin_parameters.AdminParameters",
]
CSRF_FAILURE_VIEW = "web.errors.csrf_failure"

# Hot endpoints, declared beside their views, which web/fast_path.py answers before the middlewares above; it
# asks these of them what they add to an answer, and whether they let a request in.
FAST_ENDPOINTS = [
    "orders_app.api.place_order.PLACE_ORDER",
    "products_app.api.stock_endpoints.RESERVE",
    "products_app.api.stock_endpoints.RELEASE",
]
FAST_PATH_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Before the apps' own: what we have in place of a library's template.
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "orders_app.pages.cart.cart_pieces",
            ]
        },
    }
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": name}
    for name in (
        "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "orders_app.accounts.password_rules.VisibleLengthValidator",
        "django.contrib.auth.password_validation.CommonPasswordValidator",
        "django.contrib.auth.password_validation.NumericPasswordValidator",
    )
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "orders_app.accounts.backend.AccountBackend",
]
# Where a page's door leads that was opened by its own address.
LOGIN_REDIRECT_URL = "admin:index"
LOGIN_URL = "/login/"

# Links in mails about accounts (orders_app/accounts/links.py) are valid for so many seconds.
PASSWORD_RESET_TIMEOUT = 3600

# Wrong passwords: so many for one name from one address, then neither gets in together for a while.
LOGIN_FAILURES = whole_number("LOGIN_FAILURES", 10)
LOGIN_LOCK_MINUTES = whole_number("LOGIN_LOCK_MINUTES", 15)
AXES_FAILURE_LIMIT = LOGIN_FAILURES
AXES_COOLOFF_TIME = timedelta(minutes=LOGIN_LOCK_MINUTES)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_HTTP_RESPONSE_CODE = 429
AXES_LOCKOUT_CALLABLE = "orders_app.accounts.lock_out.locked_out_page"
AXES_HANDLER = "orders_app.accounts.lock_out.NormalNameHandler"
AXES_USERNAME_CALLABLE = "orders_app.accounts.lock_out.counted_name"
AXES_CLIENT_IP_CALLABLE = "web.addresses.client_address"
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
# Those with translations of ours: pages follow the browser, mails the preference of their reader.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
# Where `collect_changed_static` puts the files with fingerprints; all stacks of a checkout share them.
STATIC_ROOT = Path(text("STATIC_ROOT") or BASE_DIR / ".cache" / "static")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "web.static_storage.FingerprintedStorage"},
}
WHITENOISE_USE_FINDERS = True

CORS_ALLOWED_ORIGINS = [FRONTEND_URL] if FRONTEND_URL else []
CORS_ALLOW_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "traceparent",
    "x-csrftoken",
    "x-requested-with",
)
CORS_EXPOSE_HEADERS = ("etag", "location", "retry-after", "x-count-estimated", "x-newest-searched")
CSRF_TRUSTED_ORIGINS = [FRONTEND_URL] if FRONTEND_URL else []

# How often one may ask, by kind of throttle (web/throttles.py). With PLAIN_HTTP, which is for the owner of
# the machine, requests of the API are limited only where a rate is set.
LOGIN_RATE = rate("LOGIN_RATE", "30/minute")
REGISTRATION_RATE = rate("REGISTRATION_RATE", "20/hour")
REQUEST_RATES: dict[str, Rate | None] = {
    "address": rate("ADDRESS_RATE", "off" if PLAIN_HTTP else "6000/minute"),
    "user": rate("USER_RATE", "off" if PLAIN_HTTP else "600/minute"),
    "service": rate("SERVICE_RATE", "off" if PLAIN_HTTP else "30000/minute"),
    "registration": REGISTRATION_RATE,
    "account_mail": REGISTRATION_RATE,
    "mail_address": REGISTRATION_RATE,
    "login": LOGIN_RATE,
    "login_name": LOGIN_RATE,
    "token_name": LOGIN_RATE,
}

# What the schema says of errors: these by name where a route can give them, all others as "default".
ERROR_STATUSES = ["400", "401", "403", "404", "default"]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "orders_app.accounts.authentication.AccessTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PARSER_CLASSES": ["web.parsers.BoundedJsonParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "web.rendering.JsonRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "web.rendering.FormatBeforeAccept",
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "web.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_standardized_errors.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": [
        "web.throttles.UserThrottle",
        "web.throttles.ServiceThrottle",
    ],
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "web.errors.ExceptionHandler",
    "EXCEPTION_FORMATTER_CLASS": "web.errors.ErrorFormatter",
    "ALLOWED_ERROR_STATUS_CODES": ERROR_STATUSES,
    "ERROR_SCHEMAS": dict.fromkeys(ERROR_STATUSES, "web.error_schema.ErrorSerializer"),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Stockbridge",
    "OAS_VERSION": "3.1.0",
    "ENUM_NAME_OVERRIDES": {
        name: f"orders_app.state_machine.{name}"
        for name in ("OrderStatus", "StockStatus", "PaymentStatus", "PaymentMethod")
    },
    "DESCRIPTION": "Orders and stock, kept in step over Kafka.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
}
# However often its tokens are refreshed, a sign-in ends after so long.
SIGN_IN_DAYS = whole_number("SIGN_IN_DAYS", 30)

# How the parts work together
SERVICE_API_KEY = header_value("SERVICE_API_KEY")
HOLD_MINUTES = whole_number("HOLD_MINUTES", 30)
RETRY_DELAYS_SECONDS = seconds("RETRY_DELAYS_SECONDS", (5, 60, 600))
BREAKER_RUN = whole_number("BREAKER_RUN", 50)
BREAKER_PERCENT = whole_number("BREAKER_PERCENT", 50)
BREAKER_SECONDS = whole_number("BREAKER_SECONDS", 300)
BREAKER_PROBE = whole_number("BREAKER_PROBE", 10)
BREAKER_PAUSE_SECONDS = whole_number("BREAKER_PAUSE_SECONDS", 60)
BREAKER_LONGEST_PAUSE_SECONDS = whole_number("BREAKER_LONGEST_PAUSE_SECONDS", 3600)
SILENT_SECONDS = whole_number("SILENT_SECONDS", 15)
METRICS_PORT = port_or_none("METRICS_PORT")
WATCHED_DISKS = watched_disks("WATCHED_DISKS")
WATCHED_CERTIFICATES = watched_certificates("WATCHED_CERTIFICATES")
# Tracing: OpenTelemetry itself reads its other variables (docs/tracing.md).
OTEL_SDK_DISABLED = flag("OTEL_SDK_DISABLED", default=False)
OTEL_EXPORTER_OTLP_ENDPOINT = "" if OTEL_SDK_DISABLED else collector("OTEL_EXPORTER_OTLP_ENDPOINT")
OTEL_TRACES_SAMPLER = choice("OTEL_TRACES_SAMPLER", "traceidratio", SAMPLERS)
OTEL_TRACES_SAMPLER_ARG = share("OTEL_TRACES_SAMPLER_ARG", 0.01)
require_known_protocol("OTEL_EXPORTER_OTLP_PROTOCOL")
TRACE_URL = trace_page("TRACE_URL")
SOCKET_REPLAY_EVENTS = whole_number("SOCKET_REPLAY_EVENTS", 500)
SOCKET_SLOW_SECONDS = whole_number("SOCKET_SLOW_SECONDS", 10)
SOCKETS_PER_USER = whole_number("SOCKETS_PER_USER", 20)

LOG_FORMAT = choice("LOG_FORMAT", "console", ("console", "json"))
LOGGING_CONFIG = None
logging_config(LOG_FORMAT, log_levels("LOG_LEVELS"))
