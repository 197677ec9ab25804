"""The desk at which the tests order."""

from tests.orders_app.ordering import catalogue, desk

__all__ = ["catalogue", "desk"]
