"""Registers the address of MongoDB.

The driver connects at the first use, so that a forked process never inherits a connection.
"""

from django.apps import AppConfig
from django.conf import settings

from products_app.documents.connection import register


class ProductsConfig(AppConfig):
    """The Django app of catalogue and stock."""

    name = "products_app"
    verbose_name = "Products"

    def ready(self) -> None:
        """Pass the address of MongoDB to the driver."""
        register(settings.MONGODB_URI)
