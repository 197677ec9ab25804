"""The admin of orders in a browser: what staff do with orders all day."""

import re

from playwright.sync_api import Page, expect

from devtools.driver.shop import CANCELLED, PROCESSING, Caller, Shop
from tests.browser.requirements import require_accessible, require_fits

LIST = "/admin/orders_app/order/"


def test_staff_find_an_order_ship_it_and_deliver_it(staff: Page, account: Caller, shop: Shop) -> None:
    order = account.place((shop.new_product(stock=5), 1))
    account.wait_for_status(order["id"], PROCESSING)
    staff.goto(f"{LIST}?q={order['orderNumber']}")
    staff.get_by_role("link", name=order["orderNumber"]).click()
    staff.get_by_label("Tracking number").first.fill("1Z999")
    staff.get_by_role("button", name="Mark as shipped").click()
    expect(staff.get_by_text("1 order changed.")).to_be_visible()
    staff.get_by_role("link", name="Mark as delivered…").click()
    staff.get_by_role("button", name="Mark as delivered").click()
    expect(staff.get_by_text("Delivered").first).to_be_visible()
    shown = account.order(order["id"])
    assert (shown["statusLabel"], shown["trackingNumber"]) == ("Delivered", "1Z999")


def test_several_orders_are_cancelled_for_a_reason_that_can_be_read(
    staff: Page, account: Caller, shop: Shop
) -> None:
    product = shop.new_product(stock=5)
    orders = [account.place((product, 1)) for _ in range(2)]
    for order in orders:
        account.wait_for_status(order["id"], PROCESSING)
    account.call("PATCH", f"orders/{orders[0]['id']}/cancel/")
    staff.goto(f"{LIST}?q={account.name}")
    for box in staff.locator("input.action-select").all():
        box.check()
    staff.locator("select[name=action]").select_option("cancel")
    staff.get_by_role("button", name="Run").click()
    expect(staff.get_by_text("This order stays as it is")).to_be_visible()
    reason = staff.get_by_label("Reason")
    reason.fill("The lamps broke.")
    require_accessible(staff)
    staff.get_by_role("button", name="Cancel the order").click()
    expect(staff.get_by_text(re.compile(r"1 order changed\. 1 order stayed as it was\."))).to_be_visible()
    shown = account.order(orders[1]["id"])
    assert (shown["status"], shown["cancelReason"]["detail"]) == (CANCELLED, "The lamps broke.")


def test_the_page_of_an_order_fits_a_phone_and_is_accessible(
    administrator: Page, account: Caller, shop: Shop
) -> None:
    order = account.place((shop.new_product(stock=5), 1))
    administrator.goto(f"{LIST}{order['id']}/change/")
    expect(administrator.get_by_role("heading", name=order["orderNumber"], exact=True)).to_be_visible()
    require_fits(administrator)
    require_accessible(administrator)
