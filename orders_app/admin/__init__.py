"""Orders, payments, gateway events, contradictions, mail, redactions, users and groups."""

from orders_app.admin.contradiction_admin import StockContradictionAdmin
from orders_app.admin.gateway_event_admin import GatewayEventAdmin
from orders_app.admin.mail_admin import MailRecordAdmin
from orders_app.admin.order_admin import OrderAdmin
from orders_app.admin.payment_admin import PaymentAdmin, RefundAdmin
from orders_app.admin.redaction_admin import RedactionAdmin
from orders_app.admin.user_admin import AccountAdmin, RoleAdmin

__all__ = [
    "AccountAdmin",
    "GatewayEventAdmin",
    "MailRecordAdmin",
    "OrderAdmin",
    "PaymentAdmin",
    "RedactionAdmin",
    "RefundAdmin",
    "RoleAdmin",
    "StockContradictionAdmin",
]
