"""Service keys: the actions that a key allows, its expiry, and that its secret is shown once."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from products_app.admin.service_key_admin import ServiceKeyAdmin
from products_app.models import ROTATION_OVERLAP, ServiceKey
from tests.products_app.api.callers import PRODUCTS, error_of
from tests.products_app.product_stock import entry_of, new_order, stock_of, stocked
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db(transaction=True)  # the key lookup uses another connection

LIST = reverse("admin:products_app_servicekey_changelist")
ADD = reverse("admin:products_app_servicekey_add")


@pytest.fixture
def clerk() -> Client:
    """The browser of a member of staff who manages the keys."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__endswith="_servicekey"))
    browser = Client()
    browser.force_login(user)
    return browser


def use(secret: str, action: str, lamp: str, order: str) -> Any:
    client = WsgiClient(HTTP_AUTHORIZATION=f"Api-Key {secret}")
    return client.post(f"{PRODUCTS}{lamp}/{action}/", {"quantity": 1, "orderId": order})


def is_accepted(secret: str) -> bool:
    return bool(use(secret, "reserve", stocked(3), new_order()).status_code == 200)


def act(browser: Client, action: str, *keys: ServiceKey) -> Any:
    return browser.post(LIST, {"action": action, "_selected_action": [key.pk for key in keys]}, follow=True)


def audit(key: ServiceKey) -> list[str]:
    return [str(entry) for entry in LogEntry.objects.filter(object_id=key.pk).order_by("pk")]


@pytest.mark.parametrize(("right", "other"), [("reserve", "release"), ("release", "reserve")])
def test_a_key_allows_only_its_own_actions(right: str, other: str) -> None:
    _, secret = ServiceKey.issue(name="one", **{f"may_{other}": False})
    lamp, order = stocked(3), new_order()
    assert error_of(use(secret, other, lamp, order))[:2] == (403, "permission_denied")
    assert (entry_of(order), stock_of(lamp)) == (None, 3)
    assert use(secret, right, lamp, order).status_code == 200


def test_a_revoked_or_expired_key_allows_nothing() -> None:
    past = timezone.now() - timedelta(seconds=1)
    _, expired = ServiceKey.issue(name="expired", expiry_date=past)
    _, revoked = ServiceKey.issue(name="revoked", revoked=True)
    for secret in (expired, revoked, "a\0b.c", "abcdefgh.wrong"):
        lamp, order = stocked(3), new_order()
        assert error_of(use(secret, "reserve", lamp, order))[:2] == (401, "authentication_failed")
        assert (entry_of(order), stock_of(lamp)) == (None, 3)


def test_the_admin_shows_a_new_key_once_and_stores_its_hash(clerk: Client) -> None:
    form = {"name": "shop", "may_reserve": "on", "expiry_date_0": "2099-01-01", "expiry_date_1": "00:00"}
    page = clerk.post(ADD, form)
    secret = page.context["secret"]
    assert secret in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert is_accepted(secret)
    key = ServiceKey.objects.get(name="shop")
    assert (key.may_reserve, key.may_release) == (True, False)
    assert key.expiry_date
    assert key.expiry_date.year == 2099
    for path in (LIST, reverse("admin:products_app_servicekey_change", args=[key.pk])):
        assert secret.partition(".")[2] not in clerk.get(path).content.decode()
    assert secret.partition(".")[2] not in everything_stored() + str(clerk.cookies)
    assert len(audit(key)) == 1


def everything_stored() -> str:
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        rows = []
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            rows.append(cursor.fetchall())
    return str(rows)


def test_a_rotated_key_is_valid_for_a_day_beside_its_successor(clerk: Client) -> None:
    month = timezone.now() + timedelta(days=30)
    old, old_secret = ServiceKey.issue(name="shop", may_release=False, expiry_date=month)
    page = act(clerk, "rotate", old)
    new_secret = page.context["secret"]
    assert is_accepted(old_secret)
    assert is_accepted(new_secret)
    old.refresh_from_db()
    new = ServiceKey.objects.exclude(pk=old.pk).get()
    now = timezone.now()
    assert abs((old.expiry_date or now) - (now + ROTATION_OVERLAP)) < timedelta(minutes=1)
    assert abs((new.expiry_date or now) - month) < timedelta(minutes=1)
    assert (new.name, new.may_reserve, new.may_release) == ("shop", True, False)
    assert len(audit(old)) == len(audit(new)) == 1


def test_a_key_without_an_expiry_has_a_successor_without_one() -> None:
    old, _ = ServiceKey.issue(name="shop")
    new, _ = old.rotate()
    assert new.expiry_date is None
    assert old.expiry_date is not None


def test_a_key_that_is_rotated_twice_has_one_successor(clerk: Client) -> None:
    old, _ = ServiceKey.issue(name="shop")
    secret = act(clerk, "rotate", old).context["secret"]
    again = act(clerk, "rotate", old)
    new = ServiceKey.objects.exclude(pk=old.pk).get()
    assert f"This key was rotated before: {new.prefix} follows it." in again.content.decode()
    assert is_accepted(secret)
    assert len(audit(old)) == 1
    new.revoked = True
    new.save()
    assert "secret" in act(clerk, "rotate", old).context


def test_only_one_valid_key_is_rotated_at_a_time(clerk: Client) -> None:
    first, _ = ServiceKey.issue(name="one")
    second, _ = ServiceKey.issue(name="two", revoked=True)
    for chosen in ([first, second], [second]):
        assert "secret" not in act(clerk, "rotate", *chosen).context
    assert ServiceKey.objects.count() == 2
    assert not LogEntry.objects.exists()


def test_a_revoked_key_allows_nothing_and_cannot_be_restored(clerk: Client) -> None:
    key, secret = ServiceKey.issue(name="shop")
    act(clerk, "revoke", key)
    assert not is_accepted(secret)
    assert len(audit(key)) == 1
    clerk.post(reverse("admin:products_app_servicekey_change", args=[key.pk]), {"revoked": ""})
    assert not is_accepted(secret)


def test_the_list_says_what_each_key_allows_and_whether_it_is_valid(clerk: Client) -> None:
    now = timezone.now()
    ServiceKey.issue(name="valid", may_release=False)
    ServiceKey.issue(name="ends", expiry_date=now + timedelta(days=1))
    ServiceKey.issue(name="expired", expiry_date=now - timedelta(days=1))
    ServiceKey.issue(name="revoked", revoked=True, may_reserve=False, may_release=False)
    admin = site.get_model_admin(ServiceKey)
    assert isinstance(admin, ServiceKeyAdmin)
    assert {key.name: (admin.rights(key), admin.state(key)[1]) for key in ServiceKey.objects.all()} == {
        "valid": ("take stock", "Valid"),
        "ends": ("take stock and give it back", "Valid until it expires"),
        "expired": ("take stock and give it back", "Expired"),
        "revoked": ("nothing", "Revoked"),
    }
    assert "Valid until it expires" in clerk.get(LIST).content.decode()
