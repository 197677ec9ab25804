"""The paths of the pages about orders: those of the shop, and those for staff."""

from django.urls import URLPattern, path, register_converter
from django.urls.converters import StringConverter

from orders_app.pages import (
    account_page,
    cart_page,
    checkout_page,
    orders_actions,
    orders_list,
    orders_page,
    sign_in_pages,
)
from orders_app.pages.insights.views import insights_figures, insights_page


class OrderNumber(StringConverter):
    """What an order number can be; anything else is no address of a page, a NUL for example."""

    regex = "[A-Za-z0-9-]{1,20}"


register_converter(OrderNumber, "order_number")

SHOP: list[URLPattern] = [
    path("cart/", cart_page.cart_page, name="cart"),
    path("cart/lines/<str:product_id>/", cart_page.change_line, name="cart-line"),
    path("checkout/", checkout_page.checkout_page, name="checkout"),
    path("orders/", orders_list.order_list, name="orders"),
    path("orders/<order_number:number>/", orders_page.order_page, name="order"),
    path("orders/<order_number:number>/cancel/", orders_actions.cancel_action, name="order-cancel"),
    path("orders/<order_number:number>/pay/", orders_actions.pay_action, name="order-pay"),
    path("orders/<order_number:number>/address/", orders_actions.address_action, name="order-address"),
    path("login/", sign_in_pages.sign_in_page, name="login"),
    path("logout/", sign_in_pages.sign_out_page, name="logout"),
    path("register/", sign_in_pages.registration_page, name="register"),
    path("account/", account_page.account_page, name="account"),
    path("account/names/", account_page.change_names, name="account-names"),
    path("account/email/", account_page.change_address, name="account-address"),
    path("account/mail/", account_page.change_mail, name="account-mail"),
    path("account/password/", account_page.change_own_password, name="account-password"),
    path(
        "account/password/forgotten/",
        sign_in_pages.forgotten_password_page,
        name="password-forgotten",
    ),
]
STAFF: list[URLPattern] = [
    path("insights/", insights_page, name="insights"),
    path("insights/figures/", insights_figures, name="insights-figures"),
]
