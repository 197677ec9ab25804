"""The front door and the page of a product, in a browser."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.requirements import require_accessible, require_all, require_fits
from tests.browser.watching import Watcher


def test_a_visitor_finds_a_product_and_puts_it_into_the_cart(visitor: Page) -> None:
    visitor.goto("/")
    # At least those of the demo: other stories add some.
    expect(visitor.get_by_text(re.compile(r"^[2-9]\d products$"))).to_be_visible()
    require_all(visitor)
    visitor.get_by_role("link", name="Kitchen").click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Kitchen")
    visitor.get_by_label("Search the shop").fill("mug")
    visitor.get_by_role("button", name="Show").click()
    visitor.get_by_role("link", name=re.compile("Stoneware Mug")).click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Stoneware Mug, Set of 4")
    expect(visitor.get_by_text("38.00 USD")).to_be_visible()
    require_all(visitor)
    visitor.get_by_label("Quantity").fill("2")
    visitor.get_by_role("button", name="Add to cart").click()
    expect(visitor).to_have_url(re.compile("/cart/$"))
    expect(visitor.locator(".cart-link .count")).to_contain_text("2")


def test_the_shop_works_without_javascript_and_tells_what_is_wrong_in_a_filter(open_page: OpenPage) -> None:
    page = open_page(javascript=False)
    page.goto("/?min_price=cheap")
    expect(page.get_by_text("Enter a number.")).to_be_visible()
    page.get_by_label("Price from").fill("100")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="Two-person Tent")).to_be_visible()
    expect(page.get_by_role("link", name="Storm Lantern")).to_have_count(0)


def test_a_person_goes_through_the_shop_by_keyboard_in_german(visitor: Page) -> None:
    visitor.goto("/")
    visitor.keyboard.press("Tab")
    expect(visitor.get_by_role("link", name="Skip to the content")).to_be_focused()
    visitor.keyboard.press("Enter")
    expect(visitor.locator("#content")).to_be_focused()
    visitor.get_by_role("button", name="Deutsch").press("Enter")
    expect(visitor.locator("html")).to_have_attribute("lang", "de")


def test_pages_for_errors_are_accessible_and_lead_back(visitor: Page, customer: Page) -> None:
    visitor.goto("/nowhere/")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("There is nothing at this address")
    require_accessible(visitor)
    require_fits(visitor)
    customer.goto("/insights/")
    expect(customer.get_by_role("heading", level=1)).to_have_text("This page is not for your account")
    require_accessible(customer)
    customer.get_by_role("link", name="Go to the shop").click()
    expect(customer.get_by_role("heading", level=1)).to_have_text("Everything in the shop")


def test_a_page_says_that_it_is_offline(visitor: Page, watcher: Watcher) -> None:
    watcher.tolerated.append("ERR_INTERNET_DISCONNECTED")
    visitor.goto("/")
    bar = visitor.get_by_text("You are offline.")
    expect(bar).to_be_hidden()
    visitor.context.set_offline(True)
    expect(bar).to_be_visible()
    visitor.context.set_offline(False)
    expect(bar).to_be_hidden()
