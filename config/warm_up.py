"""What the first request of a process would otherwise wait for."""

from importlib import import_module
from threading import Thread

from django.conf import settings

from config.dependencies import DATABASES
from foundation.garbage_collection import tune_garbage_collector
from web.health import check_all


def warm_up() -> None:
    """Load all views; then, without waiting, reach both databases once. One that is away is no error."""
    import_module(settings.ROOT_URLCONF)
    tune_garbage_collector()
    Thread(target=check_all, args=[DATABASES], name="warm-up", daemon=True).start()
