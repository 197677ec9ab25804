"""The fixtures of orders, for tests of what is put together in config."""

from tests.orders_app.ordering import catalogue, placer

__all__ = ["catalogue", "placer"]
