"""What the first request of a process would otherwise wait for."""

from importlib import import_module
from threading import Thread

from django.conf import settings
from django.db import connection
from django.urls import reverse

from config.collected_metrics import show_metrics
from foundation.logging import log_uncaught_errors
from foundation.tracing import begin_tracing
from foundation.warming import warm_up
from orders_app.accounts.ended_sign_ins import watch_sign_ins
from orders_app.services.place_order import warm_up_placing
from products_app.selectors import warm_up_catalogue
from web.metrics_port import serve_metrics
from web.rates.counts import request_counts
from web.rates.sharing import Sharing
from web.worker_health import begin_to_watch

WARM_SECONDS = 2.0
"""How long a process waits for the databases before it takes requests without them."""


def begin() -> None:
    """Load all views, do once what requests do, and begin the heartbeat.

    From then on METRICS_PORT is served, the ends of sign-ins are followed, and the counts of requests shared
    with other processes.
    Returns after WARM_SECONDS at the latest: a database that is away is no error. Raises ImproperlyConfigured
    where METRICS_PORT cannot be had.
    """
    log_uncaught_errors()
    begin_tracing("web")
    import_module(settings.ROOT_URLCONF)
    warming = Thread(target=_warm_up, name="warm-up", daemon=True)
    warming.start()
    warming.join(WARM_SECONDS)
    serve_metrics(begin_to_watch("web"), show_metrics, is_shared=True)
    watch_sign_ins()
    Sharing(request_counts()).start()


def _warm_up() -> None:
    warm_up(_resolve_urls, warm_up_catalogue, warm_up_placing)
    connection.close()


def _resolve_urls() -> None:
    """Django reads the patterns at the first use."""
    reverse("order-list")
