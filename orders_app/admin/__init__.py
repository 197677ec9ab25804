"""Orders, contradictions about stock, mail, and users in the admin; the role of staff who work on orders."""

from orders_app.admin.contradiction_admin import StockContradictionAdmin
from orders_app.admin.mail_admin import MailRecordAdmin
from orders_app.admin.order_admin import OrderAdmin
from orders_app.admin.user_admin import AccountAdmin

__all__ = ["AccountAdmin", "MailRecordAdmin", "OrderAdmin", "StockContradictionAdmin"]
