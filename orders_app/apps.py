"""Orders, as a Django app."""

from django.apps import AppConfig


class OrdersAppConfig(AppConfig):
    """Orders, their items and the log of all that happened to them."""

    name = "orders_app"
    verbose_name = "Orders"
