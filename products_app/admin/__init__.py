"""The keys of services in the Django admin."""

from products_app.admin.service_key_admin import ServiceKeyAdmin

__all__ = ["ServiceKeyAdmin"]
