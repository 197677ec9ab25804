"""Pages that everybody may open."""

from playwright.sync_api import Page, expect

from devtools.driver.shop import DEMO_PASSWORD
from tests.browser.requirements import require_fits


def test_staff_sign_in_to_the_admin_and_see_its_start_page(visitor: Page) -> None:
    visitor.goto("/admin/login/?next=/admin/")
    visitor.get_by_label("Username").fill("sam")
    visitor.get_by_label("Password").fill("wrong")
    visitor.get_by_role("button", name="Log in").click()
    expect(visitor.get_by_text("Please enter the correct username and password")).to_be_visible()
    visitor.get_by_label("Password").fill(DEMO_PASSWORD)
    visitor.get_by_role("button", name="Log in").click()
    expect(visitor).to_have_url("/admin/")
    require_fits(visitor)


def test_the_documentation_of_the_api_is_open_to_all(visitor: Page) -> None:
    visitor.goto("/api/docs/")
    expect(visitor.get_by_text("/api/v1/orders/").first).to_be_visible()
