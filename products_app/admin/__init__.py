"""Products with their stock, and the keys of services, in the Django admin."""

from products_app.admin.product_admin import ProductAdmin
from products_app.admin.service_key_admin import ServiceKeyAdmin

__all__ = ["ProductAdmin", "ServiceKeyAdmin"]
