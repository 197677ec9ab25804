"""The board and the proof page, while orders come in."""

import re
import uuid

from playwright.sync_api import Page, expect

from devtools.driver.shop import PROCESSING, Caller, Shop, eventually
from devtools.stack.stack import Stack
from tests.browser.conftest import OpenPage
from tests.browser.requirements import require_all
from tests.browser.steps import row_on_board
from tests.browser.watching import Watcher

SECONDS = 30
MILLISECONDS = 1000 * SECONDS


def open_board(page: Page) -> None:
    page.goto("/board/")
    expect(page.locator("[data-connection][data-state=live]")).to_be_visible(timeout=MILLISECONDS)


def require_true_count(page: Page, shop: Shop, status: int) -> int:
    """Waits until the page counts the orders of this status as the API does; returns their number.

    Read anew each time, because orders of other stories may still move.
    """
    shown = page.locator(f"[data-status='{status}'] [data-count]")

    def is_true() -> bool:
        listed = shop.staff.call("GET", "orders/", params={"status": status}).json()["count"]
        return int(shown.inner_text().replace(",", "")) == int(listed)

    eventually(is_true, f"the board counts the orders of status {status} as the API does", SECONDS)
    return int(shown.inner_text().replace(",", ""))


def test_an_order_comes_in_on_the_board_and_moves_by_itself(staff: Page, account: Caller, shop: Shop) -> None:
    lantern = shop.new_product(stock=10)
    open_board(staff)
    order = account.place((lantern, 2))
    row = row_on_board(staff, order["orderNumber"])
    expect(row).to_contain_text("2 \N{MULTIPLICATION SIGN} Lantern", timeout=MILLISECONDS)
    expect(row).to_contain_text("20.00")
    expect(row).to_contain_text("Processing", timeout=MILLISECONDS)
    processing = require_true_count(staff, shop, PROCESSING)
    expect(row.get_by_role("link")).to_have_attribute(
        "href", f"/admin/orders_app/order/{order['id']}/change/"
    )
    waits = staff.get_by_role("row", name=re.compile("Order to be shipped"))
    expect(waits.get_by_role("link")).to_have_text(str(processing), timeout=MILLISECONDS)
    assert shop.set_status(order["id"], 3).status_code == 200
    expect(row).to_contain_text("Shipped", timeout=MILLISECONDS)


def test_after_a_break_the_board_has_the_orders_that_came_in_meanwhile(
    staff: Page, account: Caller, shop: Shop, stack: Stack, watcher: Watcher
) -> None:
    lantern = shop.new_product(stock=10)
    open_board(staff)
    watcher.tolerated.append("/ws/orders/")
    stack.restart("sockets")
    order = account.place((lantern, 1))
    expect(row_on_board(staff, order["orderNumber"])).to_contain_text("Processing", timeout=MILLISECONDS)
    expect(staff.locator("[data-connection][data-state=live]")).to_be_visible(timeout=MILLISECONDS)
    later = account.place((lantern, 1))
    expect(row_on_board(staff, later["orderNumber"])).to_contain_text("Processing", timeout=MILLISECONDS)


def test_the_list_can_be_held_and_the_counts_go_on(staff: Page, account: Caller, shop: Shop) -> None:
    lantern = shop.new_product(stock=10)
    open_board(staff)
    staff.get_by_role("button", name="Hold the list").click()
    before = require_true_count(staff, shop, PROCESSING)
    order = account.place((lantern, 1))
    account.wait_for_status(order["id"], PROCESSING)
    assert require_true_count(staff, shop, PROCESSING) > before
    expect(row_on_board(staff, order["orderNumber"])).to_have_count(0)
    staff.get_by_role("button", name="Let it run").click()
    expect(row_on_board(staff, order["orderNumber"])).to_be_visible()


def test_the_proof_page_follows_the_stock(staff: Page, account: Caller, shop: Shop) -> None:
    name = f"Lantern {uuid.uuid4().hex[:8]}"
    lantern = shop.new_product(stock=7, name=name)
    staff.goto(f"/board/proof/?q={name}")
    row = staff.get_by_role("row", name=re.compile(name))
    expect(row.get_by_role("cell")).to_have_text(["7", "0", "7", "0"], timeout=MILLISECONDS)
    account.wait_for_status(account.place((lantern, 2))["id"], 2)
    expect(row.get_by_role("cell")).to_have_text(["7", "2", "5", "0"], timeout=MILLISECONDS)
    expect(staff.get_by_text("Orders in flight")).to_be_visible()
    expect(staff.get_by_text("Time of the look:")).to_be_visible()


def test_the_proof_page_goes_on_after_an_answer_that_it_cannot_read(staff: Page) -> None:
    figures, indicator = "**/board/proof/figures/", staff.locator("[data-connection]")
    staff.goto("/board/proof/")
    expect(indicator).to_have_attribute("data-state", "live", timeout=MILLISECONDS)
    staff.route(figures, lambda route: route.fulfill(body="no figures"))
    expect(staff.get_by_text("The server does not answer")).to_be_visible(timeout=MILLISECONDS)
    staff.unroute(figures)
    expect(indicator).to_have_attribute("data-state", "live", timeout=MILLISECONDS)


def test_the_pages_are_accessible_light_and_fit_a_phone(staff: Page, account: Caller, shop: Shop) -> None:
    account.place((shop.new_product(stock=10), 1))
    for open_it in (open_board, lambda page: page.goto("/board/proof/")):
        open_it(staff)
        require_all(staff)


def test_without_scripts_the_pages_show_how_it_is(open_page: OpenPage, account: Caller, shop: Shop) -> None:
    order = account.place((shop.new_product(stock=10), 1))
    account.wait_for_status(order["id"], 2)
    page = open_page("sam", javascript=False)
    page.goto("/board/")
    expect(row_on_board(page, order["orderNumber"])).to_be_visible()
    expect(page.get_by_text("Reload the page to see what is new.")).to_be_visible()
    page.goto("/board/proof/")
    expect(page.get_by_text("Reload the page to look again.")).to_be_visible()
