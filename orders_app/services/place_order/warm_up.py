"""Warming the service that places orders: its connection, and what the server does at the first time."""

from foundation.shared_connection import shared_connection
from orders_app.services.place_order.service import PLACING
from orders_app.services.place_order.writing import write_orders


def warm_up_placing() -> None:
    """Execute the statement that writes orders, for none; call it before any order is placed.

    Raises the errors of the database.
    """
    write_orders([], shared_connection(PLACING))
