"""A customer of whom something is held in every table, with words by which it can be found."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import msgspec
from axes.models import AccessAttempt
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.utils import timezone

from orders_app import event_log
from orders_app.document import CancelCode, CancelReason, ShippingAddress
from orders_app.models import (
    AccountMail,
    GatewayEvent,
    MailAddressChange,
    MailKind,
    MailPreference,
    MailRecord,
    Order,
)
from orders_app.services.change_order import cancel_order, change_status, delete_order, update_order
from orders_app.state_machine import OrderStatus, PaymentMethod
from tests.orders_app.ordering import STAFF, OrderPlacer, answer, now, rejected, reserved
from tests.orders_app.paying import Gateway, pay, record, refund

SECRET = "zanzibar"
"""In everything that is held of the customer and must be erased."""
ADDRESS = ShippingAddress(
    street="7 Zanzibar St", city="Zanzibar City", state="Zanzibar", zip_code="ZANZIBAR", country="Zanzibar"
)
EVERY_TABLE = """
SELECT oid::regclass::text FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1
"""


@dataclass
class Zoe:
    """The customer, and the ids of their orders."""

    user: User
    order_ids: list[UUID]
    number: str
    """That of the delivered order."""

    @property
    def name(self) -> str:
        return User.objects.get(pk=self.user.pk).username


def customer_with_orders(placer: OrderPlacer) -> Zoe:
    """Delivered, paid and partly refunded; cancelled in the customer's words; rejected; deleted."""
    placer.user_id = User.objects.create_user(f"zanzibar-{uuid4().hex[:8]}", "Zanzibar@example.com").pk
    orders = [_delivered(placer), _cancelled(placer), _rejected(placer), _deleted(placer)]
    delivered = Order.objects.get(pk=orders[0])
    return Zoe(User.objects.get(pk=placer.user_id), orders, delivered.order_number)


def _delivered(placer: OrderPlacer) -> UUID:
    order = placer.place(PaymentMethod.STRIPE, shipping_address=ADDRESS, idempotency_key="zanzibar-1")
    moved = msgspec.structs.replace(ADDRESS, street="8 Zanzibar St")
    update_order(order_id=order.id, shipping_address=moved, origin=placer.origin)
    update_order(order_id=order.id, tracking_number="ZANZIBAR-8", origin=STAFF)
    answer(reserved(order))
    gateway = Gateway()
    pay(now(order))
    gateway.work(now(order))
    record(*gateway.answers)
    change_status(
        order_id=order.id, new_status=OrderStatus.SHIPPED, origin=STAFF, override_reason="For Zanzibar."
    )
    change_status(order_id=order.id, new_status=OrderStatus.DELIVERED, origin=STAFF)
    refund(now(order), "1.00", key="zanzibar-r", reason="Mrs Zanzibar rang.")
    gateway.work(now(order))
    record(*gateway.answers)
    return order.id


def _cancelled(placer: OrderPlacer) -> UUID:
    order = placer.place(shipping_address=ADDRESS)
    reason = CancelReason(CancelCode.CUSTOMER_REQUEST, "We move away from Zanzibar.")
    cancel_order(order_id=order.id, reason=reason, origin=placer.origin)
    return order.id


def _rejected(placer: OrderPlacer) -> UUID:
    order = placer.place(shipping_address=ADDRESS)
    answer(rejected(order))
    return order.id


def _deleted(placer: OrderPlacer) -> UUID:
    order = placer.place(shipping_address=ADDRESS)
    reason = CancelReason(CancelCode.STAFF_REQUEST, "Zanzibar asked by phone.")
    cancel_order(order_id=order.id, reason=reason, origin=STAFF)
    delete_order(order_id=order.id, origin=STAFF)
    return order.id


def leave_traces(zoe: Zoe) -> None:
    """Rows about the customer in the tables that have nothing to do with orders, or little."""
    user = zoe.user
    user.first_name, user.last_name = "Zanzibar", "Zanzibar-Smith"
    user.save()
    MailAddressChange.objects.create(user=user, address="new@zanzibar.example", requested_at=timezone.now())
    MailPreference.objects.create(user=user, language="de", time_zone="Africa/Zanzibar")
    for address, owner in (("zanzibar@example.com", None), ("new@zanzibar.example", user.pk)):
        AccountMail.objects.create(kind="password_reset", address=address, user_id=owner)
    for address in ("Zanzibar@example.com", "old@zanzibar.example"):
        _mail(zoe, address)
    AccessAttempt.objects.create(username=user.username, ip_address="192.0.2.1", failures_since_start=1)
    _sign_in_by_browser(user)
    for about, text in ((user, "[]"), (_order(zoe), "Refund of 1.00 USD: Zanzibar: she rang.")):
        _admin_entry(about, text)
    GatewayEvent.objects.create(
        event_id="evt_1", type="charge.dispute.created", kind="dispute", created_at=timezone.now(),
        resolved_at=timezone.now(), resolved_by=user.username,
    )  # fmt: skip


def _order(zoe: Zoe) -> Order:
    return Order.objects.get(pk=zoe.order_ids[0])


def _mail(zoe: Zoe, address: str) -> None:
    MailRecord.objects.create(
        message_id="m-1",
        event_id=f"{zoe.order_ids[0]}:1",
        order_number=zoe.number,
        user_id=str(zoe.user.pk),
        kind=MailKind.PLACED,
        address=address,
        state=MailRecord.State.REFUSED,
        detail=f"550 no mailbox {address}",
    )


def _sign_in_by_browser(user: User) -> None:
    session = SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["name"] = "zanzibar"
    session.create()


def _admin_entry(about: User | Order, text: str) -> None:
    LogEntry.objects.create(
        user=User.objects.get_or_create(username="sam", is_staff=True)[0],
        content_type=ContentType.objects.get_for_model(type(about)),
        object_id=str(about.pk),
        object_repr=str(about),
        action_flag=CHANGE,
        change_message=text,
    )


def tables_with(word: str) -> list[str]:
    """The tables in which this word stands anywhere, in any case."""
    with connection.cursor() as cursor:
        cursor.execute(EVERY_TABLE)
        tables = [name for (name,) in cursor.fetchall()]
        return [name for name in tables if _has(cursor, name, word)]


def _has(cursor: Any, table: str, word: str) -> bool:
    cursor.execute(f"SELECT EXISTS (SELECT FROM {table} AS held WHERE held::text ILIKE %s)", [f"%{word}%"])
    return bool(cursor.fetchone()[0])


def what_stays(zoe: Zoe) -> list[tuple[object, ...]]:
    """Of each event what an erasure must not change."""
    events = event_log.histories(zoe.order_ids)
    return [(e.tx, e.id, e.order_id, e.version, e.type, e.user_id, e.actor, e.created_at) for e in events]
