"""The admin's start page, and the work of the warehouse with products and stock."""

import re

from playwright.sync_api import Page, expect

from tests.browser.requirements import require_accessible, require_fits

PRODUCT = "Storm Lantern"


def open_product(page: Page) -> None:
    """From the start page over the search to the stock of a product."""
    page.goto("/admin/")
    page.get_by_role("link", name="Products and stock").click()
    page.get_by_label("Search", exact=True).fill("lantern")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=PRODUCT).click()
    expect(page.get_by_role("heading", name=PRODUCT)).to_be_visible()


def work(page: Page, name: str, pieces: str, reason: str) -> None:
    form = page.get_by_role("region", name=name)
    form.get_by_label("Pieces").fill(pieces)
    form.get_by_label("Reason").fill(reason)
    form.get_by_role("button").click()


def test_a_delivery_is_received_and_a_mistake_is_said_beside_its_field(staff: Page) -> None:
    open_product(staff)
    shown = staff.locator(".sb-figures dd").first
    before = int(re.findall(r"\d+", shown.inner_text())[0])
    work(staff, "Receive a delivery", "12", "Delivery 4711")
    expect(staff.get_by_text(f"+12 received: {before + 12} in stock now.")).to_be_visible()
    newest = staff.locator(".sb-table tbody tr").first
    expect(newest).to_contain_text("Delivery 4711")
    expect(newest).to_contain_text("sam")
    work(staff, "Adjust the stock", "-99999", "Lost")
    wrong = staff.get_by_role("region", name="Adjust the stock").get_by_label("Pieces")
    expect(staff.get_by_text(f"{before + 12} are in stock.")).to_be_visible()
    # Chromium does not always obey it beside other windows, so the focus itself is no promise of ours.
    expect(wrong).to_have_attribute("autofocus", "")
    expect(wrong).to_have_value("-99999")
    require_accessible(staff)
    require_fits(staff)


def test_a_change_of_the_price_is_in_the_shop_at_once(administrator: Page) -> None:
    open_product(administrator)
    administrator.get_by_role("link", name="Edit", exact=True).click()
    require_accessible(administrator)
    require_fits(administrator)
    administrator.get_by_label("Price").fill("33.50")
    administrator.get_by_role("button", name="Save").click()
    expect(administrator.get_by_text("Changed: Price.")).to_be_visible()
    administrator.get_by_role("link", name="See it in the shop").click()
    expect(administrator.get_by_text("33.50").first).to_be_visible()


def test_start_page_list_and_holds_are_for_everybody(administrator: Page) -> None:
    administrator.goto("/admin/")
    expect(administrator.get_by_role("heading", name="What waits")).to_be_visible()
    require_accessible(administrator)
    require_fits(administrator)
    administrator.get_by_role("link", name="Products sold out").click()
    expect(administrator.get_by_label("Stock", exact=True)).to_have_value("out")
    administrator.goto("/admin/products_app/product/")
    require_accessible(administrator)
    require_fits(administrator)
    administrator.locator(".sb-table tbody th a").first.click()
    administrator.get_by_role("link", name="Orders that hold it").click()
    require_accessible(administrator)
    require_fits(administrator)
