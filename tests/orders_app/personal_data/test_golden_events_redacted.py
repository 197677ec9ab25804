"""Events of every version of the code can be redacted, and give the order of before without personal data."""

import msgspec
import pytest
from django.db import connection

from orders_app.document import CancelReason, OrderDocument, ShippingAddress
from orders_app.event_log import LoggedEvent
from orders_app.fold import rebuild_order
from orders_app.personal_data.orders import ERASED_ADDRESS, PEOPLES_REASONS
from tests.orders_app.golden_orders import ORDERS


def redacted_event(event: LoggedEvent) -> LoggedEvent:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT (redacted_event_data(%s, data) || '{"redaction": 7}')::text
            FROM (SELECT %s::jsonb AS data)""",
            [event.actor, event.data.decode()],
        )
        data: str = cursor.fetchone()[0]
    return msgspec.structs.replace(event, data=data.encode())


def redacted_order(order: OrderDocument) -> OrderDocument:
    """The order as its row is after an erasure."""
    reason = order.cancel_reason
    if reason and reason.code in PEOPLES_REASONS:
        reason = CancelReason(reason.code, "erased")
    return msgspec.structs.replace(
        order,
        shipping_address=ShippingAddress(**ERASED_ADDRESS),
        tracking_number="erased" if order.tracking_number else None,
        cancel_reason=reason,
    )


@pytest.mark.django_db
@pytest.mark.parametrize("name", ORDERS)
def test_an_order_of_any_version_of_the_code_is_the_same_without_personal_data(name: str) -> None:
    events, _ = ORDERS[name]
    assert rebuild_order(map(redacted_event, events)) == redacted_order(rebuild_order(events))
