"""The fixtures of orders for every test of orders_app."""

from tests.orders_app.ordering import catalogue, placer
from tests.orders_app.paying import payment_gateway

__all__ = ["catalogue", "payment_gateway", "placer"]
