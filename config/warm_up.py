"""What the first request of a process would otherwise wait for."""

from contextlib import suppress
from importlib import import_module
from threading import Thread

from django.conf import settings
from django.db import DatabaseError, connection

from kafka_workers.runtime.garbage_collection import calm_garbage_collector
from products_app import selectors as catalogue
from products_app.exceptions import CatalogueUnavailable


def warm_up() -> None:
    """Load all views; then, without waiting, reach both databases once. One that is away is no error."""
    import_module(settings.ROOT_URLCONF)
    calm_garbage_collector()
    Thread(target=_reach_databases, name="warm-up", daemon=True).start()


def _reach_databases() -> None:
    with suppress(DatabaseError):
        connection.ensure_connection()
    connection.close()
    with suppress(CatalogueUnavailable):
        catalogue.ping()
