"""Orders in the Django admin, and the role of staff who work on orders."""

from orders_app.admin.order_admin import OrderAdmin

__all__ = ["OrderAdmin"]
