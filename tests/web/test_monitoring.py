"""The callers that may read the metrics and the errors of the servers, and the answer to all others."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kafka", "mongodb")]

TOKEN = "monitor-" * 5
OTHER_ADDRESS = "203.0.113.9"


def seen(browser: Client | None = None, **how: Any) -> tuple[bool, bool]:
    """Whether the answer has the metrics, and whether it has the details of readiness."""
    browser = browser or Client()
    figures, ready = browser.get("/metrics", **how), browser.get("/health/ready", **how)
    assert ready.status_code == 200
    assert ready.json()["status"] == "ready"
    assert figures.status_code in {200, 403}
    assert ("stockbridge_" in figures.content.decode()) is (figures.status_code == 200)
    return figures.status_code == 200, "dependencies" in ready.json()


NOTHING, ALL = (False, False), (True, True)


def test_this_machine_sees_the_monitoring_and_other_addresses_do_not() -> None:
    assert seen(REMOTE_ADDR="127.0.0.1") == seen(REMOTE_ADDR="::1") == ALL
    assert seen(REMOTE_ADDR=OTHER_ADDRESS) == NOTHING


def test_a_request_through_a_local_proxy_is_not_from_this_machine() -> None:
    assert seen(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=OTHER_ADDRESS) == NOTHING
    assert seen(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="127.0.0.1") == NOTHING


def test_a_client_cannot_forge_its_address_with_a_header() -> None:
    assert seen(REMOTE_ADDR=OTHER_ADDRESS, HTTP_X_FORWARDED_FOR="127.0.0.1") == NOTHING


@override_settings(MONITOR_ADDRESSES=["203.0.113.0/24"])
def test_addresses_in_the_settings_see_the_monitoring() -> None:
    assert seen(REMOTE_ADDR=OTHER_ADDRESS) == ALL
    assert seen(REMOTE_ADDR="127.0.0.1") == NOTHING


@override_settings(MONITOR_TOKEN=TOKEN)
def test_only_the_token_in_the_settings_sees_the_monitoring() -> None:
    assert seen(REMOTE_ADDR=OTHER_ADDRESS, HTTP_AUTHORIZATION=f"Bearer {TOKEN}") == ALL
    assert seen(REMOTE_ADDR=OTHER_ADDRESS, HTTP_AUTHORIZATION=f"Bearer {TOKEN[:-1]}") == NOTHING


@override_settings(MONITOR_TOKEN=TOKEN, MONITOR_TOKEN_FALLBACKS=["earlier-" * 5])
def test_while_the_token_is_replaced_both_see_the_monitoring() -> None:
    for token in (TOKEN, "earlier-" * 5):
        assert seen(REMOTE_ADDR=OTHER_ADDRESS, HTTP_AUTHORIZATION=f"Bearer {token}") == ALL


def test_without_a_token_in_the_settings_no_token_is_accepted() -> None:
    assert seen(REMOTE_ADDR=OTHER_ADDRESS, HTTP_AUTHORIZATION="Bearer ") == NOTHING


@pytest.mark.parametrize("is_staff", [True, False])
def test_staff_in_a_browser_see_the_monitoring_and_customers_do_not(is_staff: bool) -> None:
    browser = Client()
    browser.force_login(User.objects.create_user("walter", is_staff=is_staff))
    assert seen(browser, REMOTE_ADDR=OTHER_ADDRESS) == (ALL if is_staff else NOTHING)
