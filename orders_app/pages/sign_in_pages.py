"""The pages to sign in, to sign out, to register, and for a forgotten password."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.contrib.auth.views import LoginView, LogoutView, RedirectURLMixin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.generic import FormView

from orders_app.accounts.password_reset import request_reset
from orders_app.accounts.throttles import AccountMailThrottle, MailAddressThrottle
from orders_app.pages.account_forms import ForgottenPasswordForm, RegistrationForm, SignInForm
from web import page_doors
from web.page_doors import limited_page, name_page
from web.pages import public_page
from web.throttles import LoginThrottle

BACKEND = "orders_app.accounts.backend.AccountBackend"


class SignInPage(LoginView):
    """Signs in by user name and password, then goes back to where the visitor came from."""

    template_name = "orders_app/sign_in.html"
    authentication_form = SignInForm
    next_page = "shop:front"

    @property
    def redirect_authenticated_user(self) -> bool:  # type: ignore[override]  # Django only reads it
        """Whether visitors who are signed in are sent on: not those who ask for `another` account."""
        return "another" not in self.request.GET

    def get_redirect_url(self) -> str:  # type: ignore[override]  # Django calls it without a request
        """Where the visitor came from; nowhere if that is this page, which would lead to itself."""
        url: str = super().get_redirect_url()
        return "" if urlsplit(url).path == self.request.path else url

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The form; in the demo also the names to sign in with."""
        return super().get_context_data(**kwargs) | {"is_demo": settings.DEMO}

    def form_invalid(self, form: Any) -> HttpResponse:
        """The form again; 429 after too many wrong passwords."""
        is_locked_out = getattr(self.request, "axes_locked_out", False)
        status = HTTPStatus.TOO_MANY_REQUESTS if is_locked_out else HTTPStatus.UNPROCESSABLE_ENTITY
        return self.render_to_response(self.get_context_data(form=form), status=status)


class SignOutPage(LogoutView):
    """Ends the session, and with it the cart."""

    http_method_names = ["post", "options"]  # noqa: RUF012 - as Django declares it

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sign out, and say so on the next page."""
        super().post(request, *args, **kwargs)
        messages.success(request, gettext("You are signed out."))
        return redirect("shop:front")


class RegistrationPage(RedirectURLMixin, FormView):  # type: ignore[type-arg]  # not generic at run time
    """Makes an account, and signs its customer in."""

    template_name = "orders_app/register.html"
    form_class = RegistrationForm
    next_page = "shop:front"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The page; visitors who are signed in are sent on, for they have an account."""
        if request.user.is_authenticated:
            return redirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The form, with where the customer goes on."""
        return super().get_context_data(**kwargs) | {REDIRECT_FIELD_NAME: self.get_redirect_url()}

    def form_valid(self, form: RegistrationForm) -> HttpResponse:
        """Store the customer, unless the name has been taken meanwhile."""
        user = form.save()
        if user is None:
            return self.form_invalid(form)
        login(self.request, user, BACKEND)
        messages.success(self.request, gettext("Welcome. Your account is ready."))
        return redirect(self.get_success_url())

    def form_invalid(self, form: RegistrationForm) -> HttpResponse:
        """The form again, with what is wrong."""
        context = self.get_context_data(form=form)
        return self.render_to_response(context, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _forgotten_password(request: HttpRequest) -> HttpResponse:
    """Have a link to a new password sent; the answer does not tell whether there is such an account."""
    form = ForgottenPasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        request_reset(address=form.cleaned_data["email"])
        return redirect(f"{reverse('shop:password-forgotten')}?sent")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    context = {"form": form, "is_sent": "sent" in request.GET}
    return render(request, "orders_app/password_forgotten.html", context, status=status)


sign_in_page = public_page(name_page(SignInPage.as_view()))
sign_out_page = public_page(SignOutPage.as_view())
registration_page = public_page(page_doors.registration_page(never_cache(RegistrationPage.as_view())))
forgotten_password_page = public_page(
    limited_page(_forgotten_password, LoginThrottle, AccountMailThrottle, MailAddressThrottle)
)
