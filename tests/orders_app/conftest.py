"""The fixtures of orders for every test of orders_app."""

from tests.orders_app.ordering import catalogue, placer

__all__ = ["catalogue", "placer"]
