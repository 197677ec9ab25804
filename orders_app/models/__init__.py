"""The tables of orders, items and payments, the order log, contradictions, analytics, accounts and mail."""

from orders_app.models.account import (
    AccountMail,
    AccountMailAddress,
    AccountName,
    MailAddressChange,
    SignIn,
)
from orders_app.models.analytics import (
    AnalyticsLine,
    AnalyticsLineA,
    AnalyticsLineB,
    AnalyticsOrder,
    AnalyticsOrderA,
    AnalyticsOrderB,
    AnalyticsProgress,
)
from orders_app.models.gateway_event import GatewayEvent
from orders_app.models.inbox import InboxMessage
from orders_app.models.mail import MailKind, MailPreference, MailRecord
from orders_app.models.order import Order, OrderItem
from orders_app.models.order_event import ArchivedPartition, HistoryEvent, OrderEvent, ReaderPosition
from orders_app.models.payment import Payment, PaymentToken, Refund
from orders_app.models.payment_audit import LastPaymentAudit
from orders_app.models.redaction import Redaction
from orders_app.models.stock_contradiction import StockContradiction

__all__ = [
    "AccountMail",
    "AccountMailAddress",
    "AccountName",
    "AnalyticsLine",
    "AnalyticsLineA",
    "AnalyticsLineB",
    "AnalyticsOrder",
    "AnalyticsOrderA",
    "AnalyticsOrderB",
    "AnalyticsProgress",
    "ArchivedPartition",
    "GatewayEvent",
    "HistoryEvent",
    "InboxMessage",
    "LastPaymentAudit",
    "MailAddressChange",
    "MailKind",
    "MailPreference",
    "MailRecord",
    "Order",
    "OrderEvent",
    "OrderItem",
    "Payment",
    "PaymentToken",
    "ReaderPosition",
    "Redaction",
    "Refund",
    "SignIn",
    "StockContradiction",
]
