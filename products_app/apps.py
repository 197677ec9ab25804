"""Registers how MongoDB is reached; no connection is made before the first use, so none outlives a fork."""

from django.apps import AppConfig
from django.conf import settings

from products_app.documents.connection import register


class ProductsConfig(AppConfig):
    """Catalogue and stock."""

    name = "products_app"
    verbose_name = "Products"

    def ready(self) -> None:
        """Hand the address of MongoDB to the driver."""
        register(settings.MONGODB_URI)
