"""What the first request of a process would otherwise wait for."""

from importlib import import_module
from threading import Thread

from django.conf import settings

from config.dependencies import DATABASES
from foundation.garbage_collection import tune_garbage_collector
from foundation.logging import log_uncaught_errors
from orders_app.accounts.ended_sign_ins import watch_sign_ins
from web.dependency_checks import Check, find_all
from web.rates.counts import request_counts
from web.rates.sharing import Sharing
from web.worker_health import begin_to_watch


def warm_up() -> None:
    """Load all views, begin the heartbeat; then, without waiting, reach both databases once.

    From then on the ends of sign-ins are followed, and the counts of requests shared with other processes.
    A database that is away is no error.
    """
    log_uncaught_errors()
    import_module(settings.ROOT_URLCONF)
    tune_garbage_collector()
    begin_to_watch("web")
    checks = {name: Check(check) for name, check in DATABASES.items()}
    Thread(target=find_all, args=[checks], name="warm-up", daemon=True).start()
    watch_sign_ins()
    Sharing(request_counts()).start()
