"""A customer's orders, and the page of an order that moves by itself."""

from playwright.sync_api import Locator, Page, expect

from devtools.driver.shop import CREDIT_CARD, CUSTOMER_PASSWORD, DELIVERED, SHIPPED, Caller, Json, Shop
from devtools.stack.stack import Stack
from tests.browser.conftest import OpenPage
from tests.browser.requirements import require_accessible, require_all
from tests.browser.steps import stage_of_order
from tests.browser.watching import Watcher

IN_TIME = 15_000
"""Milliseconds in which a change must be seen."""


def open_order(page: Page, order: Json) -> None:
    """Opens the page of the order, and waits until its connection is live."""
    page.goto(f"/orders/{order['orderNumber']}/")
    expect_connection(page, "live")
    page.evaluate("window.isFirstLoad = true")


def expect_connection(page: Page, state: str) -> None:
    expect(page.locator("[data-connection]")).to_have_attribute("data-state", state, timeout=IN_TIME)


def stage(page: Page, name: str, state: str) -> Locator:
    """A stage of the order, once it is in this state."""
    found = stage_of_order(page, name, state)
    expect(found).to_be_visible(timeout=IN_TIME)
    return found


def open_payment_form(page: Page) -> None:
    """Opens the form, unless the decline was known when the page was made: then it is open."""
    if not page.get_by_role("button", name="Pay now").is_visible():
        page.get_by_text("Pay 10.00 USD again").click()


def expect_no_reload(page: Page) -> None:
    assert page.evaluate("window.isFirstLoad === true"), "the page was loaded again"


def ship(shop: Shop, order: Json, tracking_number: str) -> None:
    answer = shop.staff.call("PATCH", f"orders/{order['id']}/", json={"trackingNumber": tracking_number})
    assert answer.status_code == 200, answer.text
    assert shop.set_status(order["id"], SHIPPED).status_code == 200


def test_the_page_of_an_order_moves_by_itself(customer: Page, account: Caller, shop: Shop) -> None:
    order = account.place((shop.new_product(stock=5), 2))
    open_order(customer, order)
    stage(customer, "stock", "done")
    stage(customer, "shipped", "current")
    ship(shop, order, "1Z 999 AA1")
    expect(stage(customer, "shipped", "done")).to_contain_text("Tracking number 1Z 999 AA1")
    expect(customer.get_by_text("Your order is on its way to you.")).to_be_visible()
    expect(customer.get_by_text("The order went from Processing to Shipped.")).to_be_visible()
    shop.set_status(order["id"], DELIVERED)
    stage(customer, "delivered", "done")
    expect(customer.get_by_text("It was delivered, so it can no longer be cancelled.")).to_be_visible()
    expect_no_reload(customer)
    require_all(customer)


def test_the_steps_that_were_missed_appear_after_a_break(
    customer: Page, account: Caller, shop: Shop, stack: Stack, watcher: Watcher
) -> None:
    watcher.tolerated += ["WebSocket connection to", "ERR_INTERNET_DISCONNECTED"]
    order = account.place((shop.new_product(stock=5), 1))
    open_order(customer, order)
    stage(customer, "shipped", "current")
    customer.context.set_offline(True)
    expect_connection(customer, "offline")
    expect(customer.get_by_text("Offline, trying again…")).to_be_visible()
    ship(shop, order, "T-1")
    customer.context.set_offline(False)
    stage(customer, "shipped", "done")
    expect_connection(customer, "live")
    stack.kill("sockets")
    expect_connection(customer, "offline")
    shop.set_status(order["id"], DELIVERED)
    stage(customer, "delivered", "done")
    expect_connection(customer, "live")
    expect_no_reload(customer)


def test_a_declined_order_is_paid_again_and_cancelled_and_the_money_goes_back(
    customer: Page, account: Caller, shop: Shop
) -> None:
    order = account.place((shop.new_product(stock=5), 1), payment_method=CREDIT_CARD)
    account.wait_for_stock_status(order["id"], "reserved")
    open_order(customer, order)
    customer.get_by_label("is declined, not enough money").check()
    customer.get_by_role("button", name="Pay now").click()
    expect_connection(customer, "live")
    stage(customer, "payment", "failed")
    expect(customer.get_by_text("Your payment was declined. Please pay again.")).to_be_visible()
    require_accessible(customer)
    open_payment_form(customer)
    customer.get_by_label("Visa ending in 4242").check()
    customer.get_by_role("button", name="Pay now").click()
    expect_connection(customer, "live")
    stage(customer, "payment", "done")
    customer.get_by_text("Cancel this order").click()
    customer.get_by_label("Why do you cancel?").fill("Ordered twice.")
    customer.get_by_role("button", name="Yes, cancel it").click()
    expect(customer.get_by_text("Your order is cancelled.")).to_be_visible()
    expect(stage(customer, "cancelled", "failed")).to_contain_text("Ordered twice.")
    expect(stage(customer, "refund", "done")).to_contain_text("10.00 USD went back.")


def test_what_a_customer_types_stays_while_the_page_moves(
    customer: Page, account: Caller, shop: Shop
) -> None:
    order = account.place((shop.new_product(stock=5), 1))
    open_order(customer, order)
    stage(customer, "shipped", "current")
    customer.get_by_text("Cancel this order").click()
    reason = customer.get_by_label("Why do you cancel?")
    reason.fill("It takes too")
    answer = shop.staff.call("PATCH", f"orders/{order['id']}/", json={"trackingNumber": "T-9"})
    assert answer.status_code == 200
    expect(customer.get_by_text("The tracking number is T-9.")).to_be_visible(timeout=IN_TIME)
    expect(reason).to_have_value("It takes too")
    expect(reason).to_be_focused()


def test_the_list_of_orders_is_searched_and_moves_by_itself(
    customer: Page, account: Caller, shop: Shop
) -> None:
    customer.goto("/orders/")
    expect(customer.get_by_text("No orders yet")).to_be_visible()
    expect_connection(customer, "live")
    require_accessible(customer)
    short = account.place((shop.new_product(stock=1, name="Storm lamp"), 2))
    row = customer.locator(f'[data-order="{short["orderNumber"]}"]')
    expect(row).to_contain_text("Cancelled", timeout=IN_TIME)
    account.place((shop.new_product(stock=5, name="Rope"), 1))
    expect(customer.locator("[data-order]")).to_have_count(2, timeout=IN_TIME)
    require_all(customer)
    customer.get_by_role("searchbox").fill("storm")
    customer.keyboard.press("Enter")
    expect(customer.locator("[data-order]")).to_have_count(1)
    customer.get_by_role("link", name="Delivered").click()
    expect(customer.get_by_text("No order fits")).to_be_visible()
    customer.get_by_role("link", name="Show all orders").click()
    row.get_by_role("link").click()
    expect(stage(customer, "stock", "failed")).to_contain_text("Storm lamp: 2 requested, 1 available.")


def test_an_order_is_seen_and_cancelled_without_javascript(
    open_page: OpenPage, account: Caller, shop: Shop
) -> None:
    order = account.place((shop.new_product(stock=5), 1))
    page = open_page(account.name, CUSTOMER_PASSWORD, javascript=False, width=390)
    page.goto(f"/orders/{order['orderNumber']}/")
    expect(page.get_by_text("Reload the page to see what is new.")).to_be_visible()
    page.get_by_text("Cancel this order").click()
    page.get_by_role("button", name="Yes, cancel it").click()
    expect(page.get_by_text("Your order is cancelled.")).to_be_visible()
