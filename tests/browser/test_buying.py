"""Buying in the shop: from a product's page to an order, and being told what has gone meanwhile."""

from uuid import uuid4

from playwright.sync_api import Page, expect

from devtools.driver.shop import CREDIT_CARD, CUSTOMER_PASSWORD, Caller, Shop
from tests.browser.conftest import OpenPage
from tests.browser.requirements import require_accessible, require_all
from tests.browser.steps import enter_address, number_of_order, put_into_cart

PASSWORD = "kettle-orchard-9"


def test_of_two_who_want_the_last_piece_one_buys_it_and_the_other_is_told(
    visitor: Page, customer: Page, shop: Shop
) -> None:
    lantern = shop.new_product(stock=1)
    put_into_cart(customer, lantern)
    customer.get_by_role("link", name="Go to the checkout").click()
    enter_address(customer)

    put_into_cart(visitor, lantern)
    visitor.get_by_role("link", name="Go to the checkout").click()
    visitor.get_by_role("link", name="Make an account").click()
    name = f"zoe-{uuid4().hex[:8]}"
    visitor.get_by_label("User name").fill(name)
    visitor.get_by_label("E-mail address").fill(f"{name}@example.com")
    visitor.get_by_label("Password").fill(PASSWORD)
    visitor.get_by_role("button", name="Make the account").click()
    expect(visitor.get_by_text("Welcome. Your account is ready.")).to_be_visible()
    visitor.get_by_role("button", name="Place the order").click()
    expect(visitor.get_by_label("Street and number")).to_be_focused()
    expect(visitor.get_by_text("This field is required.").first).to_be_visible()
    enter_address(visitor)
    visitor.get_by_label("Visa ending in 4242").check()
    visitor.get_by_role("button", name="Place the order").click()
    number_of_order(visitor)
    expect(visitor.get_by_text("is placed.").first).to_be_visible()
    shop.wait_for_stock(lantern, 0)

    customer.get_by_role("button", name="Place the order").click()
    expect(customer.get_by_text("This has been sold out meanwhile.")).to_be_visible()
    expect(customer.get_by_role("link", name="Go to the checkout")).to_have_count(0)
    customer.get_by_role("button", name="Take out").click()
    expect(customer.get_by_text("Your cart is empty")).to_be_visible()


def test_a_customer_buys_without_javascript_and_by_keyboard(open_page: OpenPage, shop: Shop) -> None:
    lantern, buyer = shop.new_product(stock=5), shop.new_customer()
    page = open_page(buyer.name, CUSTOMER_PASSWORD, width=390, javascript=False)
    put_into_cart(page, lantern)
    page.get_by_role("button", name="One piece more").click()
    quantity = page.get_by_role("spinbutton")
    expect(quantity).to_have_value("2")
    quantity.fill("3")
    quantity.press("Enter")
    expect(quantity).to_have_value("3")
    page.get_by_role("link", name="Go to the checkout").press("Enter")
    enter_address(page)
    page.get_by_label("Cash on delivery").check()
    expect(page.get_by_text("Visa ending in 4242")).to_be_hidden()
    page.get_by_role("button", name="Place the order").press("Enter")
    number = number_of_order(page)
    [order] = buyer.call("GET", "orders/").json()["results"]
    assert (order["orderNumber"], order["items"][0]["quantity"]) == (number, 3)


def test_a_double_click_places_one_order(customer: Page, account: Caller, shop: Shop) -> None:
    put_into_cart(customer, shop.new_product(stock=5))
    customer.get_by_role("link", name="Go to the checkout").click()
    enter_address(customer)
    customer.get_by_role("button", name="Place the order").dblclick()
    number_of_order(customer)
    [order] = account.call("GET", "orders/").json()["results"]
    assert order["paymentMethod"] == CREDIT_CARD


def test_the_pages_of_buying_are_light_and_accessible(customer: Page, visitor: Page, shop: Shop) -> None:
    scarce = shop.new_product(stock=2)
    put_into_cart(
        customer, shop.new_product(stock=5, name="A lantern with a name that is long enough to break")
    )
    put_into_cart(customer, scarce)
    for path in ("/checkout/", "/account/"):
        customer.goto(path)
        require_all(customer)
    customer.get_by_label("Current password").fill("wrong")
    customer.get_by_role("button", name="Change the password").click()
    require_accessible(customer)
    customer.goto("/cart/")
    customer.get_by_role("spinbutton").last.fill("3")
    customer.get_by_role("spinbutton").last.press("Enter")
    expect(customer.get_by_text("Only 2 pieces are left.")).to_be_visible()
    require_all(customer)
    for path in ("/cart/", "/login/", "/register/", "/account/password/forgotten/"):
        visitor.goto(path)
        require_all(visitor)
