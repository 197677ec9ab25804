"""Pages that people see seldom: what went wrong, the link of a mail, messages for other programs."""

import re
from http import HTTPStatus

import pytest
from django.test import RequestFactory
from playwright.sync_api import Page, expect

from devtools.driver.inbox import Inbox
from devtools.driver.shop import CUSTOMER_PASSWORD, Caller, Shop
from tests.browser.conftest import OpenPage
from tests.browser.requirements import require_accessible, require_fits
from tests.browser.watching import Watcher
from web.error_pages import WORDS, error_page

MAIN = re.compile(r"<main.*</main>", re.DOTALL)
UNSUBSCRIBE = re.compile(r"/mail/unsubscribe/\S+/")


@pytest.mark.parametrize(
    "status",
    [
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ],
)
def test_what_went_wrong_is_said_on_an_accessible_page(
    visitor: Page, watcher: Watcher, status: HTTPStatus
) -> None:
    """No story provokes these errors: what the system says of them is put into its page of another error."""
    frame = visitor.request.get("/nowhere/").text()
    said = MAIN.search(error_page(RequestFactory().get("/cart/"), status).content.decode())
    assert said
    body = MAIN.sub(lambda _: said[0], frame)
    visitor.route("**/cart/", lambda route: route.fulfill(status=status, content_type="text/html", body=body))
    watcher.tolerated.append(f"status of {int(status)}")
    visitor.goto("/cart/")
    expect(visitor.get_by_role("heading", level=1)).to_have_text(str(WORDS[status].title))
    require_accessible(visitor)
    require_fits(visitor)


def test_a_customer_wants_no_more_mails_by_the_link_of_one(
    visitor: Page, account: Caller, shop: Shop, inbox: Inbox
) -> None:
    order = account.place((shop.new_product(stock=5), 1))
    mail = inbox.wait_for(order["orderNumber"])[0]
    link = UNSUBSCRIBE.search(mail.headers["List-Unsubscribe"].rstrip(">"))
    assert link
    visitor.goto(link[0])
    require_accessible(visitor)
    require_fits(visitor)
    visitor.get_by_role("button", name="Switch notifications off").click()
    expect(visitor.get_by_role("heading", name="Notifications are off")).to_be_visible()
    require_accessible(visitor)
    assert not account.call("GET", "auth/me/").json()["mailNotifications"]


def test_the_page_about_all_messages_is_accessible_and_fits_a_phone(visitor: Page) -> None:
    visitor.goto("/api/events/")
    expect(visitor.get_by_text("inventory.reserve").first).to_be_visible()
    require_accessible(visitor)
    require_fits(visitor)


def test_days_are_written_alike_by_the_server_and_by_the_script(
    open_page: OpenPage, account: Caller, shop: Shop
) -> None:
    account.place((shop.new_product(stock=5), 1))
    for language in ("de-DE", "en-US"):
        page = open_page(account.name, CUSTOMER_PASSWORD, language=language)
        page.goto("/orders/")
        by_script = page.locator("time").first.inner_text()
        again = page.goto("/orders/")
        assert again
        assert again.text().count(f">{by_script}</time>") == 1
