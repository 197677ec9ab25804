"""Orders in the Django admin, contradictions about their stock, and the role of staff who work on orders."""

from orders_app.admin.contradiction_admin import StockContradictionAdmin
from orders_app.admin.order_admin import OrderAdmin

__all__ = ["OrderAdmin", "StockContradictionAdmin"]
