"""Steps that several stories take on the pages, and the elements that they look at."""

import re

from playwright.sync_api import Locator, Page, expect

ORDER_PAGE = re.compile(r"/orders/SB-[0-9A-Z]{4}-[0-9A-Z]{4}/$")


def put_into_cart(page: Page, product_id: str) -> None:
    page.goto(f"/products/{product_id}/")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("heading", name="Your cart")).to_be_visible()


def enter_address(page: Page) -> None:
    page.get_by_label("Street and number").fill("1 Bridge St")
    page.get_by_label("City").fill("Stockbridge")
    page.get_by_label("Country").fill("US")


def number_of_order(page: Page) -> str:
    """The number of the order whose page is open."""
    expect(page).to_have_url(ORDER_PAGE)
    return page.url.rstrip("/").rpartition("/")[2]


def stage_of_order(page: Page, name: str, state: str) -> Locator:
    """On the page of an order, a stage that is in this state."""
    return page.locator(f'[data-stage="{name} {state}"]')


def row_on_board(page: Page, order_number: str) -> Locator:
    """On the board, the row of an order."""
    return page.get_by_role("row", name=re.compile(re.escape(order_number)))
