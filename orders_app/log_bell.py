"""The bell that rings when events were appended to the orders' log: its readers here wake at once."""

import hashlib
from functools import cache

from django.db import connection

from foundation.doorbell import BellListener, Doorbell


def ring() -> None:
    """Tell the log's readers on this host; call it when the events are committed."""
    _bell().ring()


def listen() -> BellListener:
    """Hear whenever something is appended from now on by a process of this host."""
    return _bell().listen()


def _bell() -> Doorbell:
    place = connection.settings_dict
    return _bell_of(f"{place['HOST']}:{place['PORT']}/{place['NAME']}")


@cache
def _bell_of(database: str) -> Doorbell:
    return Doorbell(hashlib.sha256(database.encode()).hexdigest()[:12])
