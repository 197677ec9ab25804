"""Long lists are counted in bounded time, and their pages lead from one end to the other."""

import pytest
from django.contrib.auth.models import User
from django.db import connection

from tests.orders_app.api.api_users import ApiUser
from tests.orders_app.ordering import OrderPlacer
from web import bounded_count
from web.bounded_count import Count

pytestmark = pytest.mark.django_db(transaction=True)
USERS = 300


@pytest.fixture(autouse=True)
def few_rows_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_count, "EXACT_ROWS", 100)


def add_users(number: int) -> None:
    User.objects.bulk_create(User(username=f"user-{each}") for each in range(number))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE auth_user")


def test_a_short_list_is_counted_exactly() -> None:
    add_users(100)
    assert bounded_count.bounded_count(User.objects.order_by("username")) == Count(100, is_exact=True)
    assert bounded_count.bounded_count([1, 2]) == Count(2, is_exact=True)


def test_a_long_list_is_estimated_by_the_statistics() -> None:
    add_users(USERS)
    assert bounded_count.bounded_count(User.objects.order_by("username")) == Count(USERS, is_exact=False)


def test_an_estimate_that_is_too_low_says_at_least_what_was_counted() -> None:
    add_users(10)
    User.objects.bulk_create(User(username=f"later-{each}") for each in range(USERS))
    few = bounded_count.bounded_count(User.objects.filter(username__startswith="later"))
    assert few.rows >= 101
    assert not few.is_exact


def test_next_leads_to_the_last_order_whatever_the_count(
    monkeypatch: pytest.MonkeyPatch, placer: OrderPlacer, customer: ApiUser
) -> None:
    monkeypatch.setattr(bounded_count, "EXACT_ROWS", 2)
    placed = {str(placer.place().id) for _ in range(5)}
    seen, path, headers = set(), "orders/?pageSize=2", []
    while path:
        response = customer.request("GET", path)
        page = response.json()
        seen |= {order["id"] for order in page["results"]}
        headers.append(response.headers.get("X-Count-Estimated"))
        path = (page["next"] or "").partition("/api/v1/")[2]
    assert seen == placed
    assert page["count"] == 5
    assert headers == ["true", "true", None]
    last = customer.request("GET", "orders/?pageSize=2&page=last").json()
    assert [order["id"] for order in last["results"]] == [order["id"] for order in page["results"]]
    assert customer.request("GET", "orders/?pageSize=2&page=4").status_code == 404
    assert customer.request("GET", f"orders/?page={10**30}").status_code == 404
