"""A web process learns that a sign-in has ended, and then refuses its access tokens."""

import urllib.error
import urllib.request

import pytest
from django.contrib.auth.models import User

from devtools.driver.shop import eventually
from orders_app.accounts.sign_ins import end_sign_in, start_sign_in

pytestmark = pytest.mark.django_db(transaction=True)

PROMPTLY = 3.0
"""Seconds, as the documents promise."""


def status(url: str, tokens: dict[str, str]) -> int:
    request = urllib.request.Request(
        f"{url}/api/v1/orders/", headers={"Authorization": f"bearer {tokens['access']}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_a_web_process_refuses_an_ended_sign_in_and_no_other(web_url: str) -> None:
    walter = User.objects.create_user("walter")
    phone, laptop = start_sign_in(user=walter), start_sign_in(user=walter)
    assert [status(web_url, tokens) for tokens in (phone, laptop)] == [200, 200]
    end_sign_in(refresh_token=phone["refresh"])
    eventually(lambda: status(web_url, phone) == 401, "the web process knows of the end", PROMPTLY)
    assert status(web_url, laptop) == 200
    User.objects.filter(pk=walter.pk).update(is_active=False)
    eventually(lambda: status(web_url, laptop) == 401, "the web process knows of the end", PROMPTLY)
