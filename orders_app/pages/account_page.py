"""The page of one's own account: names, mail address, mails, password. Each part is a form of its own."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views import View
from django.views.decorators.http import require_safe
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from orders_app.accounts.own_account import change_account, needs_confirmation
from orders_app.accounts.passwords import change_password
from orders_app.accounts.throttles import AccountMailThrottle, MailAddressThrottle
from orders_app.api.access import user_id
from orders_app.models import MailAddressChange, MailPreference
from orders_app.pages.account_forms import MailAddressForm, MailForm, NamesForm, NewPasswordForm
from web.page_doors import own_password_page
from web.pages import signed_in_page
from web.throttles import require_unthrottled


@signed_in_page
@require_safe
def account_page(request: HttpRequest) -> HttpResponse:
    """Show the account."""
    return _show(request, {})


class AccountPart(View):
    """The form of a part of the account; it is shown on the page of the whole account."""

    part: str

    def form(self, user: User) -> forms.Form:
        """The form with what was sent."""
        raise NotImplementedError

    def store(self, user: User, form: Any) -> str:
        """Do what a valid form asks for; the sentence that tells it. Raises Throttled.

        A form that has an error afterwards was not stored.
        """
        raise NotImplementedError

    def get(self, request: HttpRequest) -> HttpResponse:
        """To the page on which the form is."""
        return redirect("shop:account")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store what was sent, or show what is wrong with it."""
        user = User.objects.get(pk=user_id(request.user))
        form, status = self.form(user), HTTPStatus.UNPROCESSABLE_ENTITY
        try:
            sentence = self.store(user, form) if form.is_valid() else ""
        except Throttled as refusal:
            form.add_error(None, str(refusal.detail))
            status = HTTPStatus.TOO_MANY_REQUESTS
        if form.errors:
            return _show(request, {self.part: form}, status)
        messages.success(request, sentence)
        return redirect("shop:account")


class NamesPart(AccountPart):
    """User name and personal names."""

    part = "names"

    def form(self, user: User) -> NamesForm:
        """The names that were sent."""
        return NamesForm(user, self.request.POST)

    def store(self, user: User, form: NamesForm) -> str:
        """Store them."""
        form.save()
        return gettext("Your names are saved.")


class MailAddressPart(AccountPart):
    """The mail address; another one counts once a mail to it has been confirmed."""

    part = "address"

    def form(self, user: User) -> MailAddressForm:
        """The address that was sent."""
        return MailAddressForm(user, self.request.POST)

    def store(self, user: User, form: MailAddressForm) -> str:
        """Ask for another address to be confirmed, or give up the one that was asked for."""
        address = form.body.validated_data["email"]
        is_other = needs_confirmation(user, address)
        if is_other:
            throttles = (AccountMailThrottle, MailAddressThrottle)
            require_unthrottled(cast("Request", self.request), throttles)
        form.save()
        sentence = (
            gettext("A mail is on its way to %(address)s. Open the link in it to confirm the address.")
            if is_other
            else gettext("Your e-mail address stays %(address)s.")
        )
        return sentence % {"address": address}


class MailPart(AccountPart):
    """Which mail is wanted, and how it is written."""

    part = "mail"

    def form(self, user: User) -> MailForm:
        """The preferences that were sent."""
        return MailForm(self.request.POST)

    def store(self, user: User, form: MailForm) -> str:
        """Store them."""
        change_account(user=user, names={}, mail=form.cleaned_data, address=None)
        return gettext("Your wishes about mail are saved.")


class PasswordPart(AccountPart):
    """The password."""

    part = "password"

    def form(self, user: User) -> NewPasswordForm:
        """Both passwords that were sent."""
        return NewPasswordForm(user, self.request.POST, request=self.request)

    def store(self, user: User, form: NewPasswordForm) -> str:
        """Change it, which ends all other sign-ins."""
        change_password(user=user, password=form.cleaned_data["new_password"])
        update_session_auth_hash(self.request, user)
        return gettext("Your password is changed, and you are signed out everywhere else.")


def _show(
    request: HttpRequest, sent: Mapping[str, forms.Form], status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    """The page, with the form that was sent in the place of the stored one."""
    user = User.objects.select_related("mail_preference", "mail_address_change").get(pk=user_id(request.user))
    change: MailAddressChange | None = getattr(user, "mail_address_change", None)
    context = {
        "account": user,
        "pending_address": change.address if change else "",
        "forms": {**_stored_forms(user), **sent},
    }
    return render(request, "orders_app/account.html", context, status=status)


def _stored_forms(user: User) -> dict[str, forms.Form]:
    preference: MailPreference = getattr(user, "mail_preference", None) or MailPreference()
    return {
        "names": NamesForm(user, initial={name: getattr(user, name) for name in NamesForm.names}),
        "address": MailAddressForm(user, initial={"email": user.email}),
        "mail": MailForm(initial={name: getattr(preference, name) for name in MailForm.base_fields}),
        "password": NewPasswordForm(user),
    }


change_names = signed_in_page(NamesPart.as_view())
change_address = signed_in_page(MailAddressPart.as_view())
change_mail = signed_in_page(MailPart.as_view())
change_own_password = signed_in_page(own_password_page(PasswordPart.as_view()))
