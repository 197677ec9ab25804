"""The pages that links in mails open. They act when a button is pressed, since programs follow links too."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy
from django.views.generic import FormView

from orders_app.accounts.links import (
    MAX_LINK_TOKEN,
    MAX_UID,
    InvalidLink,
    user_of_confirmation,
    user_of_reset,
)
from orders_app.accounts.own_account import confirm_address
from orders_app.accounts.password_reset import reset_password
from orders_app.accounts.serializers import MAX_PASSWORD
from web.no_store import forbid_storing


class LinkForm(forms.Form):
    """What is in the link."""

    uid = forms.CharField(max_length=MAX_UID, widget=forms.HiddenInput)
    token = forms.CharField(max_length=MAX_LINK_TOKEN, widget=forms.HiddenInput)


class ResetForm(LinkForm):
    """The same, and the new password."""

    new_password = forms.CharField(
        label=gettext_lazy("New password"),
        max_length=MAX_PASSWORD,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password", "autofocus": True}),
    )


class LinkPage(FormView):  # type: ignore[type-arg]  # not generic at run time
    """Shows a form, and does what the link is for when it is sent."""

    template_name = "account/link.html"
    form_class: type[LinkForm] = LinkForm
    extra_context: dict[str, Any]
    done: Promise
    """What the page says when the link was followed."""
    afterwards: tuple[str, Promise]
    """The name and the label of the page on which one goes on then."""
    another: tuple[str, Promise]
    """The same of the page on which one asks for another link."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The page, which nobody on its way may keep: its address has the token."""
        response = super().dispatch(request, *args, **kwargs)
        forbid_storing(response)
        return response

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The form; or, where the link is void, a sentence that says so."""
        try:
            self.find_user(request.GET.get("uid", ""), request.GET.get("token", ""))
        except InvalidLink as error:
            return self._end(gettext(error.sentence), self.another)
        return super().get(request, *args, **kwargs)

    def get_initial(self) -> dict[str, Any]:
        """What is in the link."""
        return {name: self.request.GET.get(name, "") for name in ("uid", "token")}

    def form_valid(self, form: LinkForm) -> HttpResponse:
        """Say that it is done; or why it is not, with the form where that helps."""
        try:
            self.follow(form.cleaned_data)
        except InvalidLink as error:
            return self._end(gettext(error.sentence), self.another)
        except ValidationError as error:
            form.add_error("new_password" if "new_password" in form.fields else None, error)
        else:
            return self._end(self.done, self.afterwards)
        return self.form_invalid(form)

    def form_invalid(self, form: LinkForm) -> HttpResponse:
        """The form again; or the sentence, where a part of the link is missing."""
        if {"uid", "token"} & form.errors.keys():
            return self._end(gettext(InvalidLink.sentence), self.another)
        return super().form_invalid(form)

    def _end(self, sentence: str | Promise, next_step: tuple[str, Promise]) -> HttpResponse:
        """The page without its form."""
        context = self.get_context_data(form=None, sentence=sentence, next_steps=[next_step])
        return self.render_to_response(context)

    def find_user(self, uid: str, token: str) -> User:
        """The user of the link. Raises InvalidLink."""
        raise NotImplementedError

    def follow(self, link: dict[str, Any]) -> None:
        """Do what the link is for. Raises InvalidLink, and ValidationError for another reason."""
        raise NotImplementedError


class ResetPasswordPage(LinkPage):
    """Sets a new password."""

    form_class = ResetForm
    extra_context: dict[str, Any] = {  # noqa: RUF012 - as Django declares it
        "title": gettext_lazy("Set a new password"),
        "button": gettext_lazy("Set the password"),
    }
    done = gettext_lazy("Your password has been changed, and you are signed out everywhere.")
    afterwards = ("shop:login", gettext_lazy("Sign in"))
    another = ("shop:password-forgotten", gettext_lazy("Ask for another link"))

    def find_user(self, uid: str, token: str) -> User:
        """The user of the link. Raises InvalidLink."""
        return user_of_reset(uid, token)

    def follow(self, link: dict[str, Any]) -> None:
        """Set the password. Raises InvalidLink and ValidationError."""
        reset_password(uid=link["uid"], token=link["token"], password=link["new_password"])


class ConfirmAddressPage(LinkPage):
    """Confirms a new mail address."""

    extra_context: dict[str, Any] = {  # noqa: RUF012
        "title": gettext_lazy("Confirm your e-mail address"),
        "button": gettext_lazy("Confirm"),
    }
    done = gettext_lazy("Your e-mail address is confirmed.")
    afterwards = another = ("shop:account", gettext_lazy("Go to your account"))

    def find_user(self, uid: str, token: str) -> User:
        """The user of the link. Raises InvalidLink."""
        return user_of_confirmation(uid, token)

    def follow(self, link: dict[str, Any]) -> None:
        """Confirm the address. Raises InvalidLink and ValidationError."""
        confirm_address(uid=link["uid"], token=link["token"])
