"""The page behind the link of each mail: it asks whether notifications shall be switched off.

A POST does so at once, as mail programs send it (RFC 8058): without a sign-in, a cookie or a token of a form.
A GET changes nothing, because programs that look through mails follow their links.
"""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from orders_app.mail.unsubscribing import set_notifications, user_of_token
from web.pages import public_page

TITLES = {
    "unknown": gettext_lazy("This link is not complete"),
    "asked": gettext_lazy("Switch notifications off?"),
    "off": gettext_lazy("Notifications are off"),
    "on": gettext_lazy("Notifications are on"),
}


@csrf_exempt
@public_page
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, or switch the notifications of the link's user off, or with `again` in the form on."""
    user_id = user_of_token(token)
    if user_id is None:
        return _page(request, "unknown", HTTPStatus.NOT_FOUND)
    if request.method != "POST":
        return _page(request, "asked")
    wanted = "again" in request.POST
    set_notifications(user_id=user_id, wanted=wanted)
    return _page(request, "on" if wanted else "off")


def _page(request: HttpRequest, state: str, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    context = {"state": state, "title": TITLES[state]}
    return render(request, "orders_app/unsubscribe.html", context, status=status)
