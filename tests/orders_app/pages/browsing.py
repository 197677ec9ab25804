"""Browsers of customers and staff, and what stands on a page."""

import html
import re
from http import HTTPStatus
from typing import Any, cast

from django.contrib.auth.models import User
from django.test import Client

from orders_app.document import OrderDocument


def browser_of(user_id: int | str) -> Client:
    """The browser of this user, who is signed in."""
    browser = Client()
    browser.force_login(User.objects.get(pk=user_id), "orders_app.accounts.backend.AccountBackend")
    return browser


def staff_browser() -> Client:
    """The browser of a person who works here."""
    user = User.objects.create_user("staff-who-looks", is_staff=True)
    return browser_of(user.pk)


def address_of(order: OrderDocument, action: str = "") -> str:
    """The path of the order's page, or of something that is done there."""
    return f"/orders/{order.order_number}/{action and f'{action}/'}"


def text_of(response: Any, status: HTTPStatus = HTTPStatus.OK) -> str:
    """What a person reads on the page, on one line, where the answer has this status."""
    assert response.status_code == status, response.content.decode()
    return words_of(response)


def words_of(response: Any) -> str:
    """What a person reads on the page, on one line, whatever the status of the answer."""
    main = cast("str", response.content.decode()).partition("<main")[2]
    return " ".join(html.unescape(re.sub(r"<script.*?</script>|<[^>]+>", " ", main, flags=re.DOTALL)).split())
