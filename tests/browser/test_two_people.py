"""A customer and a member of staff, each in a browser, and killed workers: each sees what the other does."""

from playwright.sync_api import Page, expect

from devtools.driver.inbox import Inbox
from devtools.driver.shop import Caller, Shop
from devtools.stack.stack import Stack
from tests.browser.steps import enter_address, number_of_order, put_into_cart, row_on_board, stage_of_order
from tests.browser.watching import Watcher

MILLISECONDS = 30_000
"""How long a page may take to show what a killed worker was about to do."""


def buy(page: Page, product: str) -> str:
    """Buys a piece by card, on the pages of the shop; the number of the order."""
    put_into_cart(page, product)
    page.get_by_role("link", name="Go to the checkout").click()
    enter_address(page)
    page.get_by_label("Visa ending in 4242").check()
    page.get_by_role("button", name="Place the order").click()
    return number_of_order(page)


def expect_done(page: Page, stage: str) -> None:
    expect(stage_of_order(page, stage, "done")).to_be_visible(timeout=MILLISECONDS)


def expect_on_board(page: Page, number: str, status: str) -> None:
    expect(row_on_board(page, number)).to_contain_text(status, timeout=MILLISECONDS)


def test_an_order_comes_from_the_shop_to_the_door_though_workers_are_killed_on_its_way(  # noqa: PLR0917
    customer: Page, staff: Page, account: Caller, shop: Shop, stack: Stack, inbox: Inbox, watcher: Watcher
) -> None:
    product = shop.new_product(stock=3, price="12.50")
    staff.goto("/board/")
    expect(staff.locator("[data-connection][data-state=live]")).to_be_visible(timeout=MILLISECONDS)

    stack.kill("inventory")
    stack.kill("order")
    number = buy(customer, product)
    expect_on_board(staff, number, "Pending")
    for stage in ("stock", "payment"):
        expect_done(customer, stage)
    expect_on_board(staff, number, "Processing")
    [order] = account.call("GET", "orders/").json()["results"]

    stack.kill("relay")
    ship(staff, order["id"], "1Z 4711")
    expect_done(customer, "shipped")
    expect(stage_of_order(customer, "shipped", "done")).to_contain_text("1Z 4711")

    watcher.tolerated.append("WebSocket connection to")
    stack.kill("sockets")
    staff.get_by_role("link", name="Mark as delivered…").click()
    staff.get_by_role("button", name="Mark as delivered").click()
    expect(staff.get_by_text("Delivered").first).to_be_visible()
    expect_done(customer, "delivered")

    staff.goto("/board/")
    expect_on_board(staff, number, "Delivered")
    told = [mail.subject.partition(": ")[2] for mail in inbox.wait_for(order["id"], count=4, seconds=30)]
    assert len(told) == len(set(told)) == 4, told
    assert shop.product(product)["stock"] == 2


def ship(staff: Page, order_id: str, tracking_number: str) -> None:
    staff.goto(f"/admin/orders_app/order/{order_id}/change/")
    staff.get_by_label("Tracking number").first.fill(tracking_number)
    staff.get_by_role("button", name="Mark as shipped").click()
    expect(staff.get_by_text("1 order changed.")).to_be_visible()
