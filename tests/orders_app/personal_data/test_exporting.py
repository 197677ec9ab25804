"""An export has everything that is held of a person, but no secret, and nothing of anybody else."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orders_app.models import PaymentToken
from orders_app.state_machine import PaymentMethod
from tests.orders_app.ordering import OrderPlacer, answer, now, reserved
from tests.orders_app.paying import GOOD, pay
from tests.orders_app.personal_data.zoe import Zoe, customer_with_orders, leave_traces

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("payment_gateway")]


@pytest.fixture
def zoe(placer: OrderPlacer) -> Zoe:
    zoe = customer_with_orders(placer)
    leave_traces(zoe)
    return zoe


def export(name: str, *options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("customer", "export", name, *options, stdout=out)
    exported: dict[str, Any] = json.loads(out.getvalue())
    return exported


def test_an_export_has_what_is_held_in_every_table(zoe: Zoe) -> None:
    exported = export(zoe.user.username.upper())
    assert exported["account"][0]["email"] == "Zanzibar@example.com"
    assert [order["orderId"] for order in exported["orders"]] == sorted(map(str, zoe.order_ids))
    orders = {order["orderId"]: order for order in exported["orders"]}
    delivered, _, _, deleted = (orders[str(order_id)] for order_id in zoe.order_ids)
    assert delivered["order"]["shippingAddress"]["street"] == "8 Zanzibar St"
    assert delivered["events"][0]["data"]["changes"]["shippingAddress"]["street"] == "7 Zanzibar St"
    assert delivered["refunds"][0]["reason"] == "Mrs Zanzibar rang."
    assert len(delivered["payments"]) == 1
    assert deleted["order"] is None
    assert deleted["events"][-1]["type"] == "order.deleted"
    held = {name: len(rows) for name, rows in exported.items() if isinstance(rows, list)}
    assert held["mails"] == 2
    assert held["accountMails"] == 2
    assert {name for name, number in held.items() if not number} == {
        "signIns", "refreshTokens", "adminEntriesBy", "redactions",
    }  # fmt: skip


def test_an_export_has_no_secret_and_nothing_of_others(zoe: Zoe, placer: OrderPlacer) -> None:
    placer.user_id = zoe.user.pk
    order = placer.place(PaymentMethod.STRIPE)
    answer(reserved(order))
    pay(now(order))
    assert PaymentToken.objects.get().token == GOOD
    other = customer_with_orders(placer)
    exported = export(zoe.user.username)
    text = json.dumps(exported)
    assert str(other.order_ids[0]) not in text
    assert GOOD not in text
    assert zoe.user.password not in text
    assert any(found["paymentTokens"] for found in exported["orders"])


def test_an_export_to_a_file_is_for_its_owner_alone_and_overwrites_none(zoe: Zoe, tmp_path: Path) -> None:
    path = tmp_path / "zoe.json"
    call_command("customer", "export", zoe.user.username, "--output", str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["userId"] == zoe.user.pk
    with pytest.raises(CommandError, match="File exists"):
        call_command("customer", "export", zoe.user.username, "--output", str(path))
