"""Orders in the Django admin, and the role of those who work on them."""

from orders_app.admin.order_admin import OrderAdmin

__all__ = ["OrderAdmin"]
