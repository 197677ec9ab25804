"""The pages that links in mails about accounts open, below `/account/`."""

from django.urls import path

from orders_app.accounts.pages import ConfirmAddressPage, ResetPasswordPage
from web.page_doors import link_page
from web.pages import public_page

urlpatterns = [
    path("password/reset/", public_page(link_page(ResetPasswordPage.as_view())), name="reset-password-page"),
    path("email/confirm/", public_page(link_page(ConfirmAddressPage.as_view())), name="confirm-address-page"),
]
