"""The paths of the pages about orders: those of the shop, and those for staff."""

from django.urls import URLPattern, path

from orders_app.pages import account_page, cart_page, checkout_page, sign_in_pages
from orders_app.pages.insights.views import insights_figures, insights_page

SHOP: list[URLPattern] = [
    path("cart/", cart_page.cart_page, name="cart"),
    path("cart/lines/<str:product_id>/", cart_page.change_line, name="cart-line"),
    path("checkout/", checkout_page.checkout_page, name="checkout"),
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
