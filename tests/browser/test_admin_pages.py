"""The lists of the admin that have no story of their own, the pages of their entries, and failures."""

import json
from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from playwright.sync_api import Page, expect

from devtools.driver.kafka import KafkaClient
from devtools.driver.shop import CREDIT_CARD, PROCESSING, Shop, eventually
from devtools.stack.stack import Stack
from tests.browser.requirements import require_accessible, require_fits

CONTRADICTION = "SELECT count(*) FROM stock_contradiction WHERE order_id = %s"
PARK = (
    "INSERT INTO set_aside_event (order_id, version, type, reason, detail, set_aside_at)"
    " VALUES (%s, 1, 'order.updated', 'refused', 'Message size too large', now())"
)
UNPARK = "DELETE FROM set_aside_event WHERE order_id = %s"
WITH_ENTRIES = (
    "orders_app/payment/",
    "orders_app/refund/",
    "orders_app/mailrecord/",
    "orders_app/stockcontradiction/",
    "kafka_workers/parkedevent/",
    "auth/user/",
    "auth/group/",
    "products_app/servicekey/",
)
OTHERS = (
    "orders_app/accountmail/",
    "orders_app/mailpreference/",
    "orders_app/redaction/",
    "orders_app/gatewayevent/?resolved=payments",
    "orders_app/gatewayevent/?q=nothing-like-this",
    "orders_app/mailrecord/previews/",
    "auth/user/add/",
    "products_app/servicekey/add/",
    "admin/logentry/",
)


@pytest.fixture(scope="module")
def parked_order(shop: Shop, kafka_client: KafkaClient, stack: Stack) -> Iterator[UUID]:
    """An order with a parked event; beside it a payment, a refund, a mail and a contradiction are there."""
    customer, parked = shop.new_customer(), uuid4()
    product = shop.new_product(stock=5)
    order = customer.place((product, 1), payment_method=CREDIT_CARD, payment_token="pm_card_visa")
    customer.wait_for_status(order["id"], PROCESSING)
    refund = {"amount": "1.00", "reason": "A scratch."}
    assert shop.staff.call("POST", f"orders/{order['id']}/refund/", json=refund).status_code == 202
    shortage = {"productId": product, "code": "INSUFFICIENT_STOCK", "requested": 1, "available": 0}
    rejected = {"orderId": order["id"], "failures": [shortage]}
    kafka_client.send("inventory.rejected", order["id"], json.dumps(rejected).encode())
    with psycopg.connect(stack.env["DATABASE_URL"], autocommit=True) as database:
        database.execute(PARK, [parked])
        eventually(
            lambda: database.execute(CONTRADICTION, [order["id"]]).fetchone() == (1,), "the contradiction"
        )
        yield parked
        database.execute(UNPARK, [parked])


def require_sound(page: Page) -> None:
    """Fails if the page is not accessible, is wider than a phone or has more than one main heading."""
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    require_accessible(page)
    require_fits(page)


@pytest.mark.usefixtures("parked_order")
@pytest.mark.parametrize("path", WITH_ENTRIES)
def test_a_list_and_the_page_of_an_entry_are_sound(administrator: Page, path: str) -> None:
    administrator.goto(f"/admin/{path}")
    require_sound(administrator)
    administrator.locator(f"#result_list a[href*='/{path}'][href*='/change/']").first.click()
    expect(administrator.locator("#result_list")).to_have_count(0)
    require_sound(administrator)


def test_empty_lists_and_forms_of_the_admin_are_sound(administrator: Page) -> None:
    for path in OTHERS:
        administrator.goto(f"/admin/{path}")
        require_sound(administrator)


def test_a_dead_letter_is_found_read_and_discarded_for_a_reason(
    administrator: Page, kafka_client: KafkaClient
) -> None:
    key = f"external-{uuid4().hex}"
    kafka_client.send("inventory.reserve", key, b"no json")
    address = f"/admin/kafka_workers/deadletterrecord/?key={key}"
    found = administrator.get_by_role("checkbox", name="Select")

    def is_listed() -> bool:
        administrator.goto(address)
        return found.count() == 1

    eventually(is_listed, "the dead letter is in the list")
    require_sound(administrator)
    administrator.locator(".sb-table tbody th a").click()
    expect(administrator.get_by_text("no json")).to_be_visible()
    require_sound(administrator)
    administrator.get_by_role("button", name="Discard…").click()
    administrator.get_by_role("button", name="Discard 1 dead letter").click()
    expect(administrator.get_by_text("Say why they need no handling")).to_be_visible()
    require_sound(administrator)
    administrator.get_by_label("Why do they need no handling?").fill("Sent by hand.")
    administrator.get_by_role("button", name="Discard 1 dead letter").click()
    expect(administrator.get_by_text("1 dead letter discarded.")).to_be_visible()


def test_before_parked_events_are_sent_again_a_page_says_which(
    administrator: Page, parked_order: UUID
) -> None:
    administrator.goto(f"/admin/kafka_workers/parkedevent/?q={parked_order}")
    administrator.locator("input.action-select").check()
    administrator.locator("select[name=action]").select_option("send_again")
    administrator.get_by_role("button", name="Run").click()
    expect(administrator.get_by_role("heading", name="1 event is sent again")).to_be_visible()
    require_sound(administrator)
    administrator.get_by_role("link", name="Back, change nothing").click()
    expect(administrator.get_by_text("Waits for people")).to_be_visible()
