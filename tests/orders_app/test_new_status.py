"""Services, audit, filters and labels know a new order status by a change of `state_machine.py` alone.

What people read of it, and its migration, are steps of docs/new-status.md, which tests/test_guides.py
follows.
"""

from tests.python_process import run_python

ADD_PACKED_BETWEEN_PROCESSING_AND_SHIPPED = """
import sys
from pathlib import Path
from types import ModuleType

source = Path("orders_app/state_machine.py").read_text()
for old, new in (
    ('    CANCELLED = 5, "Cancelled"', '    CANCELLED = 5, "Cancelled"\\n    PACKED = 6, "Packed"'),
    (
        "(OrderStatus.SHIPPED, OrderStatus.CANCELLED)",
        "(OrderStatus.PACKED, OrderStatus.CANCELLED),\\n"
        "    OrderStatus.PACKED: (OrderStatus.SHIPPED, OrderStatus.CANCELLED)",
    ),
):
    assert source.count(old) == 1, old
    source = source.replace(old, new)
sys.modules["orders_app.state_machine"] = state_machine = ModuleType("orders_app.state_machine")
exec(source, state_machine.__dict__)

import django
django.setup()
"""

WALK = """
from datetime import UTC, datetime
from kafka_workers.audit.agreement import Disagreement, find_disagreement
from orders_app.api.filters import OrderFilters
from orders_app.event_log import Origin
from orders_app.models import Order
from orders_app.services.locked_order import LockedOrder
from orders_app.services.record_stock_answers import _lose_stock
from orders_app.services.stock_answers import StockReleased
from orders_app.services.stock_claims import StockClaim
from orders_app.state_machine import OrderStatus, StockStatus
from tests.orders_app.recorded_effects import RECORDED, order_after

order = LockedOrder(order_after(RECORDED["created"]), Origin("staff:1"), datetime.now(UTC))
order.move_to(OrderStatus.PROCESSING, "Packed by hand.")
order.move_to(OrderStatus.PACKED, "Packed by hand.")
assert (order.document.status, order.document.status_label) == (6, "Packed")
assert order.events[-1].data.new_status_label == "Packed"
order.edit(None, "T-1")
_lose_stock(order, StockReleased(str(order.document.id), {}), [])
assert order.document.status == OrderStatus.CANCELLED
claim = StockClaim(order.document.id, 3, OrderStatus.PACKED, StockStatus.RELEASED, {"a": 1})
assert find_disagreement(claim, None) is Disagreement.OPEN_WITHOUT_STOCK
assert (6, "Packed") in Order._meta.get_field("status").choices
assert (6, "Packed") in OrderFilters.base_filters["status"].extra["choices"]
print("walked")
"""


def test_a_new_status_is_known_to_services_audit_filters_and_labels() -> None:
    process = run_python("-c", ADD_PACKED_BETWEEN_PROCESSING_AND_SHIPPED + WALK, DEBUG="true")
    assert process.stdout == "walked\n", process.stderr
